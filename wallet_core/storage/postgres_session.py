"""Runs batches on PostgreSQL: one connection of its own, prepared statements, arrays.

SQLAlchemy's share of a batch was many times that of the database itself, so the writer speaks with
the driver directly. Whatever a batch writes goes there as one statement, so that a transaction
takes a handful of round trips however much is in it.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeVar, cast

import asyncpg
import sqlalchemy as sa

from wallet_core.errors import StorageUnavailable
from wallet_core.storage.database import Database
from wallet_core.storage.requests import (
    Ask,
    Change,
    Conflict,
    Insert,
    Open,
    Opened,
    Request,
    Row,
    Run,
    Save,
    TryAgain,
    Work,
    pg_type,
)

R = TypeVar("R")
Answer = Sequence[Row] | Opened | None
Write = Insert | Change | Run


class Connection(Protocol):
    """What is used of the driver's connection; it ships no types."""

    async def fetch(self, query: str, *arguments: object) -> list[Row]:
        """All rows."""

    async def fetchrow(self, query: str, *arguments: object) -> Row:
        """The first row."""

    async def fetchval(self, query: str, *arguments: object) -> object:
        """The first value of the first row."""

    async def execute(self, query: str, *arguments: object) -> str:
        """No rows."""

    async def close(self, *, timeout: float) -> None:  # noqa: ASYNC109 - the driver's name
        """Say good-bye and close."""

    def terminate(self) -> None:
        """Close at once."""

    def is_closed(self) -> bool:
        """Whether it is closed."""


#: With keys in arrays the planner cannot know how few rows they are; a plan that reads whole tables
#: was three times slower in the median and came and went by itself.
_PLAN_BY_KEYS = (
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; "
    "SET jit = off; SET plan_cache_mode = force_generic_plan"
)
#: Names the locks of chains among all advisory locks.
_CHAIN_LOCKS = 7_296_011
_CHAINS_MAX = 256
_ANSWER_WITHIN_S = 60.0

_ACCOUNT, _CHAIN, _TRANSFER, _COMMIT = range(4)
_CLOCK = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
# One kind of row for all: what it is, an id, four numbers, bytes, four texts.
_OPEN = f"""
WITH a AS MATERIALIZED (
  SELECT a.id, a.no, a.balance_minor, a.version, a.spending, w.mode, w.fence, w.limits,
    w.limit_group
  FROM accounts a LEFT JOIN wallets w ON w.id = a.wallet_id
  WHERE a.id = ANY($4::text[]) ORDER BY a.no FOR NO KEY UPDATE OF a
)
SELECT {_ACCOUNT}, NULL::uuid, a.no, a.balance_minor, a.version, a.fence, a.spending,
    a.id::text, a.mode::text, a.limits, a.limit_group::text FROM a
UNION ALL SELECT {_CHAIN}, NULL, c.length, {_CLOCK}, 0, 0, c.head, NULL, NULL, NULL, NULL
  FROM chains c WHERE c.no = $1
UNION ALL SELECT {_TRANSFER}, t.id, 0, 0, 0, 0, t.fingerprint, NULL, NULL, NULL, NULL
  FROM transfers t WHERE t.id = ANY($2::uuid[])
UNION ALL SELECT {_COMMIT}, NULL, m.created_at_us, 0, 0, 0, m.fingerprint, m.key, m.refusal,
    m.result, NULL
  FROM commits m WHERE m.key = ANY($3::text[])
"""  # noqa: S608 - no value of anybody's is in it


