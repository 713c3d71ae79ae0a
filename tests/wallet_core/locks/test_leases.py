import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.peers.valkey import ValkeyPeer
from wallet_core.locks.leases import Leases
from wallet_core.locks.port import LeaseLost, LeasePort, LeaseUnavailable, NoLeases

ROOT = Path(__file__).parents[3]


class Fences:
    """Stands in for the database: a number for each wallet that only grows."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}

    async def raised(self, wallet: str) -> int:
        await asyncio.sleep(0)
        self.values[wallet] = self.values.get(wallet, 0) + 1
        return self.values[wallet]


@asynccontextmanager
async def leases_at(
    peer: ValkeyPeer, fences: Fences | None = None, *, answer_within_s: float = 2.0
) -> AsyncIterator[Leases]:
    fences = fences or Fences()
    async with Leases(peer.url, fences.raised, answer_within_s=answer_within_s) as leases:
        yield leases


@pytest.fixture
async def leases(valkey: ValkeyPeer) -> AsyncIterator[Leases]:
    async with leases_at(valkey) as leases:
        yield leases


@pytest.fixture
async def others(valkey: ValkeyPeer) -> AsyncIterator[Leases]:
    """The leases of another process, as far as the store can tell."""
    async with leases_at(valkey) as leases:
        yield leases


def keys(peer: ValkeyPeer) -> list[str]:
    """What is left in the store, but for the counter and the marks of living processes."""
    words = peer.ask("KEYS", "payontap:*").split("\r\n")
    return [word for word in words if ":held:" in word or ":queue:" in word]


async def held(
    leases: LeasePort,
    wallet: str,
    release: asyncio.Event,
    token: str = "first",  # noqa: S107 - the name of some work, no secret
) -> None:
    async with leases.hold(wallet, token=token, wait_s=5):
        await release.wait()


async def until_kept(peer: ValkeyPeer, part: str) -> None:
    async with asyncio.timeout(10):
        while not any(part in key for key in keys(peer)):  # noqa: ASYNC110 - another process's doing
            await asyncio.sleep(0.005)


async def until_empty(peer: ValkeyPeer) -> None:
    async with asyncio.timeout(20):
        while keys(peer):  # noqa: ASYNC110 - another process's doing
            await asyncio.sleep(0.01)


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


@pytest.mark.parametrize("how", ["flushed", "stolen"])
async def test_a_lost_lease_cancels_its_holder(
    leases: Leases, valkey: ValkeyPeer, how: str
) -> None:
    async def work() -> None:
        async with leases.hold("w", token="t", wait_s=0, ttl_s=0.3):
            if how == "flushed":
                valkey.flush()
            else:
                valkey.ask("SET", "payontap:{lease}:held:w", "thief|1|x", "PX", "60000")
            await asyncio.sleep(20)

    with pytest.raises(LeaseLost):
        await work()
    assert leases.counts.lost_to_other == 1
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    if how == "stolen":
        assert "thief" in valkey.ask("GET", "payontap:{lease}:held:w")


async def test_a_cancellation_from_outside_is_no_lost_lease(
    leases: Leases, valkey: ValkeyPeer
) -> None:
    async def work() -> None:
        async with leases.hold("w", token="t", wait_s=0, ttl_s=0.3):
            valkey.flush()
            try:
                await asyncio.sleep(20)
            finally:
                outer.cancel()

    outer = asyncio.create_task(work())
    await asyncio.wait([outer])
    assert outer.cancelled()


async def test_waiters_ask_anew_after_a_flush(
    leases: Leases, others: Leases, valkey: ValkeyPeer
) -> None:
    release = asyncio.Event()
    first = asyncio.create_task(held(leases, "w", release))
    await until_kept(valkey, ":held:w")
    release_second = asyncio.Event()
    release_second.set()
    second = asyncio.create_task(held(others, "w", release_second, "second"))
    await until_kept(valkey, ":queue:w")
    valkey.flush()
    await asyncio.wait_for(second, 5)
    release.set()
    await first


async def test_a_database_that_cannot_raise_the_fence_releases_the_lease(
    valkey: ValkeyPeer,
) -> None:
    async def broken(wallet: str) -> int:
        raise OSError(wallet)

    async with Leases(valkey.url, broken) as leases:
        with pytest.raises(OSError, match="w"):
            async with leases.hold("w", token="t", wait_s=0):
                pytest.fail("there is no fence")
        assert leases.counts.fence_failed == 1
        await until_empty(valkey)


async def test_a_store_that_is_down_refuses_and_works_again_when_it_is_back(
    own_valkey: ValkeyPeer,
) -> None:
    async with leases_at(own_valkey) as leases:
        async with leases.hold("w", token="1", wait_s=1):
            pass
        own_valkey.kill()
        with pytest.raises(LeaseUnavailable):
            async with leases.hold("w", token="2", wait_s=1):
                pytest.fail("there is no store")
        assert leases.counts.unreachable == 1
        await own_valkey.start_again()
        await granted_again(leases)


async def test_it_starts_while_the_store_is_down(own_valkey: ValkeyPeer) -> None:
    own_valkey.kill()
    async with leases_at(own_valkey) as leases:
        with pytest.raises(LeaseUnavailable):
            async with leases.hold("w", token="1", wait_s=1):
                pytest.fail("there is no store")
        await own_valkey.start_again()
        await granted_again(leases)


async def granted_again(leases: Leases) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                async with leases.hold("w", token="again", wait_s=3):
                    return
            except LeaseUnavailable:
                await asyncio.sleep(0.05)


async def test_waiters_survive_a_crash_of_the_store(own_valkey: ValkeyPeer) -> None:
    async with leases_at(own_valkey) as leases:
        release = asyncio.Event()
        first = asyncio.create_task(held(leases, "w", release))
        await until_kept(own_valkey, ":held:w")
        released = asyncio.Event()
        released.set()
        second = asyncio.create_task(held(leases, "w", released, "second"))
        await until_kept(own_valkey, ":queue:w")
        own_valkey.kill()
        await own_valkey.start_again()
        release.set()
        await asyncio.wait_for(asyncio.gather(first, second), 10)
        await until_empty(own_valkey)


async def test_a_paused_store_refuses_and_keeps_nothing_of_it(own_valkey: ValkeyPeer) -> None:
    async with leases_at(own_valkey, answer_within_s=0.2) as leases:
        async with leases.hold("w", token="1", wait_s=1):
            pass
        own_valkey.pause()
        for number in range(3):
            with pytest.raises(LeaseUnavailable):
                async with leases.hold("w", token=f"p{number}", wait_s=5):
                    pytest.fail("nobody answers")
        own_valkey.resume()
        await granted_again(leases)
        await until_empty(own_valkey)


async def test_a_pause_longer_than_its_life_ends_a_lease_before_another_can_have_it(
    own_valkey: ValkeyPeer,
) -> None:
    async with leases_at(own_valkey, answer_within_s=0.2) as leases:

        async def work() -> None:
            async with leases.hold("w", token="t", wait_s=1, ttl_s=0.6):
                own_valkey.pause()
                await asyncio.sleep(20)

        with pytest.raises(LeaseLost):
            await work()
        assert leases.counts.lost_unrenewed == 1
        own_valkey.resume()
        await granted_again(leases)


HOLDER = """
import asyncio, sys
from wallet_core.locks.leases import Leases

