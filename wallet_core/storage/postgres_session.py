"""Runs batches on PostgreSQL: one connection of its own, and prepared statements.

SQLAlchemy's share of a batch was many times that of the database itself, so the writer speaks with
the driver directly. Whatever a batch writes goes there as one statement, so that a transaction
takes a handful of round trips however much is in it.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, cast

import asyncpg

from wallet_core.errors import StorageUnavailable
from wallet_core.ledger.journal import CHAINS_MAX
from wallet_core.storage import postgres_writes
from wallet_core.storage.away import AWAY_ERRORS
from wallet_core.storage.database import Database, driver_options
from wallet_core.storage.postgres_connection import Connection, connect
from wallet_core.storage.requests import (
    CLOCK,
    Add,
    Ask,
    Change,
    Conflict,
    Open,
    Opened,
    OpenFree,
    Request,
    Row,
    Save,
    TryAgain,
    Turn,
    Work,
    Write,
)

R = TypeVar("R")
Answer = Sequence[Row] | Opened | int | None

#: Names the locks of chains among all advisory locks.
_CHAIN_LOCKS = 7_296_011

_ACCOUNT, _CHAIN, _TRANSFER, _COMMIT = range(4)
# One kind of row for all: what it is, an id, five numbers, bytes, four texts.
_OPEN = f"""
WITH a AS MATERIALIZED (
  SELECT a.id, a.no, a.balance_minor, a.version, a.newest_entry_no, a.spending,
    w.mode, w.fence, w.limits, w.limit_group
  FROM accounts a LEFT JOIN wallets w ON w.id = a.wallet_id
  WHERE a.id = ANY($4::text[]) ORDER BY a.no FOR NO KEY UPDATE OF a
)
SELECT {_ACCOUNT}, NULL::uuid, a.no, a.balance_minor, a.version, a.fence, a.newest_entry_no,
    a.spending, a.id::text, a.mode::text, a.limits, a.limit_group::text FROM a
UNION ALL SELECT {_CHAIN}, NULL, c.length, {CLOCK}, s.no, 0, 0, c.head, NULL, NULL, NULL, NULL
  FROM chains c, wallet_changes s WHERE c.no = $1
UNION ALL SELECT {_TRANSFER}, t.id, 0, 0, 0, 0, 0, t.fingerprint, NULL, NULL, NULL, NULL
  FROM transfers t WHERE t.id = ANY($2::uuid[])
UNION ALL SELECT {_COMMIT}, NULL, m.created_at_us, 0, 0, 0, 0, m.fingerprint, m.key, m.refusal,
    m.result, NULL
  FROM commits m WHERE m.key = ANY($3::text[])
"""  # noqa: S608 - no value of anybody's is in it
_LOOK = _OPEN.replace("FOR NO KEY UPDATE OF a", "")
_OPEN_SKIP = _OPEN.replace("FOR NO KEY UPDATE OF a", "FOR NO KEY UPDATE OF a SKIP LOCKED")
_OPEN_FREE = f"""
WITH a AS MATERIALIZED (
  SELECT a.no, a.balance_minor, a.version, a.newest_entry_no, a.spending FROM accounts a
  WHERE a.no = ANY(string_to_array($2::text, ',')::bigint[]) FOR NO KEY UPDATE OF a SKIP LOCKED
)
SELECT a.no, a.balance_minor, a.version, a.newest_entry_no, a.spending, NULL::bigint FROM a
UNION ALL SELECT c.length, {CLOCK}, s.no, 0, c.head, 0 FROM chains c, wallet_changes s
  WHERE c.no = $1
