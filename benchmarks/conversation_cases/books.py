"""Whether the books are right after a measurement: as many orders as taps, and a clean audit."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Mapping

import sqlalchemy as sa

from benchmarks.conversation_cases.programs import ROOT
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database

_ANSWERED_WITHIN_S = 60.0


class WrongBooks(Exception):
    """Something that was acknowledged does not stand, or the audit finds a mistake."""


async def check(url: str, environ: Mapping[str, str], *, orders: int) -> None:
    """Every event is answered, there are so many orders, `payontap audit` finds nothing.

    Raises `WrongBooks`.
    """
    database = Database(url)
    try:
        await _answered(database)
        found = await _count(database, sa.select(sa.func.count()).select_from(t.orders))
    finally:
        await database.close()
    if found != orders:
        raise WrongBooks(f"There are {found} orders, and {orders} taps were answered.")
    await asyncio.to_thread(_audit, environ)


async def _answered(database: Database) -> None:
    deadline = time.monotonic() + _ANSWERED_WITHIN_S
    open_events = sa.select(sa.func.count()).where(t.inbox.c.state != "done")
    while left := await _count(database, open_events):
        if time.monotonic() > deadline:
            raise WrongBooks(f"{left} events are not answered.")
        await asyncio.sleep(0.1)


async def _count(database: Database, query: sa.Select[int]) -> int:
    async with database.read() as connection:
        return int((await connection.execute(query)).scalar_one())


def _audit(environ: Mapping[str, str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "from bot.cli import main; main()", "audit"],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        raise WrongBooks(f"payontap audit: {ran.stdout[-500:]}{ran.stderr[-500:]}")
