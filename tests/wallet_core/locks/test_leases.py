import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.peers.valkey import ValkeyPeer
from tests.wallet_core.locks.probes import (
    Fences,
    held,
    keys,
    until_empty,
    until_kept,
)
from wallet_core.locks import LeasePort, Leases, LeaseUnavailable, NoLeases
from wallet_core.locks.pipe import ScriptPipe, connected_to
from wallet_core.locks.scripts import LET_GO


async def test_a_free_wallet_is_granted_with_its_fence_and_given_back(
    leases: Leases, valkey: ValkeyPeer
) -> None:
    async with leases.hold("w", token="t", wait_s=0) as lease:
        assert lease.token == "t"
        assert lease.fences == {"w": 1}
        assert len(keys(valkey)) == 1
    async with leases.hold("w", token="t", wait_s=0) as lease:
        assert lease.fences == {"w": 2}
    await until_empty(valkey)
    assert leases.counts.granted == 2
    assert leases.counts.queued == 0


async def test_two_processes_never_hold_one_wallet_together(leases: Leases, others: Leases) -> None:
    inside = 0
    most = 0

    async def work(port: Leases, number: int) -> None:
        nonlocal inside, most
        async with port.hold("w", token=f"t{number}", wait_s=20):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work((leases, others)[n % 2], n) for n in range(100)))
    assert most == 1
    assert leases.counts.granted + others.counts.granted == 100


async def test_different_wallets_do_not_wait_for_each_other(leases: Leases) -> None:
    async with (
        leases.hold("a", token="1", wait_s=0),
        leases.hold("b", token="2", wait_s=0),
    ):
        pass


async def test_500_waiters_are_served_in_the_order_in_which_they_came(
    leases: Leases, valkey: ValkeyPeer
) -> None:
    served: list[int] = []

    async def work(number: int) -> None:
        async with leases.hold("w", token=f"t{number}", wait_s=60):
            served.append(number)

    release = asyncio.Event()
    first = asyncio.create_task(held(leases, "w", release))
    await until_kept(valkey, ":held:w")
    waiting = [asyncio.create_task(work(number)) for number in range(500)]
    async with asyncio.timeout(20):
        while leases.counts.queued < 500:  # noqa: ASYNC110 - a count has no event
            await asyncio.sleep(0.01)
    release.set()
    await asyncio.gather(first, *waiting)
    assert served == list(range(500))
    await until_empty(valkey)


async def test_nobody_starves_when_several_wallets_are_asked_for_crosswise(
    leases: Leases, others: Leases, valkey: ValkeyPeer
) -> None:
    sets = [("a", "b"), ("b", "c"), ("c", "a"), ("a", "b", "c"), ("b",)]

    async def work(number: int) -> None:
        port = (leases, others)[number % 2]
        async with port.hold(*sets[number % len(sets)], token=f"t{number}", wait_s=30):
            await asyncio.sleep(0)

    await asyncio.gather(*(work(number) for number in range(100)))
    await until_empty(valkey)


async def test_one_who_waits_for_two_wallets_is_not_overtaken_on_either(
    leases: Leases, valkey: ValkeyPeer
) -> None:
    served: list[str] = []
    release_a, release_b = asyncio.Event(), asyncio.Event()

    async def work(name: str, *wallets: str) -> None:
        async with leases.hold(*wallets, token=name, wait_s=10):
            served.append(name)

    holders = [
        asyncio.create_task(held(leases, "a", release_a, "ha")),
        asyncio.create_task(held(leases, "b", release_b, "hb")),
    ]
    await until_kept(valkey, ":held:a")
    await until_kept(valkey, ":held:b")
    both = asyncio.create_task(work("both", "a", "b"))
    await until_kept(valkey, ":queue:a")
    late = asyncio.create_task(work("late", "a"))
    release_a.set()
    await holders[0]
    release_b.set()
    await asyncio.gather(both, late, *holders)
    assert served == ["both", "late"]


async def test_a_wait_that_is_too_long_is_refused_and_leaves_nothing(
    leases: Leases, others: Leases, valkey: ValkeyPeer
) -> None:
    async with leases.hold("w", token="first", wait_s=0):
        with pytest.raises(LeaseUnavailable, match="busy"):
            async with others.hold("w", token="second", wait_s=0.05):
                pytest.fail("the wallet was held")
    assert others.counts.timed_out == 1
    await until_empty(valkey)


async def test_a_cancelled_acquire_leaves_nothing_behind(
    leases: Leases, valkey: ValkeyPeer
) -> None:
    for turns in range(200):
        work = asyncio.create_task(held(leases, f"w{turns % 3}", asyncio.Event(), f"t{turns}"))
        for _ in range(turns % 20):
            await asyncio.sleep(0)
        work.cancel()
        await asyncio.wait([work])
        assert work.cancelled()
    await until_empty(valkey)
    async with leases.hold("w0", "w1", "w2", token="after", wait_s=0):
        pass


