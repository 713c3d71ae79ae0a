"""Checkpoints of the journal's heads: at most one a minute, whoever of the instance writes it."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from wallet_core.audit.checkpoints import Head, signed_checkpoint
from wallet_core.audit.signing import SigningKey
from wallet_core.storage import audit_tables as at
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.insertion import insert_if_absent

MINUTE_US = 60_000_000
#: Checkpoints in memory at a time.
PAGE_ROWS = 1000


class StoredCheckpoint(msgspec.Struct, frozen=True):
    """A checkpoint in the database: the minute since the epoch that it is of, and its text."""

    minute: int
    signed: str


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
        c = at.checkpoints.c
        async with self._database.write() as connection:
            now_us = await self._database.now_us(connection)
            heads = await _heads(connection)
            newest = sa.select(c.minute, c.heads).order_by(c.minute.desc()).limit(1)
            last = (await connection.execute(newest)).first()
            minute, packed = now_us // MINUTE_US, msgspec.json.encode(heads)
            if not heads or (last and (last.minute >= minute or bytes(last.heads) == packed)):
                return False
            row = {
                "minute": minute,
                "heads": packed,
                "signed": signed_checkpoint(key, now_us, heads),
            }
            # Of two processes in the same minute the first one is kept.
            statement = insert_if_absent(connection, at.checkpoints).values(row)
            return (await connection.execute(statement)).rowcount == 1

    async def after(self, minute: int) -> Sequence[StoredCheckpoint]:
        """The next checkpoints after a minute, oldest first."""
        c = at.checkpoints.c
        query = sa.select(c.minute, c.signed).where(c.minute > minute)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(c.minute).limit(PAGE_ROWS))
            return [StoredCheckpoint(*row) for row in rows]


async def _heads(connection: AsyncConnection) -> list[Head]:
    """All chains with a batch, in one statement: so they are of one moment."""
    c = t.chains.c
    query = sa.select(c.no, c.length, c.head).where(c.length > 0).order_by(c.no)
    return [
        Head(row.no, row.length, bytes(row.head).hex()) for row in await connection.execute(query)
    ]
