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
from wallet_core.storage.sqlite_session import SqliteSession, SqliteThread
from wallet_core.storage.steady import to_its_end

R = TypeVar("R")


class Transactions:
    """One connection; transactions on it take turns. It is closed with its database.

    `turn` names a lock of PostgreSQL's under which they take turns with those of other processes
    too; SQLite lets one in at a time anyway. What is not `lasting` is there for everybody at once,
    and may be gone after a power cut: then nobody waits for the disk.
    """

    def __init__(
        self, database: Database, *, turn: int | None = None, lasting: bool = True
    ) -> None:
        self._database = database
        self._begin = "BEGIN"
        if turn is not None:
            # Before anything is read: each statement sees what was committed before it began.
            self._begin += f"; SELECT pg_advisory_xact_lock({turn})"
        self._lasting = lasting
        self._turn = asyncio.Lock()
        self._session: SqliteSession | PostgresSession | None = None

    async def run(self, work: Work[R], *, single: bool = False) -> R:
        """Do `work` in one transaction; one that is a `single` request is one by itself.

        Raises `StorageUnavailable`, after which it is unknown whether it was written; `Conflict`
        where a rule of the database forbids it; and whatever the driver says of a bad value.
        """
        # Whoever is cancelled would leave the connection in the middle of something.
        return await to_its_end(self._run(work, single=single))

    async def _run(self, work: Work[R], *, single: bool) -> R:
        async with self._turn:
            session = self._session or self._connected()
            try:
                return await (session.run_single(work) if single else session.run(work))
            except TryAgain as error:
                raise StorageUnavailable(f"The database gave up: {error}") from error

    def _connected(self) -> SqliteSession | PostgresSession:
        database = self._database
        if database.is_sqlite:
            thread = SqliteThread(database, lasting=self._lasting)
            self._session = SqliteSession(database, thread)
        else:
            self._session = PostgresSession(
                database, chained=False, begin=self._begin, lasting=self._lasting
            )
        database.closing.append(self._session.close)
        return self._session
