"""The database: SQLite or PostgreSQL behind one small door.

SQLite runs in WAL mode with synchronous=FULL: a commit that was acknowledged survives a power
cut. It has one writer at a time, so `write` takes the write lock at its beginning instead of
failing half-way. PostgreSQL runs READ COMMITTED; what must not change under a transaction is
locked in it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from inspect import signature
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from wallet_core.errors import PayontapError, StorageUnavailable
from wallet_core.storage.away import is_away, is_damaged
from wallet_core.storage.point_reads import (
    Keys,
    PointReads,
    PostgresPointReads,
    SqlitePointReads,
)
from wallet_core.storage.requests import CLOCK, Row, Statement
from wallet_core.storage.sqlite_connection import BUSY_TIMEOUT_S, PRAGMAS
from wallet_core.storage.steady import SteadyEngine

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UnusableAddress(PayontapError):
    """The database's address says what no connection can be made with."""


class Database:
    """One engine. `read` gives a connection that must not write; `write` a transaction."""

    def __init__(self, url: str, *, clock_us: Callable[[], int] | None = None) -> None:
        """`clock_us` stands in for SQLite's clock (its host's) in simulations."""
        self.clock_us = clock_us or (lambda: time.time_ns() // 1000)
        #: Called before each statement of the writer on SQLite; simulations fail there.
        self.before_statement: Callable[[str], None] = _undisturbed
        # SQLite lets one writer in at a time and has the others sleep and try again; inside one
        # process a fair queue is quicker.
        self.turn = asyncio.Lock()
        self.url = _with_async_driver(url)
        self.is_sqlite = self.url.startswith("sqlite")
        self.engine: AsyncEngine = (
            _sqlite_engine(self.url) if self.is_sqlite else _postgres_engine(self.url)
        )
        #: What is to be closed with it.
        self.closing: list[Callable[[], Awaitable[None]]] = []
        self._points: PointReads = (
            SqlitePointReads(sa.make_url(self.url).database or "")
            if self.is_sqlite
            else PostgresPointReads(driver_options(self.engine, self.url))
        )

    async def ask(self, statement: Statement, keys: Keys) -> Sequence[Row]:
        """Rows by their keys; `keys` has one sequence for each part of the key.

        Raises `StorageUnavailable` when the database is away.
        """
        return await self._points.ask(statement, keys)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading. Raises `StorageUnavailable` when the database is away."""
        with _told_apart():
            connection = await self.engine.connect().start()
            try:
                yield connection
            finally:
                await connection.close()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed at the end of the block, rolled back on any error.

        Raises `StorageUnavailable` when the database is away; after that it is unknown whether
        the transaction was committed, and the caller asks again under the same key.
        """
        with _told_apart():
            async with self.turn if self.is_sqlite else nullcontext():
                connection = await self.engine.connect().start()
                try:
                    if self.is_sqlite:
                        await connection.exec_driver_sql("BEGIN IMMEDIATE")
                    yield connection
                    await connection.commit()
                finally:
                    # Closing rolls back whatever was not committed.
                    await connection.close()

    async def now_us(self, connection: AsyncConnection) -> int:
        """The database's clock, in microseconds since the epoch. SQLite's is its host's."""
        if self.is_sqlite:
            return self.clock_us()
        result = await connection.exec_driver_sql(f"SELECT {CLOCK}")
        return int(result.scalar_one())

    async def close(self) -> None:
        """Close all connections."""
        while self.closing:
            await self.closing.pop()()
        await self._points.close()
        await self.engine.dispose()


@contextmanager
def _told_apart() -> Iterator[None]:
    """Errors of the database become `StorageUnavailable`; those of a statement stay as they are."""
    try:
        yield
    except DBAPIError as error:
        told = _told(error)
        if told is None:
            raise
        raise told from error
    except OSError as error:
        raise StorageUnavailable(f"The database did not answer: {error}") from error


def _told(error: DBAPIError) -> StorageUnavailable | None:
    """The error in our words, where it is the database's and not the statement's."""
    if is_damaged(error):
        return StorageUnavailable(
            f"The database is damaged ({error.orig}): restore a backup into an empty data folder."
        )
    if is_away(error):
        return StorageUnavailable(f"The database did not answer: {error}")
    return None


def driver_options(engine: AsyncEngine, url: str) -> dict[str, Any]:
    """What asyncpg is to be told to connect as the engine does. Raises `UnusableAddress`."""
    _, options = engine.dialect.create_connect_args(sa.make_url(url))
    for name in ("prepared_statement_cache_size", "prepared_statement_name_func"):
        options.pop(name, None)
    unknown = sorted(set(options) - set(signature(asyncpg.connect).parameters))
    if unknown:
        raise UnusableAddress(
            f"The database's address has {unknown[0]!r} in it, which asyncpg does not know: take "
            "it out."
        )
    return dict(options)


def _undisturbed(_sql: str) -> None:
    """Nothing comes between the writer and its database."""


def _with_async_driver(url: str) -> str:
    for plain, driver in (
        ("postgresql://", "postgresql+asyncpg://"),
        ("postgres://", "postgresql+asyncpg://"),
        ("sqlite://", "sqlite+aiosqlite://"),
    ):
        if url.startswith(plain):
            url = driver + url.removeprefix(plain)
            break
    return _with_ssl(url)


def _with_ssl(url: str) -> str:
    """The address with `ssl`, which is what asyncpg calls libpq's `sslmode`."""
    if "sslmode=" not in url:
        return url
    parts = sa.make_url(url)
    query = dict(parts.query)
    mode = query.pop("sslmode", None)
    if mode is not None:
        query.setdefault("ssl", mode)
    return parts.set(query=query).render_as_string(hide_password=False)


def _postgres_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True)
    return SteadyEngine(engine.sync_engine)


def _sqlite_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=8, connect_args={"timeout": BUSY_TIMEOUT_S})

    @sa.event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:
        # The driver's own implicit BEGIN is deferred; `write` begins by itself instead.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return SteadyEngine(engine.sync_engine)
