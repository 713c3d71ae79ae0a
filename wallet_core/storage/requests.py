"""What a batch asks of a database, apart from how each database is asked.

A batch is written once, as a generator that yields these requests and is sent their answers. A
session of a database (`postgres_session`, `sqlite_session`) runs it in one transaction; or, on
PostgreSQL, without locks: then everything is read as it stands, and the one statement that writes
says what it was decided on, and does nothing where that is no longer so.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa

from wallet_core.errors import PayontapError

R = TypeVar("R")
Row = Sequence[Any]
#: How often what the database did not do is tried, and the first pause; each next one is twice as
#: long.
TRIES_MAX = 6
FIRST_PAUSE_S = 0.02
#: PostgreSQL's word for now, in microseconds since the epoch.
CLOCK = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

#: Columns that are mostly the same in all rows of a batch, and then are sent once. Not any column
#: that happens to be: each combination is a statement of its own that has to be planned.
ALIKE = frozenset(
    {
        *("chain_no", "batch_no", "created_at_us", "at_us", "due_at_us"),
        *("kind", "subject", "hold_id", "payee", "commit_key", "refusal", "state", "currency"),
        *("settled", "tries", "edits", "reply_to_ref", "body", "network"),
    }
)
Work = Generator["Request", Any, R]
"""Something to be done in one transaction: yields requests, is sent answers, returns `R`."""


class Conflict(PayontapError):
    """The database refused a write: somebody else's row stands there, or a rule forbids it.

    `unique` tells the two apart; `table` is where, if the database says so.
    """

    def __init__(self, detail: str, *, unique: bool, table: str = "") -> None:
        super().__init__(detail)
        self.unique = unique
        self.table = table


class TryAgain(PayontapError):
    """The database or the batch itself gave the transaction up; nothing of it was written."""


class NeedsLocks(PayontapError):
    """What the batch is to decide cannot be decided on rows that others may change meanwhile."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A question in both databases' words.

    PostgreSQL takes all keys at once, one array for each part of the key; SQLite is asked key by
    key. `uuids` are the columns of the answer that are UUIDs. `unlocked` is PostgreSQL's question
    without its locks, where it takes any.
    """

    postgres: str
    sqlite: str
    uuids: tuple[int, ...] = ()
    unlocked: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """Rows for many keys; `keys` has one sequence for each part of the key."""

    statement: Statement
    keys: tuple[Sequence[Any], ...]


@dataclass(frozen=True, slots=True)
class Insert:
    """New rows; `if_absent` leaves rows alone whose key is there. Ids may come as their digits.

    `counted` is a column that the rows leave out, for it counts up from row to row, and where it
    begins.
    """

    table: sa.Table
    columns: tuple[str, ...]
    rows: Sequence[Row]
    if_absent: bool = False
    counted: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Rows that change. Each of `rows` is the values of `by`, of `seen`, then of `columns`.

    `seen` are the columns on which the change was decided; where a row was not locked, it changes
    only while they still are so. `exactly` says that each of them must be there; otherwise the
    batch is to be done again.
    """

    table: sa.Table
    by: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Sequence[Row]
    exactly: bool = True
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Add:
    """Rows whose number columns are raised by so much, whatever they are. Nothing is read for it.

    Each of `rows` is the values of `by`, then what is added to each of `columns`. `within` are
    pairs (column, bound): the column may not come to more than the bound column, which NULL leaves
    open. Where that is not so, or a row is not there, the batch is to be done again.
    """

    table: sa.Table
    by: tuple[str, ...]
    columns: tuple[str, ...]
    within: tuple[tuple[str, str], ...]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Check:
    """Rows that must still be as they were `seen`, where they were not locked.

    Each of `rows` is the values of `by`, then those of `seen`. `stay` says that nobody may change
    them before the transaction ends.
    """

    table: sa.Table
    by: tuple[str, ...]
    seen: tuple[str, ...]
    rows: Sequence[Row]
    stay: bool = True


@dataclass(frozen=True, slots=True)
class Run:
    """A write in both databases' words, for many keys like `Ask`."""

    statement: Statement
    keys: tuple[Sequence[Any], ...]


Write = Add | Check | Change | Insert | Run


