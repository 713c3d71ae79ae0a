"""Reading many rows as they stood at one moment, page by page."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from wallet_core.audit.findings import unreadable_rows
from wallet_core.storage.database import Database

R = TypeVar("R", bound=msgspec.Struct)

#: Rows in memory at a time.
PAGE_ROWS = 1000


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection to which the database stands still, while others go on writing.

    Raises `StorageUnavailable` when the database is away.
    """
    async with database.read() as connection:
        if database.is_sqlite:
            await connection.exec_driver_sql("BEGIN")
        else:
            await connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection
        await connection.rollback()


async def pages(
    connection: AsyncConnection, query: sa.Executable, kind: type[R]
) -> AsyncGenerator[Sequence[R], None]:
    """The rows of `query`, whose columns are the fields of `kind` in their order."""
    stream = await connection.stream(query, execution_options={"yield_per": PAGE_ROWS})
    try:
        partitions = stream.partitions()
        while True:
            try:
                part = await anext(partitions, None)
            except (ValueError, TypeError) as error:
                # SQLite keeps in any column whatever it is given, also what is no UUID.
                raise unreadable_rows(kind.__name__, error) from error
            if part is None:
                return
            yield [kind(*row) for row in part]
    finally:
        await stream.close()


def big_sum(column: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """The sum of a number column, 0 of none; a whole number where PostgreSQL makes a decimal."""
    return sa.cast(sa.func.coalesce(sa.func.sum(column), 0), sa.BigInteger)
