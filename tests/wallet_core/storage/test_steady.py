"""A cancelled task leaves no statement half-way and no lock behind."""

import asyncio
import random

import sqlalchemy as sa

from tests.peers.tables import create_tables
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.steady import to_its_end


async def test_tasks_cancelled_at_any_moment_keep_nobody_from_writing(database_url: str) -> None:
    database = Database(database_url)
    await create_tables(database)
    dice = random.Random(7)

    async def write(n: int) -> None:
        async with database.write() as connection:
            await connection.execute(sa.insert(t.cursors).values(network=f"n{n}", value="x"))

    async def read() -> None:
        async with database.read() as connection:
            await connection.execute(sa.select(t.cursors))

    for n in range(150):
        task = asyncio.create_task(write(n) if n % 3 else read())
        await asyncio.sleep(dice.random() * 0.004)
        task.cancel()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(5):
        await write(1000)
        async with database.read() as connection:
            kept = (await connection.execute(sa.select(t.cursors.c.network))).scalars().all()
        assert "n1000" in kept
        await database.close()


async def test_what_was_begun_ends_before_the_cancellation_is_raised() -> None:
    ended: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.05)
        ended.append("work")

    task = asyncio.create_task(to_its_end(work()))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    results = await asyncio.gather(task, return_exceptions=True)
    assert ended == ["work"]
    assert isinstance(results[0], asyncio.CancelledError)