async def test_a_cancelled_waiter_is_skipped(leases: Leases, valkey: ValkeyPeer) -> None:
    release = asyncio.Event()
    first = asyncio.create_task(held(leases, "w", release))
    await until_kept(valkey, ":held:w")
    second = asyncio.create_task(held(leases, "w", asyncio.Event(), "second"))
    await until_kept(valkey, ":queue:w")
    release_third = asyncio.Event()
    release_third.set()
    third = asyncio.create_task(held(leases, "w", release_third, "third"))
    second.cancel()
    await asyncio.wait([second])
    release.set()
    await asyncio.gather(first, third)
    assert leases.counts.cancelled == 1


async def test_the_release_happens_also_when_the_holder_is_cancelled(
    leases: Leases, valkey: ValkeyPeer
) -> None:
    work = asyncio.create_task(held(leases, "w", asyncio.Event()))
    await until_kept(valkey, ":held:w")
    work.cancel()
    await asyncio.wait([work])
    assert work.cancelled()
    await until_empty(valkey)


async def test_an_error_in_the_block_comes_out_and_releases(
    leases: Leases, valkey: ValkeyPeer
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with leases.hold("w", token="t", wait_s=0):
            _ = 1 // 0
    await until_empty(valkey)


async def test_the_same_work_twice_at_once_waits_for_itself(leases: Leases) -> None:
    inside = 0

    async def work() -> None:
        nonlocal inside
        async with leases.hold("w", token="same", wait_s=5):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0.01)
            inside -= 1

    await asyncio.gather(*(work() for _ in range(5)))
    assert leases.counts.lost_to_other == 0


async def test_what_a_lost_answer_left_behind_is_taken_over_by_the_same_work(
    leases: Leases, valkey: ValkeyPeer
) -> None:
    ghost = f"{leases._instance}|0|t"
    valkey.ask("SET", "payontap:{lease}:held:w", ghost, "PX", "60000")
    async with leases.hold("w", token="t", wait_s=0):
        pass
    valkey.ask("SET", "payontap:{lease}:held:w", ghost, "PX", "60000")
    with pytest.raises(LeaseUnavailable):
        async with leases.hold("w", token="other", wait_s=0):
            pytest.fail("that was somebody else's")


async def test_a_lease_outlives_its_first_span_as_long_as_it_is_held(
    leases: Leases, others: Leases
) -> None:
    async with leases.hold("w", token="t", wait_s=0, ttl_s=0.3):
        with pytest.raises(LeaseUnavailable):
            async with others.hold("w", token="u", wait_s=1):
                pytest.fail("the lease ended too early")
    assert leases.counts.lost_to_other == 0


async def test_without_leases_everybody_is_granted_and_the_fence_still_rises() -> None:
    fences = Fences()
    port: LeasePort = NoLeases(fences.raised)
    async with (
        port.hold("b", "a", "b", token="1", wait_s=0) as first,
        port.hold("a", token="2", wait_s=0) as second,
    ):
        assert first.fences == {"a": 1, "b": 1}
        assert second.fences == {"a": 2}


@pytest.mark.parametrize("wallets", [(), ("",), ("a\nb",)])
async def test_a_request_that_names_no_wallet_is_a_mistake(
    leases: Leases, wallets: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match="wallet"):
        async with leases.hold(*wallets, token="t", wait_s=0):
            pass


@pytest.mark.parametrize(("token", "wallet"), [("\ud800", "w"), ("t", "w\udfff")])
async def test_a_name_that_is_no_unicode_fails_alone_and_at_once(
    leases: Leases, token: str, wallet: str
) -> None:
    async def fence(_wallet: str) -> int:
        return 1

    async def work(port: LeasePort, token: str, wallet: str) -> str:
        async with port.hold(wallet, token=token, wait_s=5):
            return "done"

    async with leases.hold("first", token="first", wait_s=0):
        # The connection stands, so all of these go on one round trip.
        works = (
            work(leases, "a", "w1"),
            work(leases, token, wallet),
            work(leases, "b", "w2"),
            work(NoLeases(fence), token, wallet),
        )
        async with asyncio.timeout(10):
            found = await asyncio.gather(*works, return_exceptions=True)
    assert (found[0], found[2]) == ("done", "done")
    assert isinstance(found[1], ValueError)
    assert isinstance(found[3], ValueError)
    assert leases.counts.unreachable == 0


async def test_whatever_else_goes_wrong_in_a_round_trip_fails_it_and_the_next_one_goes_on(
    valkey: ValkeyPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connected_to(valkey.url, answer_within_s=2)
    pipe = ScriptPipe(client, answer_within_s=2)
    understood = client.evalsha

    async def garbled(*_words: object) -> str:
        return "no JSON"

    monkeypatch.setattr(client, "evalsha", garbled)
    calls = [pipe.call(LET_GO, f"i|{n}|t", "w") for n in range(3)]
    async with asyncio.timeout(10):
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [RedisConnectionError] * 3
    monkeypatch.setattr(client, "evalsha", understood)
    async with asyncio.timeout(10):
        assert isinstance(await pipe.call(LET_GO, "i|4|t", "w"), list)
    await pipe.close()