@dataclass(frozen=True, slots=True)
class Save:
    """Writes that are made together, in this order; PostgreSQL gets them as one statement.

    `checked` says that they were decided on rows which are not locked: all of them are made, or
    none where one of these rows is no longer as it was seen. The answer is the database's time
    where it told it, or 0.
    """

    writes: Sequence[Write]
    checked: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """These accounts, locked in the order of their numbers, and what stands under these names.

    All of it in one round trip, with the clock and the chain. Without `waits`, accounts that
    somebody else has locked are left out. What another writer wrote while this one waited for the
    locks may be missing among the names; the database then refuses to write it again.
    """

    transfer_ids: Sequence[UUID]
    keys: Sequence[str]
    account_ids: Sequence[str] = ()
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Opened:
    """What is there.

    `length` and `head` are those of the chain. `accounts`: id, number, balance, version, newest
    entry and packed spending of each, then its wallet's mode, fence, limits and group.
    `transfers`: number of the id → fingerprint. `commits`: key, fingerprint, refusal, result and
    time of each. `changes_no` is how often wallets have changed.
    """

    now_us: int
    chain_no: int
    length: int
    head: bytes
    accounts: Sequence[Row] = ()
    transfers: dict[int, bytes] = field(default_factory=dict)
    commits: Sequence[tuple[str, bytes, str | None, str, int]] = ()
    changes_no: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """Let everything be written on which this could be decided, before anything is read."""


@dataclass(frozen=True, slots=True)
class OpenFree:
    """Those of these accounts, named by their numbers, that nobody else has locked; now locked.

    Nobody is waited for. The answer's `accounts` have number, balance, version, newest entry and
    packed spending.
    Only where others may write at the same time.
    """

    numbers: Sequence[int]


Request = Ask | Save | Open | OpenFree | Turn


@lru_cache(maxsize=500)
def fetch(
    table: sa.Table, columns: tuple[str, ...], by: tuple[str, ...], *, lock: bool = False
) -> Statement:
    """The statement that gives `columns` of the rows whose `by` columns have given values.

    With `lock` the rows stay locked until the end of the transaction, taken in the order of `by`.
    """
    wanted = ", ".join(f"r.{name}" for name in columns)
    order = ", ".join(f"r.{name}" for name in by)
    if len(by) == 1:
        (key,) = by
        postgres = f"SELECT {wanted} FROM {table.name} r WHERE r.{key} = ANY($1::{pg_type(table.c[key])}[])"  # noqa: E501, S608
    else:
        arrays = ", ".join(f"${n}::{pg_type(table.c[name])}[]" for n, name in enumerate(by, 1))
        named = ", ".join(f"k{n}" for n in range(len(by)))
        match = " AND ".join(f"r.{name} = k.k{n}" for n, name in enumerate(by))
        postgres = (
            f"SELECT {wanted} FROM unnest({arrays}) AS k({named}) JOIN {table.name} r ON {match}"  # noqa: S608
        )
    unlocked = ""
    if lock:
        unlocked = postgres
        postgres += f" ORDER BY {order} FOR NO KEY UPDATE OF r"
    where = " AND ".join(f"r.{name} = ?" for name in by)
    sqlite = f"SELECT {wanted} FROM {table.name} r WHERE {where}"  # noqa: S608
    return Statement(postgres, sqlite, uuid_places(table, columns), unlocked)


def uuid_places(table: sa.Table, columns: Sequence[str]) -> tuple[int, ...]:
    """Which of the columns are UUIDs."""
    return tuple(n for n, name in enumerate(columns) if isinstance(table.c[name].type, sa.Uuid))


def pg_type(column: sa.Column[Any]) -> str:
    """The name of a column's type in PostgreSQL, for arrays of it."""
    for kind, name in _PG_TYPES:
        if isinstance(column.type, kind):
            return name
    raise TypeError(f"{column} is of a type that no batch writes")


# In this order: a BigInteger is an Integer too, and a Text a String.
_PG_TYPES: tuple[tuple[type[Any], str], ...] = (
    (sa.BigInteger, "bigint"),
    (sa.SmallInteger, "smallint"),
    (sa.Integer, "integer"),
    (sa.Boolean, "boolean"),
    (sa.Uuid, "uuid"),
    (sa.LargeBinary, "bytea"),
    (sa.String, "text"),
)
