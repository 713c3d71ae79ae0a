"""The plain way, as a good developer writes it: SQLAlchemy Core, one transaction a transfer.

On PostgreSQL under two Redis locks (redis-py's `Lock`), in sorted order so that nobody waits in a
circle; on SQLite one after the other. Idempotent by the transfer's id; each balance is kept and
may not fall below zero; two entries with the balance after them.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from redis.asyncio import Redis
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from benchmarks.ledger_cases.ids import TimeOrderedIds
from benchmarks.ledger_cases.loops import Act

START_MINOR = 1_000_000_000
AMOUNT_MINOR_MAX = 100
LOCK_LIFE_S = 10.0
LOCK_WAIT_S = 30.0

_metadata = sa.MetaData()
_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

accounts = sa.Table(
    "accounts",
    _metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("balance_minor", sa.BigInteger, nullable=False),
    sa.CheckConstraint("balance_minor >= 0", name="floor"),
)
transfers = sa.Table(
    "transfers",
    _metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("payer_id", sa.String(40), nullable=False),
    sa.Column("payee_id", sa.String(40), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
)
entries = sa.Table(
    "entries",
    _metadata,
    sa.Column("id", _COUNTER, primary_key=True),
    sa.Column("transfer_id", sa.Uuid, sa.ForeignKey("transfers.id"), nullable=False, index=True),
    sa.Column("account_id", sa.String(40), sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("balance_after_minor", sa.BigInteger, nullable=False),
)


class NoFunds(Exception):
    """The payer has less than that; nothing was written."""


async def build(url: str, wallets: int) -> None:
    """Makes the tables, and accounts with money."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(_metadata.create_all)
        rows = [{"id": wallet, "balance_minor": START_MINOR} for wallet in _names(wallets)]
        await connection.execute(sa.insert(accounts), rows)
    await engine.dispose()


@asynccontextmanager
async def postgres_transfers(
    url: str, redis_url: str, wallets: int, callers: int
) -> AsyncIterator[Act]:
    """Transfers on PostgreSQL under two locks; no caller waits for a connection."""
    engine = create_async_engine(url, pool_size=callers, max_overflow=0)
    redis: Redis = Redis.from_url(redis_url)

    async def transfer(transfer_id: UUID, payer: str, payee: str, amount_minor: int) -> None:
        first, second = sorted((payer, payee))
        async with (
            redis.lock(f"wallet:{first}", timeout=LOCK_LIFE_S, blocking_timeout=LOCK_WAIT_S),
            redis.lock(f"wallet:{second}", timeout=LOCK_LIFE_S, blocking_timeout=LOCK_WAIT_S),
            engine.begin() as connection,
        ):
            await _write(connection, transfer_id, payer, payee, amount_minor)

    try:
        yield _act(transfer, wallets)
    finally:
        await redis.aclose()
        await engine.dispose()


@asynccontextmanager
async def sqlite_transfers(url: str, wallets: int) -> AsyncIterator[Act]:
    """Transfers on SQLite, as durable as ours; the callers take turns on one connection."""
    engine = create_async_engine(url, pool_size=1, max_overflow=0)
    sa.event.listen(engine.sync_engine, "connect", _prepare)
    # SQLite has one writer at a time: a fair queue is quicker than its busy-waiting.
    turn = asyncio.Lock()

    async def transfer(transfer_id: UUID, payer: str, payee: str, amount_minor: int) -> None:
        async with turn, engine.connect() as connection:
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
            await _write(connection, transfer_id, payer, payee, amount_minor)
            await connection.commit()

    try:
        yield _act(transfer, wallets)
    finally:
        await engine.dispose()


async def count_standing(url: str) -> int:
    """How many transfers stand; raises ArithmeticError when the books do not balance."""
    engine: AsyncEngine = create_async_engine(url)
    async with engine.connect() as connection:
        total = sa.select(sa.func.coalesce(sa.func.sum(entries.c.amount_minor), 0))
        if int((await connection.execute(total)).scalar_one()) != 0:
            raise ArithmeticError("the entries of the plain way do not sum to zero")
        count = sa.select(sa.func.count()).select_from(transfers)
        standing = int((await connection.execute(count)).scalar_one())
    await engine.dispose()
    return standing


async def _write(
    connection: AsyncConnection, transfer_id: UUID, payer: str, payee: str, amount_minor: int
) -> None:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = {
        "id": transfer_id,
        "payer_id": payer,
        "payee_id": payee,
        "amount_minor": amount_minor,
    }
    new = await connection.execute(
        insert(transfers).values(row).on_conflict_do_nothing().returning(transfers.c.id)
    )
    if new.scalar_one_or_none() is None:
        return  # it stands already
    lines = []
    for account_id, change_minor in sorted(((payer, -amount_minor), (payee, amount_minor))):
        changed = await connection.execute(
            sa.update(accounts)
            .where(accounts.c.id == account_id, accounts.c.balance_minor + change_minor >= 0)
            .values(balance_minor=accounts.c.balance_minor + change_minor)
            .returning(accounts.c.balance_minor)
        )
        after_minor = changed.scalar_one_or_none()
        if after_minor is None:
            raise NoFunds(account_id)
        lines.append(
            {
                "transfer_id": transfer_id,
                "account_id": account_id,
                "amount_minor": change_minor,
                "balance_after_minor": after_minor,
            }
        )
    await connection.execute(sa.insert(entries), lines)


def _act(transfer: Callable[[UUID, str, str, int], Any], wallets: int) -> Act:
    names, new_id, chance = _names(wallets), TimeOrderedIds(), random.random

    async def act() -> UUID:
        payer = int(chance() * wallets)
        payee = payer - 1 - int(chance() * (wallets - 1))
        transfer_id = new_id()
        amount_minor = 1 + int(chance() * AMOUNT_MINOR_MAX)
        await transfer(transfer_id, names[payer], names[payee], amount_minor)
        return transfer_id

    return act


def _names(wallets: int) -> list[str]:
    return [f"wallet-{number}" for number in range(wallets)]


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    # The driver's own implicit BEGIN is deferred; a transfer begins by itself instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
