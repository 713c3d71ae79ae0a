"""Runs batches on SQLite: one connection of its own, in one thread of its own.

A batch is run from its first request to its last without leaving the thread, so the price of a
thread's hop is paid once for all its commits.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa

from wallet_core.errors import StorageUnavailable
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
    uuid_places,
)
from wallet_core.storage.sqlite_connection import connect, stored, with_uuids

R = TypeVar("R")
Answer = Sequence[Row] | Opened | int | None
_CHAIN = 0
_ACCOUNT = """
SELECT a.id, a.no, a.balance_minor, a.version, a.spending, w.mode, w.fence, w.limits, w.limit_group
FROM accounts a LEFT JOIN wallets w ON w.id = a.wallet_id WHERE a.id = ?
"""
_UNIQUE = ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID")


class SqliteSession:
    """One connection to the file of a database; for `lasting` see `connect`."""

    exclusive = True

    def __init__(self, database: Database, *, lasting: bool = True) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-writer")
        self._transactions = SqliteTransactions(
            sa.make_url(database.url).database or "",
            database.clock_us,
            database.before_statement,
            lasting=lasting,
        )

    async def run(self, work: Work[R]) -> R:
        """Do `work` in one transaction; raises as `PostgresSession.run` does."""
        # SQLite lets one writer in at a time; inside one process a fair queue is quicker than its
        # sleeping and trying again.
        async with self._database.turn:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, self._transactions.run, work)

    async def run_unlocked(
        self, work: Work[R], _may_write: Callable[[], Awaitable[bool]] | None = None
    ) -> R:
        """The same: nobody else can write while this transaction is open, and there is one lane."""
        return await self.run(work)

    async def run_single(self, work: Work[R]) -> R:
        """The same: one request may be many statements here."""
        return await self.run(work)

    async def rest(self) -> None:
        """Nothing more is to be done for now."""

    async def close(self) -> None:
        """Close the connection."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._transactions.close)
        self._thread.shutdown(wait=False)

    async def drop(self) -> None:
        """Let the connection go; the next transaction makes a new one."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._transactions.close)


class SqliteTransactions:
    """The same without threads or tasks, for whoever wants to drive it step by step.

    `before` is called before each statement that is sent to the database; what it raises goes the
    way of the database's own errors.
    """

    def __init__(
        self,
        path: str,
        clock_us: Callable[[], int],
        before: Callable[[str], None] = lambda _sql: None,
        *,
        lasting: bool = True,
    ) -> None:
        self._path = path
        self._lasting = lasting
        self._clock_us = clock_us
        self._before = before
        self._connection: sqlite3.Connection | None = None

    def run(self, work: Work[R]) -> R:
        """Do `work` in one transaction; raises as `PostgresSession.run` does."""
        try:
            connection = self._connected()
            return self._in_transaction(connection, work)
        except sqlite3.IntegrityError as error:
            unique = getattr(error, "sqlite_errorname", "") in _UNIQUE
            table = str(error).rpartition(": ")[2].partition(".")[0]
            raise Conflict(str(error), unique=unique, table=table) from error
        except sqlite3.OperationalError as error:
            self.close()
            raise StorageUnavailable(f"The database did not answer: {error}") from error

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = connect(self._path, lasting=self._lasting)
            connection.execute(
                "INSERT OR IGNORE INTO chains (no, length, head) VALUES (?, 0, ?)",
                (_CHAIN, bytes(32)),
            )
            self._connection = connection
        return self._connection

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
        sql = "SELECT c.length, c.head, s.no FROM chains c, wallet_changes s WHERE c.no = ?"
        length, head, changes_no = self._execute(connection, sql, (_CHAIN,)).fetchone()
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
        return Opened(
            self._clock_us(), _CHAIN, length, head, accounts, transfers, commits, changes_no
        )

    def _write(self, connection: sqlite3.Connection, write: Write, *, checked: bool) -> None:
        match write:
            case Insert(table=table, columns=columns, rows=rows, if_absent=if_absent):
                self._many(connection, _insert_sql(table, columns, if_absent=if_absent),
                           _columns_stored(table, columns, rows))  # fmt: skip
            case Change():
                self._change(connection, write, checked=checked)
            case Run(statement=statement, keys=keys):
                each = [stored(key) for key in zip(*keys, strict=True)]
                self._many(connection, statement.sqlite, each)
            case Add():
                self._add(connection, write)
            case Check() if checked:
                self._check(connection, write)

    def _change(self, connection: sqlite3.Connection, write: Change, *, checked: bool) -> None:
        table, by, rows = write.table, write.by, write.rows
        first, after = len(by), len(by) + len(write.seen)
        # Where this transaction has read the rows nobody can have changed them since.
        seen = write.seen if checked else ()
        known = first + len(seen)
        turned = [(*row[after:], *row[:known]) for row in rows]
        values = _columns_stored(table, (*write.columns, *by, *seen), turned)
        count = self._many(connection, _update_sql(table, by, seen, write.columns), values)
        if write.exactly and count != len(rows):
            raise TryAgain(f"{table.name}: {count} of {len(rows)} rows were there")

    def _add(self, connection: sqlite3.Connection, add: Add) -> None:
        first, columns, by = len(add.by), add.columns, add.by
        turned = [(*row[first:], *row[:first]) for row in add.rows]
        sql = _add_sql(add.table, by, columns, add.within)
        count = self._many(connection, sql, [stored(row) for row in turned])
        if count != len(add.rows):
            raise TryAgain(f"{add.table.name}: {count} of {len(add.rows)} rows could be raised")

    def _check(self, connection: sqlite3.Connection, check: Check) -> None:
        same = [f"{name} IS ?" for name in (*check.by, *check.seen)]
        sql = f"SELECT 1 FROM {check.table.name} WHERE {' AND '.join(same)}"  # noqa: S608 - names of our own tables
        for row in check.rows:
            if self._execute(connection, sql, stored(row)).fetchone() is None:
                raise TryAgain(f"{check.table.name}: {row} is no longer so")

    def _execute(
        self, connection: sqlite3.Connection, sql: str, values: Sequence[Any] = ()
    ) -> sqlite3.Cursor:
        self._before(sql)
        return connection.execute(sql, values)

    def _many(self, connection: sqlite3.Connection, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        self._before(sql)
        return connection.executemany(sql, rows).rowcount


def _columns_stored(
    table: sa.Table, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]
) -> Sequence[Sequence[Any]]:
    for place in uuid_places(table, columns):
        # Most ids come as their digits already.
        if any(isinstance(row[place], UUID) for row in rows):
            return [stored(row) for row in rows]
    return rows


@lru_cache(maxsize=500)
def _insert_sql(table: sa.Table, columns: tuple[str, ...], *, if_absent: bool) -> str:
    marks = ", ".join("?" * len(columns))
    # Not OR IGNORE, which would pass over broken rules too.
    rest = " ON CONFLICT DO NOTHING" if if_absent else ""
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks}){rest}"  # noqa: S608 - names of our own tables


@lru_cache(maxsize=500)
def _update_sql(
    table: sa.Table, by: tuple[str, ...], seen: tuple[str, ...], columns: tuple[str, ...]
) -> str:
    sets = ", ".join(f"{name} = ?" for name in columns)
    match = " AND ".join([*(f"{name} = ?" for name in by), *(f"{name} IS ?" for name in seen)])
    return f"UPDATE {table.name} SET {sets} WHERE {match}"  # noqa: S608 - names of our own tables


@lru_cache(maxsize=500)
def _add_sql(
    table: sa.Table,
    by: tuple[str, ...],
    columns: tuple[str, ...],
    within: tuple[tuple[str, str], ...],
) -> str:
    """The values are what is added to each column, then the key."""
    places = {name: f"?{n}" for n, name in enumerate(columns, 1)}
    sets = ", ".join(f"{name} = {name} + {place}" for name, place in places.items())
    match = [f"{name} = ?{n}" for n, name in enumerate(by, len(columns) + 1)]
    match += [f"({most} IS NULL OR {name} + {places[name]} <= {most})" for name, most in within]
    return f"UPDATE {table.name} SET {sets} WHERE {' AND '.join(match)}"  # noqa: S608 - names of our own tables
