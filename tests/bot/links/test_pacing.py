"""About one request a second to each host, in one process and in several."""

import pytest

from bot.links.pacing import HostPace, MemoryTurns, Turns
from bot.links.redis_pages import RedisPages
from tests.peers.valkey import ValkeyPeer


async def take(turns: Turns, host: str = "a.com", wait_s_max: float = 2.0) -> float | None:
    return await turns.take(host, interval_s=1.0, slack_s=2.0, wait_s_max=wait_s_max)


async def test_a_few_at_once_then_one_a_second_then_none() -> None:
    now = [100.0]
    turns = MemoryTurns(lambda: now[0])
    assert [await take(turns) for _ in range(6)] == [0.0, 0.0, 0.0, 1.0, 2.0, None]
    assert await take(turns, "b.com") == 0.0
    now[0] = 102.0
    assert [await take(turns) for _ in range(3)] == [1.0, 2.0, None]
    now[0] = 200.0
    assert [await take(turns) for _ in range(4)] == [0.0, 0.0, 0.0, 1.0]


async def test_two_processes_keep_one_pace(valkey: ValkeyPeer) -> None:
    async with RedisPages(valkey.url) as one, RedisPages(valkey.url) as other:
        waits = [await take(turns, wait_s_max=60.0) for turns in (one, other) * 4]
        assert waits[:3] == [0.0, 0.0, 0.0]
        for n, wait_s in enumerate(waits[3:], 1):
            assert wait_s == pytest.approx(n, abs=0.9)
        assert await take(one, "b.com") == 0.0
        assert await take(one, wait_s_max=0.5) is None


async def test_without_redis_each_process_keeps_the_pace_for_itself(
    own_valkey: ValkeyPeer,
) -> None:
    async with RedisPages(own_valkey.url) as turns:
        own_valkey.kill()
        waits = [await take(turns, wait_s_max=60.0) for _ in range(4)]
        assert waits[:3] == [0.0, 0.0, 0.0]
        assert waits[3] == pytest.approx(1.0, abs=0.9)


async def test_who_waits_too_long_is_told_at_once() -> None:
    pace = HostPace(MemoryTurns(lambda: 0.0), interval_s=0.01, burst=1, wait_s_max=0.015)
    assert [await pace.turn("a.com") for _ in range(4)] == [True, True, False, False]
