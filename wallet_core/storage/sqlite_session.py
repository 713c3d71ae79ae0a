"""Runs batches on SQLite: one connection of its own, in one thread of its own.

A batch that reads much is run there from its first request to its last, so that the price of a
thread's hop is paid once for all its commits. One that was decided on what is remembered goes there
to be written, while the next one is decided.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa

from wallet_core.errors import StorageUnavailable
from wallet_core.storage import sqlite_writes
from wallet_core.storage.database import Database
from wallet_core.storage.requests import (
    Add,
    Ask,
    Change,
    Check,
    Conflict,
    Insert,
    Open,
    Opened,
    OpenFree,
    Request,
    Row,
    Run,
    Save,
    TryAgain,
    Turn,
    Work,
    Write,
)
from wallet_core.storage.sqlite_connection import connect, stored, with_uuids

A = TypeVar("A")
R = TypeVar("R")
Answer = Sequence[Row] | Opened | int | None
_ACCOUNT = """
SELECT a.id, a.no, a.balance_minor, a.version, a.newest_entry_no, a.spending,
  w.mode, w.fence, w.limits, w.limit_group
FROM accounts a LEFT JOIN wallets w ON w.id = a.wallet_id WHERE a.id = ?
"""
_CHAIN = "SELECT c.length, c.head, s.no FROM chains c, wallet_changes s WHERE c.no = ?"
_UNIQUE = ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID")


class SqliteThread:
    """One connection in a thread of its own, for sessions that take turns on it.

    What a connection keeps of the file in memory is worthless once another one has written, so
    those of one writer share theirs. For `lasting` see `connect`.
    """

    def __init__(self, database: Database, *, lasting: bool = True) -> None:
        self._path = sa.make_url(database.url).database or ""
        self._lasting = lasting
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-writer")
        self._connection: sqlite3.Connection | None = None
        self._sessions = 0

    async def do(self, work: Callable[..., A], *arguments: object) -> A:
        """Call `work` in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)

    def connection(self) -> sqlite3.Connection:
        """The connection, made anew where there is none; in the thread only."""
        if self._connection is None:
            self._connection = connect(self._path, lasting=self._lasting)
        return self._connection

    def drop(self) -> None:
        """Let the connection go; in the thread only."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def join(self) -> None:
        """One more session is on it."""
        self._sessions += 1

    async def leave(self) -> None:
        """A session is over; with the last one the connection goes, and the thread ends."""
        self._sessions -= 1
        if not self._sessions:
            await self.do(self.drop)
            self._executor.shutdown(wait=False)


class SqliteSession:
    """Runs batches on the connection of a `thread`, its own or one that it shares.

    `chain_no` is the chain of the journal that it writes on. Another process may write there too,
    which costs both of them time and nothing else.
    """

    exclusive = True

    def __init__(self, database: Database, thread: SqliteThread, *, chain_no: int = 0) -> None:
        self._database = database
        self._thread = thread
        self._transactions = SqliteTransactions(
            thread, database.clock_us, database.before_statement, chain_no=chain_no
        )
        thread.join()

    async def run(self, work: Work[R]) -> R:
        """Do `work` in one transaction; raises as `PostgresSession.run` does."""
        # SQLite lets one writer in at a time; inside one process a fair queue is quicker than its
        # sleeping and trying again.
        async with self._database.turn:
            return await self._thread.do(self._transactions.run, work)

    async def run_unlocked(self, work: Work[R], may_write: Callable[[], Awaitable[bool]]) -> R:
        """Do `work` without keeping others from writing until it writes itself.

        Before it writes, or asks for its turn, `may_write` is awaited. Raises as `run` does, and
        `TryAgain` where that said no, or somebody else was quicker.
        """
        answer, begun = None, False
        while True:
            try:
                request = work.send(answer)
            except StopIteration as stop:
                result: R = stop.value
                return result
            if not begun and isinstance(request, Save | Turn):
                begun = await may_write()
                if not begun:
                    raise TryAgain("What it was decided on was not written.")
            if isinstance(request, Save):
                answer = await self.run(_only(request))
            elif not isinstance(request, Turn):
                answer = await self._thread.do(self._transactions.read, request)

    async def run_single(self, work: Work[R]) -> R:
        """The same: one request may be many statements here."""
        return await self.run(work)

    async def rest(self) -> None:
        """Nothing more is to be done for now."""

    async def close(self) -> None:
        """Close the connection, if nobody else is on it."""
        await self._thread.leave()

    async def drop(self) -> None:
        """Let the connection go; the next transaction makes a new one."""
        await self._thread.do(self._thread.drop)


def _only(request: Request) -> Work[Answer]:
    """A transaction that is one request."""
    answer: Answer = yield request
    return answer


class SqliteTransactions:
    """What a session does in its `thread`.

    `before` is called before each statement that is sent to the database; what it raises goes the
    way of the database's own errors.
    """

    def __init__(
        self,
        thread: SqliteThread,
        clock_us: Callable[[], int],
        before: Callable[[str], None],
        *,
        chain_no: int,
    ) -> None:
        self._thread = thread
        self._clock_us = clock_us
        self._before = before
        self._chain_no = chain_no
        self._has_chain = False

    def run(self, work: Work[R]) -> R:
        """Do `work` in one transaction; raises as `PostgresSession.run` does."""
        with self._told():
            return self._in_transaction(self._connected(), work)

    def read(self, request: Request) -> Answer:
        """The answer to one question, outside of any transaction; raises as `run` does."""
        with self._told():
            return self._answer(self._connected(), request)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """The driver's errors in our words."""
        try:
            yield
        except sqlite3.IntegrityError as error:
            unique = getattr(error, "sqlite_errorname", "") in _UNIQUE
            table = str(error).rpartition(": ")[2].partition(".")[0]
            raise Conflict(str(error), unique=unique, table=table) from error
        except sqlite3.OperationalError as error:
            self._thread.drop()
            raise StorageUnavailable(f"The database did not answer: {error}") from error

    def _connected(self) -> sqlite3.Connection:
        connection = self._thread.connection()
        if not self._has_chain:
            connection.execute(
                "INSERT OR IGNORE INTO chains (no, length, head) VALUES (?, 0, ?)",
                (self._chain_no, bytes(32)),
            )
            self._has_chain = True
        return connection

    def _in_transaction(self, connection: sqlite3.Connection, work: Work[R]) -> R:
        self._execute(connection, "BEGIN IMMEDIATE")
        try:
            result = self._answered(connection, work)
            self._execute(connection, "COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    def _answered(self, connection: sqlite3.Connection, work: Work[R]) -> R:
        answer: Answer = None
        while True:
            try:
                request = work.send(answer)
            except StopIteration as stop:
                result: R = stop.value
                return result
            answer = self._answer(connection, request)

    def _answer(self, connection: sqlite3.Connection, request: Request) -> Answer:
        match request:
            case Ask(statement=statement, keys=keys):
                sql, uuids = statement.sqlite, statement.uuids
                rows = [
                    row
                    for key in zip(*keys, strict=True)
                    for row in self._execute(connection, sql, stored(key)).fetchall()
                ]
                return with_uuids(rows, uuids)
            case Open():
                return self._open(connection, request)
            case Save(writes=writes, checked=checked):
                for write in writes:
                    self._write(connection, write, checked=checked)
                return 0
            case OpenFree():
                raise TypeError("nobody else writes here, so there is nothing to leave out")
            case Turn():
                return None

    def _open(self, connection: sqlite3.Connection, request: Open) -> Opened:
        length, head, changes_no = self._execute(connection, _CHAIN, (self._chain_no,)).fetchone()
        accounts = [
            row
            for account_id in request.account_ids
            for row in self._execute(connection, _ACCOUNT, (account_id,)).fetchall()
        ]
        transfers = {}
        for name in request.transfer_ids:
            sql = "SELECT fingerprint FROM transfers WHERE id = ?"
            row = self._execute(connection, sql, (name.hex,)).fetchone()
            if row is not None:
                transfers[name.int] = row[0]
        commits = []
        for key in request.keys:
            sql = (
                "SELECT key, fingerprint, refusal, result, created_at_us FROM commits WHERE key = ?"
            )
            row = self._execute(connection, sql, (key,)).fetchone()
            if row is not None:
                commits.append(row)
        chain = self._chain_no, length, head
        return Opened(self._clock_us(), *chain, accounts, transfers, commits, changes_no)

    def _write(self, connection: sqlite3.Connection, write: Write, *, checked: bool) -> None:
        match write:
            case Insert():
                self._many(connection, *sqlite_writes.insert(write))
            case Change(table=table, rows=rows, exactly=exactly):
                # Where this transaction has read the rows nobody can have changed them since.
                count = self._many(connection, *sqlite_writes.change(write, checked=checked))
                if exactly and count != len(rows):
                    raise TryAgain(f"{table.name}: {count} of {len(rows)} rows were there")
            case Run(statement=statement, keys=keys):
                each = [stored(key) for key in zip(*keys, strict=True)]
                self._many(connection, statement.sqlite, each)
            case Add(table=table, rows=rows):
                count = self._many(connection, *sqlite_writes.add(write))
                if count != len(rows):
                    raise TryAgain(f"{table.name}: {count} of {len(rows)} rows could be raised")
            case Check(table=table, rows=rows) if checked:
                sql, runs = sqlite_writes.check(write)
                count = sum(self._execute(connection, sql, each).fetchone()[0] for each in runs)
                if count != len(rows):
                    raise TryAgain(f"{table.name}: {count} of {len(rows)} rows are still so")

    def _execute(
        self, connection: sqlite3.Connection, sql: str, values: Sequence[Any] = ()
    ) -> sqlite3.Cursor:
        self._before(sql)
        return connection.execute(sql, values)

    def _many(self, connection: sqlite3.Connection, sql: str, runs: Sequence[Sequence[Any]]) -> int:
        self._before(sql)
        return connection.executemany(sql, runs).rowcount
