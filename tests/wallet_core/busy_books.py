"""Books with a bit of everything in them, and ways to harm them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from tests.wallet_core.world import CNY, SELLER, SHOP, World, world_at
from wallet_core.audit.auditing import Audited, audit
from wallet_core.commerce.records import Payer
from wallet_core.funding.requests import Ask
from wallet_core.ledger import accounts
from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.commits import Commit
from wallet_core.ledger.transfers import (
    Authorise,
    Capture,
    EndingAction,
    Leg,
    Post,
    Transfer,
    Void,
    named,
)
from wallet_core.money import Money
from wallet_core.storage.append_only import APPEND_ONLY
from wallet_core.storage.audit_reader import AuditReader
from wallet_core.storage.database import Database


@asynccontextmanager
async def busy_books(url: str) -> AsyncIterator[World]:
    """Top-ups, an open, a captured, a refunded and an undone order, payouts asked for and paid.

    Then holds that are captured in parts, with shares for others, and a conversion.
    """
    async with world_at(url) as world:
        await trade(world)
        await sell_in_parts(world)
        await convert(world)
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


async def sell_in_parts(world: World) -> None:
    """Holds after a part: captured with the rest given back, given back, and still open."""
    anna = await world.person("anna")
    fee = Leg(accounts.fees(CNY), 120)
    kept = Leg(accounts.pending(SHOP, CNY), 1_000)
    await authorise(world, anna, "parts", 10_000)
    await move(world, capture("parts", 1, 3_000, fee, kept, last=False))
    await move(world, capture("parts", 2, 4_000, last=False))
    await move(world, capture("parts", 3, 1_000, fee))
    await authorise(world, anna, "part, then void", 5_000)
    await move(world, capture("part, then void", 1, 2_000, fee, last=False))
    await move(world, Void(id=named("rest"), hold_id=named("part, then void")))
    await authorise(world, anna, "part, still open", 6_000)
    await move(world, capture("part, still open", 1, 500, last=False))


async def convert(world: World) -> None:
    """Four legs and a fee; beside it gifts of the house, and money kept for the owner of a host."""
    ben = await world.person("ben")
    yuan, dollars = accounts.wallet(ben.wallet_id, CNY), accounts.wallet(ben.wallet_id, "USD")
    await post(
        world,
        "convert",
        (yuan, -7_000),
        (accounts.exchange("ecb", CNY), 6_930),
        (accounts.fees(CNY), 70),
        (accounts.exchange("ecb", "USD"), -970),
        (dollars, 970),
    )
    till, gifts = accounts.clearing("cash", CNY), accounts.promotions(CNY)
    await post(world, "set aside", (till, -900), (gifts, 900))
    await post(world, "gift", (gifts, -300), (yuan, 300))
    await post(world, "keep", (yuan, -400), (accounts.escrow("shop.example", CNY), 400))


async def authorise(world: World, payer: Payer, name: str, amount_minor: int) -> None:
    await move(
        world,
        Authorise(
            id=named(name),
            subject="sale",
            payer=accounts.wallet(payer.wallet_id, CNY),
            payee=accounts.merchant(SHOP, CNY),
            amount_minor=amount_minor,
            ending=EndingAction.EXPIRE,
            ends_after_s=3_600,
        ),
    )


def capture(hold: str, n: int, amount_minor: int, *shares: Leg, last: bool = True) -> Capture:
    return Capture(
        id=named("capture", hold, n),
        hold_id=named(hold),
        amount_minor=amount_minor,
        shares=shares,
        last=last,
        subject="sale",
    )


async def post(world: World, name: str, *legs: tuple[AccountRef, int]) -> None:
    whole = tuple(Leg(account, amount_minor) for account, amount_minor in legs)
    await move(world, Post(id=named(name), subject=name, legs=whole))


async def move(world: World, transfer: Transfer) -> None:
    """By its own id alone, without a key."""
    await world.writer.commit(Commit(transfers=(transfer,)))


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
                ("holds", "captures"),
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
