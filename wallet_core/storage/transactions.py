"""Short transactions beside the writer's, by the driver itself: for the inbox and the outbox.

They are written as the writer's batches are (`requests.py`), so the same lines run on both
databases; they touch no money and so they need neither the chain of the journal nor retries.
"""

import asyncio
from typing import TypeVar

from wallet_core.errors import StorageUnavailable
from wallet_core.storage.database import Database
from wallet_core.storage.postgres_session import PostgresSession
from wallet_core.storage.requests import TryAgain, Work
from wallet_core.storage.sqlite_session import SqliteSession
from wallet_core.storage.steady import to_its_end

R = TypeVar("R")


class Transactions:
    """One connection; transactions on it take turns. It is closed with its database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Lock()
        self._session: SqliteSession | PostgresSession | None = None

    async def run(self, work: Work[R]) -> R:
        """Do `work` in one transaction.

        Raises `StorageUnavailable`, after which it is unknown whether it was written; `Conflict`
        where a rule of the database forbids it; and whatever the driver says of a bad value.
        """
        # Whoever is cancelled would leave the connection in the middle of something.
        return await to_its_end(self._run(work))

    async def _run(self, work: Work[R]) -> R:
        async with self._turn:
            if self._session is None:
                database = self._database
                self._session = (
                    SqliteSession(database)
                    if database.is_sqlite
                    else PostgresSession(database, chained=False)
                )
                database.closing.append(self._session.close)
            try:
                return await self._session.run(work)
            except TryAgain as error:
                raise StorageUnavailable(f"The database gave up: {error}") from error