async def fence(wallet):
    return 1

async def main(url, token, *wallets):
    async with Leases(url, fence) as leases:
        print("asking", flush=True)
        async with leases.hold(*wallets, token=token, wait_s=60):
            print("granted", flush=True)
            await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
"""


@asynccontextmanager
async def another_process(
    url: str, token: str, wallet: str, *, line: str
) -> AsyncIterator["asyncio.subprocess.Process"]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDER, url, token, wallet),
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    try:
        while (await process.stdout.readline()).decode().strip() != line:
            assert not process.stdout.at_eof()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_the_lease_of_a_killed_process_ends_and_the_next_is_woken(
    leases: Leases, valkey: ValkeyPeer
) -> None:
    async with another_process(valkey.url, "t", "w", line="granted") as process:
        valkey.ask("PEXPIRE", "payontap:{lease}:held:w", "1500")
        process.send_signal(signal.SIGKILL)
        async with leases.hold("w", token="next", wait_s=10):
            pass


async def test_work_that_was_killed_gets_its_lease_back_by_its_token(
    leases: Leases, valkey: ValkeyPeer
) -> None:
    async with another_process(valkey.url, "event-7", "w", line="granted") as process:
        valkey.ask("PEXPIRE", "payontap:{lease}:held:w", "600000")
        process.send_signal(signal.SIGKILL)
        await process.wait()
        async with leases.hold("w", token="event-7", wait_s=10):
            pass


async def test_a_waiter_whose_process_was_killed_is_skipped(
    leases: Leases, valkey: ValkeyPeer
) -> None:
    async with leases.hold("w", token="first", wait_s=1):
        async with another_process(valkey.url, "dead", "w", line="asking") as process:
            await until_kept(valkey, ":queue:w")
            process.send_signal(signal.SIGKILL)
            await process.wait()
        late = asyncio.Event()
        late.set()
        third = asyncio.create_task(held(leases, "w", late, "third"))
        await asyncio.sleep(0)
    await asyncio.wait_for(third, 10)


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


async def test_after_stop_nothing_is_granted(valkey: ValkeyPeer) -> None:
    async with leases_at(valkey) as leases:
        release = asyncio.Event()
        release.set()
        await held(leases, "w", release)
    with pytest.raises(LeaseUnavailable):
        async with leases.hold("w", token="t", wait_s=0):
            pytest.fail("it is closed")
    assert keys(valkey) == []
