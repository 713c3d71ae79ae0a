"""Short transactions beside the writer's, by the driver itself: for the inbox and the outbox.

They are written as the writer's batches are (`requests.py`), so the same lines run on both
databases; they touch no money and so they need neither the chain of the journal nor retries.
"""

import asyncio
from typing import TypeVar

import asyncpg

from wallet_core.errors import StorageUnavailable
from wallet_core.storage.database import Database, driver_options
from wallet_core.storage.postgres_session import _PLAN_BY_KEYS, PostgresSession
from wallet_core.storage.requests import TryAgain, Work
from wallet_core.storage.sqlite_session import SqliteSession

R = TypeVar("R")

_ANSWER_WITHIN_S = 60.0


class Transactions:
    """One connection; transactions on it take turns. It is closed with its database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Lock()
        self._session: SqliteSession | UnchainedSession | None = None

    async def run(self, work: Work[R]) -> R:
        """Do `work` in one transaction.

        Raises `StorageUnavailable`, after which it is unknown whether it was written; `Conflict`
        where a rule of the database forbids it; and whatever the driver says of a bad value.
        """
        async with self._turn:
            if self._session is None:
                database = self._database
                self._session = (
                    SqliteSession(database) if database.is_sqlite else UnchainedSession(database)
                )
                database.closing.append(self._session.close)
            try:
                return await self._session.run(work)
            except TryAgain as error:
                raise StorageUnavailable(f"The database gave up: {error}") from error


class UnchainedSession(PostgresSession):
    """A session that writes nothing into the journal."""

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._begun = False
            options = driver_options(self._database.engine, self._database.url)
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                connection = await asyncpg.connect(
                    **options, command_timeout=_ANSWER_WITHIN_S, statement_cache_size=100
                )
            await connection.execute(_PLAN_BY_KEYS)
            self._connection = connection
        return self._connection
