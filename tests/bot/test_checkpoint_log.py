"""Checkpoints reach the file once each, whoever wrote them and whatever stopped in between."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.checkpoint_log import CheckpointClock, CheckpointLog
from tests.wallet_core.world import World, world_at
from wallet_core.audit.checkpoints import Head, compare, opened_checkpoint, signed_checkpoint
from wallet_core.audit.signing import SigningKey
from wallet_core.storage.audit_reader import books_of
from wallet_core.storage.checkpoints import Checkpoints, Kept

KEY = SigningKey.new()
MINUTE_US = 60_000_000


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with world_at(database_url) as world:
        yield world


async def run_until(world: World, log: CheckpointLog, done: Callable[[], Awaitable[bool]]) -> None:
    """Run a process until something has come about."""
    clock = CheckpointClock(Checkpoints(world.database), KEY, log, Kept(1, 2))
    task = asyncio.create_task(clock.run())
    try:
        async with asyncio.timeout(20):
            while not await done():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def exported(world: World, log: CheckpointLog, count: int) -> list[str]:
    """What is in the file once a process has run until it has `count` lines."""

    async def there() -> bool:
        return log.path.exists() and len(log.path.read_text().splitlines()) >= count

    await run_until(world, log, there)
    return log.path.read_text().splitlines()


async def test_two_processes_write_one_checkpoint_and_each_exports_all(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_us = [100 * MINUTE_US]

    async def now_us(_connection: object) -> int:
        return clock_us[0]

    monkeypatch.setattr(world.database, "now_us", now_us)
    await world.person("anna", 500)
    first, second = CheckpointLog(tmp_path / "first.log"), CheckpointLog(tmp_path / "second.log")
    (line,) = await exported(world, first, 1)
    assert await exported(world, second, 1) == [line]
    await world.person("ben", 500)
    clock_us[0] += MINUTE_US
    lines = await exported(world, second, 2)
    assert await exported(world, first, 2) == lines
    async with books_of(world.database) as books:
        assert (await compare(lines, books, KEY.public)).count == 2


async def test_a_line_that_was_torn_is_written_again(world: World, tmp_path: Path) -> None:
    await world.person("anna", 500)
    log = CheckpointLog(tmp_path / "deep" / "checkpoints.log")
    (line,) = await exported(world, log, 1)
    log.path.write_text(line[:-9])
    assert log.last_minute() == -1
    assert await exported(world, log, 1) == [line]
    assert opened_checkpoint(line, KEY.public).chains


def test_the_minute_of_the_last_line_is_known_after_a_restart(tmp_path: Path) -> None:
    log = CheckpointLog(tmp_path / "checkpoints.log")
    assert log.last_minute() == -1
    heads = [Head(n, 10**9, "cd" * 32) for n in range(256)]
    for minute in (7, 9):
        log.append(signed_checkpoint(KEY, minute * MINUTE_US + 59_000_000, heads))
    assert log.last_minute() == 9


async def test_a_process_drops_old_checkpoints_once_they_are_in_its_file(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_us = [100_000 * MINUTE_US]

    async def now_us(_connection: object) -> int:
        return clock_us[0]

    monkeypatch.setattr(world.database, "now_us", now_us)
    checkpoints = Checkpoints(world.database)
    for n in range(3):
        await world.person(f"early {n}", 500)
        assert await checkpoints.write(KEY)
        clock_us[0] += MINUTE_US
    clock_us[0] += 3 * 24 * 60 * MINUTE_US
    log = CheckpointLog(tmp_path / "checkpoints.log")
    lines = await exported(world, log, 3)

    async def thinned() -> bool:
        return len(await checkpoints.after(-1)) == 1

    await run_until(world, log, thinned)
    assert log.path.read_text().splitlines() == lines
    async with books_of(world.database) as books:
        assert (await compare(lines, books, KEY.public)).count == 3


async def test_after_a_clock_went_back_each_checkpoint_is_still_exported_once(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_us = [100_060 * MINUTE_US]

    async def now_us(_connection: object) -> int:
        return clock_us[0]

    monkeypatch.setattr(world.database, "now_us", now_us)
    await world.person("anna", 500)
    log = CheckpointLog(tmp_path / "checkpoints.log")
    await exported(world, log, 1)
    for n, back_to in enumerate((100_000, 100_001), 2):
        clock_us[0] = back_to * MINUTE_US
        await world.person(f"ben {n}", 500)
        lines = await exported(world, log, n)
        assert (len(lines), log.last_minute()) == (n, 100_059 + n)
    async with books_of(world.database) as books:
        assert (await compare(lines, books, KEY.public)).count == 3


async def test_a_key_that_is_another_than_before_is_reported_once(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.person("anna", 500)
    log = CheckpointLog(tmp_path / "checkpoints.log")
    with capture_logs() as heard:
        await exported(world, log, 1)
        await exported(world, log, 1)
    assert [line["event"] for line in heard] == []
    monkeypatch.setattr("tests.bot.test_checkpoint_log.KEY", SigningKey.new())
    with capture_logs() as heard:
        await exported(world, CheckpointLog(tmp_path / "other.log"), 1)
    (told,) = heard
    assert told["event"] == "signing_key_is_another"
    assert KEY.public.text in told["last_checkpoint"]