class PostgresSession:
    """One connection, made anew when it was lost.

    `more` tells whether another batch waits already: then a transaction ends and the next one
    begins in one round trip.
    """

    def __init__(self, database: Database, *, more: Callable[[], bool] = lambda: False) -> None:
        self._database = database
        self._more = more
        # Whether a transaction has begun in which nothing was done yet.
        self._begun = False
        self._connection: Connection | None = None
        # The chain of the journal that it writes on.
        self._chain_no = 0

    async def run(self, work: Work[R]) -> R:
        """Do `work` in one transaction.

        Raises `Conflict`, `TryAgain`, or `StorageUnavailable`, after which it is unknown whether
        it was written; and whatever `work` raises.
        """
        try:
            connection = await self._connected()
            return await self._in_transaction(connection, work)
        except (
            asyncpg.PostgresConnectionError,
            asyncpg.InterfaceError,
            asyncpg.CannotConnectNowError,
            asyncpg.OperatorInterventionError,
            asyncpg.InsufficientResourcesError,
            asyncpg.ObjectNotInPrerequisiteStateError,
            TimeoutError,
            OSError,
        ) as error:
            await self.drop()
            raise StorageUnavailable(f"The database did not answer: {error}") from error
        except asyncpg.IntegrityConstraintViolationError as error:
            unique = isinstance(error, asyncpg.UniqueViolationError)
            table = getattr(error, "table_name", None) or ""
            raise Conflict(str(error), unique=unique, table=table) from error
        except asyncpg.TransactionRollbackError as error:
            raise TryAgain(str(error)) from error

    async def rest(self) -> None:
        """Nothing more is to be done for now: leave no transaction open."""
        if not self._begun or self._connection is None:
            return
        self._begun = False
        try:
            await self._connection.execute("COMMIT")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, OSError):
            # Nothing was done in it; the next batch connects anew.
            await self.drop()

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close(timeout=5)

    async def drop(self) -> None:
        """Let a connection go that nobody knows the state of."""
        self._begun = False
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _in_transaction(self, connection: Connection, work: Work[R]) -> R:
        if not self._begun:
            await connection.execute("BEGIN")
        self._begun = False
        try:
            result = await self._answered(connection, work)
            chain = self._more()
            await connection.execute("COMMIT AND CHAIN" if chain else "COMMIT")
            self._begun = chain
        except BaseException:
            if not connection.is_closed():
                await connection.execute("ROLLBACK")
            raise
        return result

    async def _answered(self, connection: Connection, work: Work[R]) -> R:
        answer: Answer = None
        while True:
            try:
                request = work.send(answer)
            except StopIteration as stop:
                result: R = stop.value
                return result
            answer = await self._answer(connection, request)

    async def _answer(self, connection: Connection, request: Request) -> Answer:
        match request:
            case Ask(statement=statement, keys=keys):
                return await connection.fetch(statement.postgres, *keys)
            case Open():
                return await self._open(connection, request)
            case Save(writes=writes):
                await self._save(connection, writes)
                return None

    async def _open(self, connection: Connection, request: Open) -> Opened:
        rows = await connection.fetch(
            _OPEN, self._chain_no, request.transfer_ids, request.keys, request.account_ids
        )
        now_us, length, head = 0, 0, b""
        accounts: list[Row] = []
        transfers: dict[int, bytes] = {}
        commits = []
        for kind, name, one, two, three, four, mark, text, second, third, fourth in rows:
            if kind == _ACCOUNT:
                accounts.append((text, one, two, three, mark, second, four, third, fourth))
            elif kind == _TRANSFER:
                transfers[name.int] = mark
            elif kind == _COMMIT:
                commits.append((text, mark, second, third, one))
            else:
                now_us, length, head = two, one, mark
        return Opened(now_us, self._chain_no, length, head, accounts, transfers, commits)

    async def _save(self, connection: Connection, writes: Sequence[Write]) -> None:
        if not writes:
            return
        arrays: list[Any] = []
        for write in writes:
            if isinstance(write, Run):
                arrays.extend(write.keys)
            else:
                names = write.columns if isinstance(write, Insert) else (*write.by, *write.columns)
                columns = zip(*write.rows, strict=True)
                arrays.extend(map(_array, _whole_numbers(write.table, names), columns))
        counts = await connection.fetchrow(_save_sql(tuple(map(_shape, writes))), *arrays)
        for write, count in zip(writes, counts, strict=True):
            if isinstance(write, Change) and write.exactly and count != len(write.rows):
                raise TryAgain(f"{write.table.name}: {count} of {len(write.rows)} rows were there")

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._begun = False
            connection = await _connect(self._database)
            try:
                await connection.execute(_PLAN_BY_KEYS)
                self._chain_no = await _chain_of(connection)
            except BaseException:
                connection.terminate()
                raise
            self._connection = connection
        return self._connection


