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
from tests.wallet_core.locks.probes import (
    granted_again,
    held,
    keys,
    leases_at,
    until_empty,
    until_kept,
)
from wallet_core.locks import LeaseLost, Leases, LeaseUnavailable

ROOT = Path(__file__).parents[3]


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
        await asyncio.wait_for(asyncio.gather(first, second), 30)
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
from bot import event_loop
from wallet_core.locks.leases import Leases

async def fence(wallet):
    return 1

async def main(url, token, *wallets):
    async with Leases(url, fence) as leases:
        print("asking", flush=True)
        async with leases.hold(*wallets, token=token, wait_s=60):
            print("granted", flush=True)
            await asyncio.sleep(60)

event_loop.run(main(*sys.argv[1:]))
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
    await asyncio.wait_for(third, 30)


async def test_after_stop_nothing_is_granted(valkey: ValkeyPeer) -> None:
    async with leases_at(valkey) as leases:
        release = asyncio.Event()
        release.set()
        await held(leases, "w", release)
    with pytest.raises(LeaseUnavailable):
        async with leases.hold("w", token="t", wait_s=0):
            pytest.fail("it is closed")
    assert keys(valkey) == []
