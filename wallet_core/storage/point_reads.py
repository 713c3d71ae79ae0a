"""Reading single rows by their keys, by the driver itself.

An event asks for a dozen rows by their keys. SQLAlchemy's share of such a question is ten times the
database's own, and with SQLite each of its steps is a hop to another thread and back. Here SQLite
answers at once, on the event loop: the rows of a key are found in a few hundredths of a
millisecond, and in WAL mode no writer keeps a reader waiting. PostgreSQL gets arrays of keys.
"""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from wallet_core.errors import StorageUnavailable
from wallet_core.storage import sqlite_connection
from wallet_core.storage.away import AWAY_ERRORS
from wallet_core.storage.postgres_connection import Connection, connect
from wallet_core.storage.requests import Row, Statement
from wallet_core.storage.sqlite_connection import stored, with_uuids
from wallet_core.storage.steady import to_its_end

#: One part of the key each.
Keys = tuple[Sequence[Any], ...]

_CONNECTIONS_MAX = 4
_BUSY_WITHIN_S = 1.0


class PointReads(Protocol):
    """Asks for rows by their keys, outside of any transaction."""

    async def ask(self, statement: Statement, keys: Keys) -> Sequence[Row]:
        """The rows. Raises `StorageUnavailable`."""

    async def close(self) -> None:
        """Close the connections."""


class SqlitePointReads:
    """One connection for reading, on the thread of the event loop."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    async def ask(self, statement: Statement, keys: Keys) -> Sequence[Row]:
        """See `PointReads`."""
        try:
            if self._connection is None:
                self._connection = sqlite_connection.connect(
                    self._path, timeout_s=_BUSY_WITHIN_S, read_only=True
                )
            return rows_of(self._connection, statement, keys)
        except sqlite3.OperationalError as error:
            await self.close()
            raise StorageUnavailable(f"The database did not answer: {error}") from error

    async def close(self) -> None:
        """See `PointReads`."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def rows_of(connection: sqlite3.Connection, statement: Statement, keys: Keys) -> Sequence[Row]:
    """The rows of all keys, asked key by key on a connection of the driver's own."""
    rows: list[Row] = []
    for key in zip(*keys, strict=True):
        rows += connection.execute(statement.sqlite, stored(key)).fetchall()
    return with_uuids(rows, statement.uuids)


class PostgresPointReads:
    """A few connections for reading; `options` are the driver's for a new one."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._idle: list[Connection] = []
        self._places = asyncio.Semaphore(_CONNECTIONS_MAX)

    async def ask(self, statement: Statement, keys: Keys) -> Sequence[Row]:
        """See `PointReads`."""
        try:
            async with self._places:
                # Whoever is cancelled would leave the driver in the middle of something.
                return await to_its_end(self._asked(statement, keys))
        except AWAY_ERRORS as error:
            self._drop_idle()
            raise StorageUnavailable(f"The database did not answer: {error}") from error

    async def _asked(self, statement: Statement, keys: Keys) -> Sequence[Row]:
        connection = await self._taken()
        try:
            rows = await connection.fetch(statement.postgres, *keys)
        except BaseException:
            connection.terminate()
            raise
        self._idle.append(connection)
        return rows

    async def _taken(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return await connect(self._options, read_only=True)

    def _drop_idle(self) -> None:
        # The server went away: those that wait here are as dead as the one that was asked.
        while self._idle:
            self._idle.pop().terminate()

    async def close(self) -> None:
        """See `PointReads`."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                await connection.close(timeout=5)
