"""No spelling, name or redirect leads the fetcher into the machine that it runs on."""

from benchmarks.hostile_addresses import addresses, attempt_all, plain_hits


async def test_no_way_into_this_machine_is_found() -> None:
    attempts = await attempt_all()
    assert attempts.seen == ()
    assert attempts.hits == 0
    assert attempts.tried > 500


async def test_the_ways_are_ways_an_unguarded_client_is_led_by_them() -> None:
    assert len(set(addresses(1))) > 150
    assert await plain_hits() > 50
