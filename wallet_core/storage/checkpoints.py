"""Checkpoints of the journal's heads: at most one a minute, whoever of the instance writes it.

These rows are no evidence, for whoever has the database can delete them: they are what the
processes export, and whether anything has moved. So older ones may be thinned out. The journal,
which is what exported checkpoints are compared with, only ever grows.
"""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from wallet_core.audit.checkpoints import Head, opened_checkpoint, signed_checkpoint
from wallet_core.audit.receipts import moment
from wallet_core.audit.signing import NotProven, SigningKey
from wallet_core.ledger.posting import MICROSECONDS
from wallet_core.storage import audit_tables as at
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.insertion import insert_if_absent

_log = structlog.get_logger(__name__)

MINUTE_US = 60_000_000
#: Checkpoints in memory at a time, and deleted in one transaction.
PAGE_ROWS = 1000
_HOUR, _DAY = 60, 24 * 60


class StoredCheckpoint(msgspec.Struct, frozen=True):
    """A checkpoint in the database: the minute since the epoch that it is of, and its text."""

    minute: int
    signed: str


class Kept(msgspec.Struct, frozen=True):
    """For how many days every checkpoint stays, and then the last of each hour.

    After that the last of each day (UTC) stays for ever.
    """

    all_days: int
    hourly_days: int


class Checkpoints:
    """The checkpoints of an instance. All of it raises `StorageUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fresh(self, key: SigningKey) -> str:
        """Where all chains stand at this moment, signed; it is kept nowhere."""
        async with self._database.read() as connection:
            now_us = await self._database.now_us(connection)
            return signed_checkpoint(key, now_us, await _heads(connection))

    async def write(self, key: SigningKey) -> bool:
        """Keep a checkpoint of this minute; False where there is one, or nothing has moved."""
        async with self._database.write() as connection:
            now_us = await self._database.now_us(connection)
            heads = await _heads(connection)
            packed = msgspec.json.encode(heads)
            last = await _last(connection)
            minute = _next_minute(now_us, last)
            if not heads or minute is None or (last is not None and last.heads == packed):
                return False
            row = {
                "minute": minute,
                "heads": packed,
                "signed": signed_checkpoint(key, now_us, heads, minute),
            }
            # Of two processes in the same minute the first one is kept.
            statement = insert_if_absent(connection, at.checkpoints).values(row)
            written = (await connection.execute(statement)).rowcount == 1
        if written and last is not None and last.at_us > now_us:
            _log.warning(
                "checkpoint_clock_went_back",
                by_s=(last.at_us - now_us) // MICROSECONDS,
                advice="Look after the clock of the database's machine.",
            )
        return written

    async def newest(self) -> StoredCheckpoint | None:
        """The last one that was kept."""
        c = at.checkpoints.c
        query = sa.select(c.minute, c.signed).order_by(c.minute.desc()).limit(1)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else StoredCheckpoint(*row)

    async def after(self, minute: int) -> Sequence[StoredCheckpoint]:
        """The next checkpoints after a minute, oldest first."""
        c = at.checkpoints.c
        query = sa.select(c.minute, c.signed).where(c.minute > minute)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(c.minute).limit(PAGE_ROWS))
            return [StoredCheckpoint(*row) for row in rows]

    async def thin(self, kept: Kept, before_minute: int) -> int:
        """Drop what need not stay of the checkpoints before a minute; gives how many were dropped.

        The newest always stays. Each transaction is a short one, so that payments do not wait.
        """
        dropped = 0
        for days, span in ((kept.all_days, _HOUR), (kept.hourly_days, _DAY)):
            while True:
                count = await self._drop(days, span, before_minute)
                dropped += count
                if count < PAGE_ROWS:
                    break
        return dropped

    async def _drop(self, days: int, span: int, before_minute: int) -> int:
        """Some of those older than `days` that are not the last of their span of minutes."""
        c, later = at.checkpoints.c, at.checkpoints.alias("later").c
        end = c.minute - c.minute % span + span
        async with self._database.write() as connection:
            now_us = await self._database.now_us(connection)
            edge = min(before_minute, now_us // MINUTE_US - days * _DAY)
            some = (
                sa.select(c.minute)
                .where(c.minute < edge)
                .where(sa.exists().where(later.minute > c.minute, later.minute < end))
                .limit(PAGE_ROWS)
            )
            minutes = (await connection.execute(some)).scalars().all()
            if minutes:
                await connection.execute(sa.delete(at.checkpoints).where(c.minute.in_(minutes)))
            return len(minutes)


class _Last(msgspec.Struct, frozen=True):
    """The newest checkpoint; `at_us` is when it was made by the clock of then."""

    minute: int
    heads: bytes
    at_us: int


async def _last(connection: AsyncConnection) -> _Last | None:
    c = at.checkpoints.c
    newest = sa.select(c.minute, c.heads, c.signed).order_by(c.minute.desc()).limit(1)
    row = (await connection.execute(newest)).first()
    if row is None:
        return None
    try:
        at_us = moment(opened_checkpoint(row.signed).at)
    except (NotProven, ValueError):
        # A row is no evidence, and whatever somebody has made of it, the next one is written.
        at_us = row.minute * MINUTE_US
    return _Last(row.minute, bytes(row.heads), at_us)


def _next_minute(now_us: int, last: _Last | None) -> int | None:
    """The minute to write a checkpoint of; None where this one has its checkpoint.

    Minutes only grow, for by them checkpoints are exported. So after the clock was set back they
    are counted on from the newest, still one in a minute of the clock.
    """
    minute = now_us // MINUTE_US
    if last is None or last.minute < minute:
        return minute
    if minute in (last.minute, last.at_us // MINUTE_US):
        return None
    return last.minute + 1


async def _heads(connection: AsyncConnection) -> list[Head]:
    """All chains with a batch, in one statement: so they are of one moment."""
    c = t.chains.c
    query = sa.select(c.no, c.length, c.head).where(c.length > 0).order_by(c.no)
    return [
        Head(row.no, row.length, bytes(row.head).hex()) for row in await connection.execute(query)
    ]