"""  # noqa: S608 - same


class PostgresSession:
    """One connection, made anew when it was lost.

    `more` tells whether another batch waits already: then a transaction ends and the next one
    begins in one round trip. One that is not `chained` writes nothing into the journal. `begin` are
    the words that begin a transaction; for `lasting` see `connect`.
    """

    exclusive = False

    def __init__(
        self,
        database: Database,
        *,
        more: Callable[[], bool] = lambda: False,
        chained: bool = True,
        begin: str = "BEGIN",
        lasting: bool = True,
    ) -> None:
        self._database = database
        self._begin = begin
        self._lasting = lasting
        self._chained = chained
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
        return await self._told(work, self._in_transaction)

    async def run_unlocked(self, work: Work[R], may_write: Callable[[], Awaitable[bool]]) -> R:
        """Do `work` without locking what it reads, in two round trips or less.

        Before it writes, or asks for its turn, `may_write` is awaited. Raises as `run` does, and
        `TryAgain` where that said no, or somebody else was quicker.
        """

        async def unlocked(connection: Connection, work: Work[R]) -> R:
            await self.rest()
            return await self._answered(connection, work, may_write)

        return await self._told(work, unlocked)

    async def run_single(self, work: Work[R]) -> R:
        """Do `work` that makes one request, which then needs no transaction around it.

        Raises as `run` does.
        """
        return await self._told(work, self._answered)

    async def _told(self, work: Work[R], do: Callable[[Connection, Work[R]], Awaitable[R]]) -> R:
        try:
            return await do(await self._connected(), work)
        except AWAY_ERRORS as error:
            await self.drop()
            raise StorageUnavailable(f"The database did not answer: {error}") from error
        except asyncpg.IntegrityConstraintViolationError as error:
            unique = isinstance(error, asyncpg.UniqueViolationError)
            table = getattr(error, "table_name", None) or ""
            raise Conflict(str(error), unique=unique, table=table) from error
        except (asyncpg.TransactionRollbackError, asyncpg.DivisionByZeroError) as error:
            raise TryAgain(str(error)) from error

    async def rest(self) -> None:
        """Nothing more is to be done for now: leave no transaction open."""
        if not self._begun or self._connection is None:
            return
        self._begun = False
        try:
            await self._connection.execute("COMMIT")
        except (asyncpg.PostgresError, *AWAY_ERRORS):
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
            await connection.execute(self._begin)
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

    async def _answered(
        self,
        connection: Connection,
        work: Work[R],
        may_write: Callable[[], Awaitable[bool]] | None = None,
    ) -> R:
        answer: Answer = None
        locks, begun = may_write is None, False
        while True:
            try:
                request = work.send(answer)
            except StopIteration as stop:
                result: R = stop.value
                return result
            # Put into words while others are written still.
            words = _words(request)
            if may_write is not None and not begun and isinstance(request, Save | Turn):
                begun = await may_write()
                if not begun:
                    raise TryAgain("What it was decided on was not written.")
            if words is not None:
                sql, sent = words
                answer = cast("int", await connection.fetchval(sql, *sent))
            else:
                answer = await self._answer(connection, request, locks=locks)

    async def _answer(self, connection: Connection, request: Request, *, locks: bool) -> Answer:
        match request:
            case Ask(statement=statement, keys=keys):
                sql = statement.postgres if locks else statement.unlocked or statement.postgres
                return await connection.fetch(sql, *keys)
            case Open():
                return await self._open(connection, request, locks=locks)
            case OpenFree(numbers=numbers):
                return await self._open_free(connection, numbers)
            case Save(writes=writes):
                return await _save(connection, writes) if writes else 0
            case Turn():
                return None

    async def _open(self, connection: Connection, request: Open, *, locks: bool) -> Opened:
        locking = _OPEN if request.waits else _OPEN_SKIP
        rows = await connection.fetch(
            locking if locks else _LOOK,
            *(self._chain_no, request.transfer_ids, request.keys, request.account_ids),
        )
        now_us, length, changes_no, head = 0, 0, 0, b""
        accounts: list[Row] = []
        transfers: dict[int, bytes] = {}
        commits = []
        for kind, name, one, two, three, four, five, mark, text, second, third, fourth in rows:
            if kind == _ACCOUNT:
                accounts.append((text, one, two, three, five, mark, second, four, third, fourth))
            elif kind == _TRANSFER:
                transfers[name.int] = mark
            elif kind == _COMMIT:
                commits.append((text, mark, second, third, one))
            else:
                now_us, length, changes_no, head = two, one, three, mark
        return Opened(
            now_us, self._chain_no, length, head, accounts, transfers, commits, changes_no
        )

    async def _open_free(self, connection: Connection, numbers: Sequence[int]) -> Opened:
        sent = ",".join(map(str, numbers))
        rows = await connection.fetch(_OPEN_FREE, self._chain_no, sent)
        accounts = [row[:5] for row in rows if row[5] is None]
        ((length, now_us, changes_no, _, head, _),) = [row for row in rows if row[5] is not None]
        return Opened(now_us, self._chain_no, length, head, accounts, changes_no=changes_no)

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._begun = False
            options = driver_options(self._database.engine, self._database.url)
            connection = await connect(options, lasting=self._lasting)
            if self._chained:
                try:
                    self._chain_no = await _chain_of(connection)
                except BaseException:
                    connection.terminate()
                    raise
            self._connection = connection
        return self._connection


async def _chain_of(connection: Connection) -> int:
    """The lowest chain that no other writer has; the connection's end sets it free again.

    Where all are taken several writers share one, which costs them time and nothing else.
    """
    for no in range(CHAINS_MAX):
        if await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", _CHAIN_LOCKS, no):
            break
    else:
        no = CHAINS_MAX - 1
    await connection.execute(
        "INSERT INTO chains (no, length, head) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING",
        no,
        bytes(32),
    )
    return no


async def _save(connection: Connection, writes: Sequence[Write]) -> int:
    sql, arrays = postgres_writes.locked(writes)
    counts = await connection.fetchrow(sql, *arrays)
    for write, count in zip(writes, counts, strict=True):
        if isinstance(write, Change) and not write.exactly:
            continue
        if isinstance(write, Add | Change) and count != len(write.rows):
            raise TryAgain(f"{write.table.name}: {count} of {len(write.rows)} rows were there")
    return 0


def _words(request: Request) -> tuple[str, Sequence[object]] | None:
    """The statement and values of writes that are checked; None for all other requests."""
    if isinstance(request, Save) and request.checked and request.writes:
        return postgres_writes.unlocked(request.writes)
    return None
