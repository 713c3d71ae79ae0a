"""SQLite without threads, for simulations: the same file, the same statements, no real time.

Readers get a connection that answers at once; how long that takes, and whether it fails, is the
simulation's to say.
"""

import asyncio
import hashlib
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from wallet_core.storage.append_only import create_all
from wallet_core.storage.database import Database
from wallet_core.storage.point_reads import Keys, rows_of
from wallet_core.storage.requests import Row, Statement
from wallet_core.storage.schema import metadata
from wallet_core.storage.sqlite_connection import connect

_IN_MEMORY = "/dev/shm"  # noqa: S108 - where files never meet a disk, if the machine has it


async def _at_once() -> None:
    """Nothing takes any time."""


class Stage:
    """A folder with a template of a database, and the one engine that reads copies of it.

    What the engine learned of statements in one run serves all later ones. A context manager.
    """

    def __init__(self) -> None:
        folder = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
        self._folder = TemporaryDirectory(prefix="payontap-simulation-", dir=folder)
        self._template = Path(self._folder.name) / "template.db"
        self.path = self._template
        self._engine = sa.create_engine("sqlite://", creator=self._connect, poolclass=NullPool)
        with self._engine.connect() as connection:
            create_all(connection)
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def set(self) -> sa.Connection:
        """A connection to a database on which nothing has happened yet; the last one is gone."""
        for name in ("run.db", "run.db-wal", "run.db-shm"):
            (Path(self._folder.name) / name).unlink(missing_ok=True)
        self.path = Path(self._folder.name) / "run.db"
        shutil.copyfile(self._template, self.path)
        return self._engine.connect()

    def look(self) -> sa.Connection:
        """A connection to the database of the last run."""
        return self._engine.connect()

    def _connect(self) -> sqlite3.Connection:
        return connect(str(self.path))


class SimulatedConnection:
    """What the readers use of an `AsyncConnection`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.dialect = connection.dialect

    async def execute(self, query: sa.Executable, *parameters: Any) -> sa.CursorResult[Any]:
        """Run a statement."""
        return self._connection.execute(query, *parameters)

    async def exec_driver_sql(self, sql: str, *values: Any) -> sa.CursorResult[Any]:
        """Run a statement in the database's own words."""
        return self._connection.exec_driver_sql(sql, *values)

    async def stream(self, query: sa.Executable, **_options: Any) -> "_Stream":
        """The rows of a query, in parts."""
        return _Stream(self._connection.execute(query))

    async def rollback(self) -> None:
        """Give up what was begun."""
        self._connection.exec_driver_sql("ROLLBACK")


class _Stream:
    def __init__(self, result: sa.CursorResult[Any]) -> None:
        self._result = result

    async def partitions(self) -> AsyncIterator[Sequence[sa.Row[Any]]]:
        yield self._result.all()

    async def close(self) -> None:
        self._result.close()


class SimulatedDatabase(Database):
    """A process's view of the file that is set on the stage.

    `reach` is awaited before a question and after an answer; what it raises is a failure.
    """

    def __init__(
        self,
        stage: Stage,
        connection: sa.Connection,
        *,
        clock_us: Callable[[], int],
        before_statement: Callable[[str], None] = lambda _sql: None,
        before: Callable[[], Awaitable[None]] = _at_once,
        after: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        self.clock_us = clock_us
        self.turn = asyncio.Lock()
        self.url = f"sqlite+aiosqlite:///{stage.path}"
        self.is_sqlite = True
        self.before_statement = before_statement
        self.closing = []
        self._connection = connection
        self._before = before
        self._after = after

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        """A connection for reading."""
        await self._before()
        yield SimulatedConnection(self._connection)
        await self._after()

    async def ask(self, statement: Statement, keys: Keys) -> Sequence[Row]:
        """Rows by their keys."""
        await self._before()
        rows = rows_of(_driver(self._connection), statement, keys)
        await self._after()
        return rows

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        """One transaction; nobody else runs between its beginning and its end."""
        await self._before()
        _driver(self._connection).execute("BEGIN IMMEDIATE")
        try:
            yield SimulatedConnection(self._connection)
        except BaseException:
            _driver(self._connection).execute("ROLLBACK")
            raise
        _driver(self._connection).execute("COMMIT")
        await self._after()

    async def keep(self, event_id: str, body: bytes) -> None:
        """Keep an event, once, as `Inbox.keep` does."""
        async with self.write():
            _driver(self._connection).execute(
                "INSERT INTO inbox (event_id, body, state, tries, received_at_us) "
                "VALUES (?, ?, 'waiting', 0, ?) ON CONFLICT DO NOTHING",
                (event_id, body, self.clock_us()),
            )

    async def outcome(self, key: str) -> str | None:
        """What stands under a commit's key, as `written_outcome` says it."""
        async with self.read():
            return written_outcome(self._connection, key)

    async def close(self) -> None:
        """Close what was opened beside; the connection is the stage's."""
        while self.closing:
            await self.closing.pop()()


def all_rows(connection: sa.Connection, table: str) -> Sequence[sa.Row[Any]]:
    """Every row of a table, by its key."""
    found = metadata.tables[table]
    return connection.execute(sa.select(found).order_by(*found.primary_key.columns)).all()


def database_error(sentence: str) -> Exception:
    """What the driver raises when the database fails."""
    return sqlite3.OperationalError(sentence)


def fences(connection: sa.Connection) -> dict[str, int]:
    """The fence of each wallet."""
    return dict(_driver(connection).execute("SELECT id, fence FROM wallets").fetchall())


def commits_after(connection: sa.Connection, place: int) -> Sequence[tuple[int, str, str]]:
    """Place, key and result of the commits that were written after the one at `place`."""
    sql = "SELECT rowid, key, result FROM commits WHERE rowid > ? ORDER BY rowid"
    return _driver(connection).execute(sql, (place,)).fetchall()


def written_outcome(connection: sa.Connection, key: str) -> str | None:
    """`done` or the refusal that stands under a commit's key, None for nothing."""
    sql = "SELECT coalesce(refusal, 'done') FROM commits WHERE key = ?"
    row = _driver(connection).execute(sql, (key,)).fetchone()
    return None if row is None else str(row[0])


def _driver(connection: sa.Connection) -> sqlite3.Connection:
    """Without SQLAlchemy, for what is asked all the time."""
    driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    return driver


def digest(connection: sa.Connection) -> str:
    """A hash over every row of every table: equal databases have equal digests."""
    summed = hashlib.sha256()
    for line in _lines(connection):
        summed.update(line.encode())
    return summed.hexdigest()


def _lines(connection: sa.Connection) -> Iterator[str]:
    for name in sorted(metadata.tables):
        keys = ", ".join(column.name for column in metadata.tables[name].primary_key.columns)
        rows = connection.exec_driver_sql(f"SELECT * FROM {name} ORDER BY {keys}")  # noqa: S608 - names of our own tables
        for row in rows:
            yield f"{name} {tuple(row)!r}\n"
