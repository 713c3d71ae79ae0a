"""Books with a bit of everything in them, and ways to harm them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from tests.wallet_core.world import CNY, SELLER, World, world_at
from wallet_core.audit.auditing import Audited, audit
from wallet_core.funding.requests import Ask
from wallet_core.money import Money
from wallet_core.storage.append_only import APPEND_ONLY
from wallet_core.storage.audit_reader import AuditReader
from wallet_core.storage.database import Database


@asynccontextmanager
async def busy_books(url: str) -> AsyncIterator[World]:
    """Top-ups, an open, a captured, a refunded and an undone order, payouts asked for and paid."""
    async with world_at(url) as world:
        await trade(world)
        yield world


async def trade(world: World) -> None:
    seller = await world.open_shop()
    await world.offer(stock=50)
    anna = await world.person("anna", 200_000)
    ben = await world.person("ben", 90_000)
    for n in range(5):
        await world.quote(name=f"q_{n}")
    await world.paid(anna, "paid", "q_0")
    refunded = await world.paid(anna, "refunded", "q_1")
    assert await world.refund(seller, "refund", refunded, 19_900) == "done"
    partly = await world.paid(ben, "partly", "q_2")
    assert await world.refund(seller, "part", partly, 900) == "done"
    undone = await world.bought(anna, "undone", "q_3")
    assert await world.undo(anna, "undo", undone) == "done"
    await world.bought(anna, "open", "q_4")
    await payout(world, ben.wallet_id, "asked", 1_000)
    await payout(world, ben.wallet_id, "handed over", 2_000)
    (newest, *_) = sorted(
        await world.reader.pending_funding(10), key=lambda request: -request.amount_minor
    )
    await world.funding.confirm("till", newest, world.place(SELLER))


async def payout(world: World, wallet_id: str, event_id: str, amount_minor: int) -> None:
    await world.heard(event_id)
    await world.funding.ask_payout(
        Ask(
            event_id=event_id,
            owner=f"wallet:{wallet_id}",
            money=Money(amount_minor, CNY),
            place=world.place("ben"),
            at_us=1,
        )
    )


@asynccontextmanager
async def unguarded(database: Database) -> AsyncIterator[AsyncConnection]:
    """A transaction in which the database no longer guards the books; it is rolled back."""
    async with database.engine.connect() as connection:
        if database.is_sqlite:
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
            await connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            await connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
            for table in APPEND_ONLY:
                for verb in ("update", "delete"):
                    await connection.exec_driver_sql(f"DROP TRIGGER {table}_no_{verb}")
        else:
            await connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for table, check in (
                ("accounts", "floor"),
                ("entries", "amount"),
                ("orders", "refunds"),
                ("orders", "captures"),
            ):
                await connection.exec_driver_sql(
                    f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{check}"
                )
        yield connection
        await connection.rollback()
        if database.is_sqlite:
            await connection.exec_driver_sql("PRAGMA ignore_check_constraints=OFF")


async def audit_of(connection: AsyncConnection) -> Audited:
    return await audit(AuditReader(connection))