async def _connect(database: Database) -> Connection:
    url = sa.make_url(database.url)
    _, options = database.engine.dialect.create_connect_args(url)
    for name in ("prepared_statement_cache_size", "prepared_statement_name_func"):
        options.pop(name, None)
    async with asyncio.timeout(_ANSWER_WITHIN_S):
        connection = await asyncpg.connect(
            **options, command_timeout=_ANSWER_WITHIN_S, statement_cache_size=500
        )
    return cast("Connection", connection)


async def _chain_of(connection: Connection) -> int:
    """The lowest chain that no other writer has; the connection's end sets it free again.

    Where all are taken several writers share one, which costs them time and nothing else.
    """
    for no in range(_CHAINS_MAX):
        if await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", _CHAIN_LOCKS, no):
            break
    else:
        no = _CHAINS_MAX - 1
    await connection.execute(
        "INSERT INTO chains (no, length, head) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING",
        no,
        bytes(32),
    )
    return no


def _shape(write: Write) -> tuple[Any, ...]:
    match write:
        case Insert(table=table, columns=columns, if_absent=if_absent):
            return ("insert", table, columns, if_absent)
        case Change(table=table, by=by, columns=columns):
            return ("change", table, by, columns)
        case Run(statement=statement, keys=keys):
            return ("run", statement.postgres, len(keys))


@lru_cache(maxsize=1000)
def _save_sql(shapes: tuple[tuple[Any, ...], ...]) -> str:
    """All writes as parts of one statement that answers how many rows each of them touched."""
    parts, number = [], 0
    for shape in shapes:
        sql, used = _part(shape, number)
        parts.append(sql)
        number += used
    named = ", ".join(f"w{n} AS ({sql})" for n, sql in enumerate(parts))
    counts = ", ".join(f"(SELECT count(*) FROM w{n})" for n in range(len(parts)))  # noqa: S608 - names of parts
    return f"WITH {named} SELECT {counts}"


def _part(shape: tuple[Any, ...], before: int) -> tuple[str, int]:
    """One write, whose arrays are numbered from `before`, and how many those are."""
    kind = shape[0]
    if kind == "run":
        _, sql, count = shape
        for n in range(count, 0, -1):
            sql = sql.replace(f"${n}:", f"${before + n}:")
        return sql, count
    if kind == "insert":
        _, table, columns, if_absent = shape
        names = ", ".join(columns)
        rest = " ON CONFLICT DO NOTHING" if if_absent else ""
        arrays = _arrays(table, columns, before)
        source = f"SELECT * FROM unnest({arrays}){rest} RETURNING 1"  # noqa: S608 - same
        return f"INSERT INTO {table.name} ({names}) {source}", len(columns)
    _, table, by, columns = shape
    every = (*by, *columns)
    named = ", ".join(f"c{n}" for n in range(len(every)))
    sets = ", ".join(f"{name} = u.c{n}" for n, name in enumerate(columns, len(by)))
    match = " AND ".join(f"r.{name} = u.c{n}" for n, name in enumerate(by))
    source = f"unnest({_arrays(table, every, before)}) AS u({named})"
    sql = f"UPDATE {table.name} r SET {sets} FROM {source} WHERE {match} RETURNING 1"  # noqa: S608 - same
    return sql, len(every)


def _arrays(table: sa.Table, columns: Sequence[str], before: int) -> str:
    numbers = _whole_numbers(table, tuple(columns))
    types = [pg_type(table.c[name]) for name in columns]
    return ", ".join(
        f"string_to_array(${n}::text, ',', '')::{kind}[]" if number else f"${n}::{kind}[]"
        for n, (kind, number) in enumerate(zip(types, numbers, strict=True), before + 1)
    )


@lru_cache(maxsize=1000)
def _whole_numbers(table: sa.Table, columns: tuple[str, ...]) -> tuple[bool, ...]:
    return tuple(isinstance(table.c[name].type, sa.Integer) for name in columns)


def _array(number: bool, column: Sequence[Any]) -> object:  # noqa: FBT001 - mapped over columns
    """The column as it is sent: whole numbers as one text.

    For each element of an array the driver asks Python whether it is an array too, which takes
    longer than all else about a number.
    """
    if not number:
        return column
    return ",".join(["" if value is None else str(value) for value in column])
