"""Which checkpoints stay: all, then the last of each hour, then of each day, and the newest."""

from collections.abc import Iterable

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from tests.wallet_core.world import World
from wallet_core.audit.checkpoints import opened_checkpoint
from wallet_core.audit.receipts import instant
from wallet_core.audit.signing import SigningKey
from wallet_core.storage import audit_tables as at
from wallet_core.storage import checkpoints as stored
from wallet_core.storage.checkpoints import MINUTE_US, Checkpoints, Kept

HOUR, DAY = 60, 24 * 60
#: A midnight.
NOW = 20_000 * DAY
KEPT = Kept(all_days=2, hourly_days=5)
ALL = 10**12


@pytest.fixture
def checkpoints(world: World, monkeypatch: pytest.MonkeyPatch) -> Checkpoints:
    async def now_us(_connection: object) -> int:
        return NOW * MINUTE_US

    monkeypatch.setattr(world.database, "now_us", now_us)
    return Checkpoints(world.database)


async def fill(world: World, minutes: Iterable[int]) -> None:
    rows = [{"minute": minute, "heads": b"[]", "signed": f"of {minute}"} for minute in minutes]
    async with world.database.write() as connection:
        await connection.execute(sa.insert(at.checkpoints), rows)


async def left(checkpoints: Checkpoints) -> list[int]:
    return [each.minute for each in await checkpoints.after(-1)]


async def test_all_of_the_last_days_stay_then_the_last_of_each_hour_then_of_each_day(
    world: World, checkpoints: Checkpoints
) -> None:
    every = range(NOW - 8 * DAY, NOW, 20)
    await fill(world, every)
    dropped = await checkpoints.thin(KEPT, ALL)
    daily = [NOW - n * DAY - 20 for n in range(7, 4, -1)]
    hourly = [NOW - n * HOUR - 20 for n in range(5 * 24 - 1, 2 * 24 - 1, -1)]
    recent = list(range(NOW - 2 * DAY, NOW, 20))
    assert await left(checkpoints) == daily + hourly + recent
    assert dropped == len(every) - len(daily + hourly + recent)
    assert await checkpoints.thin(KEPT, ALL) == 0


async def test_the_newest_stays_however_old_it_is(world: World, checkpoints: Checkpoints) -> None:
    await fill(world, (5, 6, 7))
    assert await checkpoints.thin(KEPT, ALL) == 2
    assert await left(checkpoints) == [7]


async def test_what_is_not_exported_yet_stays(world: World, checkpoints: Checkpoints) -> None:
    await fill(world, (HOUR, HOUR + 1, HOUR + 2, HOUR + 3))
    assert await checkpoints.thin(KEPT, HOUR + 1) == 1
    assert await left(checkpoints) == [HOUR + 1, HOUR + 2, HOUR + 3]


async def test_many_go_in_short_transactions(
    world: World, checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "PAGE_ROWS", 7)
    await fill(world, range(2 * DAY, 2 * DAY + 50))
    assert await checkpoints.thin(KEPT, ALL) == 49
    assert await left(checkpoints) == [2 * DAY + 49]


async def test_after_a_clock_went_back_there_is_still_a_checkpoint_in_each_minute(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [NOW + DAY]

    async def now_us(_connection: object) -> int:
        return clock[0] * MINUTE_US

    monkeypatch.setattr(world.database, "now_us", now_us)
    checkpoints, key = Checkpoints(world.database), SigningKey.new()
    await world.person("anna", 500)
    assert await checkpoints.write(key)
    with capture_logs() as heard:
        for clock[0] in (NOW, NOW + 1, NOW + 2):
            await world.person(f"ben {clock[0]}", 500)
            assert await checkpoints.write(key)
            await world.person(f"carl {clock[0]}", 500)
            assert not await checkpoints.write(key)
    (told,) = heard
    assert (told["event"], told["by_s"]) == ("checkpoint_clock_went_back", DAY * 60)
    assert await left(checkpoints) == [NOW + DAY + n for n in range(4)]
    newest = await checkpoints.newest()
    assert newest is not None
    said = opened_checkpoint(newest.signed, key.public)
    assert said.at == instant((NOW + 2) * MINUTE_US)
    assert said.minute == NOW + DAY + 3
    clock[0] = NOW + 2 * DAY
    assert await checkpoints.write(key)
    assert (await left(checkpoints))[-1] == NOW + 2 * DAY


async def test_a_newest_row_that_cannot_be_read_keeps_no_checkpoint_from_being_written(
    world: World, checkpoints: Checkpoints
) -> None:
    await fill(world, [NOW + 7])
    await world.person("anna", 500)
    assert await checkpoints.write(SigningKey.new())
    assert await left(checkpoints) == [NOW + 7, NOW + 8]
