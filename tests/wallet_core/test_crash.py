"""kill -9 in the middle of trade, twenty times: nothing half done, nothing acknowledged lost."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import sqlalchemy as sa

from tests.audit import audit
from tests.peers.valkey import ValkeyPeer
from tests.wallet_core.crashing_process import PEOPLE, QUOTES, TERMS, Deed, Start, do
from tests.wallet_core.world import HOUR_US, World, world_at
from wallet_core.storage import tables as t

ROOT = Path(__file__).parents[2]
KILLS = 20
SEED = 4242


class Trader:
    """The process that forks traders; it writes down what they were told."""

    def __init__(self, stdin: asyncio.StreamWriter, stdout: asyncio.StreamReader) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self.kept: set[str] = set()
        self.answered: dict[str, str] = {}

    async def trade_and_be_killed(self, start: Start, dice: random.Random) -> None:
        self._stdin.write(msgspec.json.encode(start) + b"\n")
        pid = int((await self._line()).removeprefix("pid "))
        loop = asyncio.get_running_loop()
        lines_left = dice.randrange(24)  # 0: during the start, or while it finishes what was left
        if not lines_left:
            loop.call_later(dice.uniform(0.05, 0.4), os.kill, pid, signal.SIGKILL)
        while (line := await self._line()) != "gone":
            verb, event_id, *outcome = line.split()
            if verb == "kept":
                self.kept.add(event_id)
            else:
                assert self.answered.setdefault(event_id, outcome[0]) == outcome[0]
            lines_left -= 1
            if lines_left == 0:
                loop.call_later(dice.uniform(0, 0.02), os.kill, pid, signal.SIGKILL)

    async def _line(self) -> str:
        line = (await self._stdout.readline()).decode()
        assert line, "the trader is gone"
        return line.strip()


@asynccontextmanager
async def trader() -> AsyncIterator[Trader]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.wallet_core.crashing_process"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    yield Trader(process.stdin, process.stdout)
    process.stdin.close()
    assert await process.wait() == 0


async def test_twenty_kills_leave_the_books_right_and_every_word_kept(
    database_url: str, valkey: ValkeyPeer
) -> None:
    dice = random.Random(SEED)
    async with world_at(database_url, terms=TERMS) as world:
        await world.open_shop()
        await world.offer()
        for name in QUOTES:
            await world.quote(name=name, amount_minor=700)
        for name in PEOPLE:
            await world.person(name, 9_000)
        async with trader() as trading:
            for number in range(KILLS):
                await trading.trade_and_be_killed(Start(database_url, valkey.url, number), dice)
                if number % 4:  # else the dead one's leases are waited out
                    valkey.flush()
                await until_alone(world)
                await audit(world.database)
        await assert_nothing_acknowledged_is_lost(world, trading)
        await finish(world)
        assert {event for event in trading.kept if await world.outcome(event) == "open"} == set()
        await audit(world.database)
        # It was real trade, not a row of refusals.
        for state in ("paid", "undone"):
            assert await world.count(t.orders, t.orders.c.state == state) > 0


async def until_alone(world: World) -> None:
    """PostgreSQL ends what a killed client left on its connections a moment later."""
    if world.database.is_sqlite:
        return
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND state <> 'idle'"
    )
    async with asyncio.timeout(20):
        while True:
            async with world.database.read() as connection:
                if not (await connection.exec_driver_sql(query)).scalar_one():
                    return
            await asyncio.sleep(0.02)


async def assert_nothing_acknowledged_is_lost(world: World, trading: Trader) -> None:
    async with world.database.read() as connection:
        rows = (await connection.execute(sa.select(t.inbox.c.event_id, t.inbox.c.state))).all()
    in_inbox = {row.event_id: row.state for row in rows}
    assert trading.kept <= set(in_inbox)
    assert len(trading.answered) > 3 * KILLS
    for event_id, outcome in trading.answered.items():
        assert await world.outcome(event_id) == outcome
        assert in_inbox[event_id] == "done"


async def finish(world: World) -> None:
    """What the last one left, answered by its successor."""
    await world.inbox.release_all()
    for heard in await world.inbox.claim(1000):
        await do(world, heard.event_id, msgspec.json.decode(heard.body, type=Deed))
    assert await world.inbox.waiting_count() == 0
    async with world.database.write() as connection:
        now_us = await world.database.now_us(connection)
        await connection.execute(
            sa.update(t.holds)
            .where(t.holds.c.due_at_us < now_us + HOUR_US)
            .values(due_at_us=now_us - 1)
        )
    while await world.endings.run_due():
        pass
    assert await world.count(t.orders, t.orders.c.state == "authorised") == 0
