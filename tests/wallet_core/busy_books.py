"""Books with a bit of everything in them, and ways to harm them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.wallet_core.world import CNY, HOUR_US, SELLER, SHOP, World, now_us, world_at
from wallet_core.audit.auditing import Audited, audit
from wallet_core.audit.signing import SigningKey
from wallet_core.commerce.checkout import TapOn
from wallet_core.commerce.conversion import DONE, OFFERED, Conversion
from wallet_core.commerce.fulfilment import Fulfilment
from wallet_core.commerce.house_terms import HouseTerms, Tariff
from wallet_core.commerce.records import Order, Payer
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
from wallet_core.storage import trade_tables
from wallet_core.storage.append_only import APPEND_ONLY
from wallet_core.storage.audit_reader import AuditReader
from wallet_core.storage.database import Database
from wallet_core.storage.liabilities import KEPT_PROOFS, Liabilities

#: A shop that ships in parts.
PARTS = "m_parts"
HOUSE = HouseTerms(
    tariff_of=lambda _currency: Tariff(fee_ppm=15_000, fee_fixed_minor=30, tax_ppm=60_000),
    pending_s=3_600,
    fees_refunded=True,
)


@asynccontextmanager
async def busy_books(url: str) -> AsyncIterator[World]:
    """Top-ups, an open, a captured, a refunded and an undone order, payouts asked for and paid.

    Then holds that are captured in parts, with shares for others, conversions, pending money that
    was settled, refunded and neither, a payment by consent, and proofs of what is owed.
    """
    async with world_at(url) as world:
        await trade(world)
        await sell_in_parts(world)
        await convert(world)
        await earn(world)
        await bring_money(world)
        await like(world)
        await prove(world)
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
    await authorise(world, anna, "parts", 10_000)
    await move(world, capture("parts", 1, 3_000, fee, last=False))
    await move(world, capture("parts", 2, 4_000, last=False))
    await move(world, capture("parts", 3, 1_000, fee))
    await authorise(world, anna, "part, then void", 5_000)
    await move(world, capture("part, then void", 1, 2_000, fee, last=False))
    await move(world, Void(id=named("rest"), hold_id=named("part, then void")))
    await authorise(world, anna, "part, still open", 6_000)
    await move(world, capture("part, still open", 1, 500, last=False))


async def convert(world: World) -> None:
    """Four legs, and an offer that nobody took.

    Beside it gifts of the house, and money kept for the owner of a host.
    """
    ben = await world.person("ben")
    for n, state in enumerate((DONE, OFFERED)):
        conversion = Conversion(
            id=f"x_{n}",
            wallet_id=ben.wallet_id,
            quote_id=None,
            source="ecb",
            rate="7/50",
            rate_as_of="2026-11-25",
            # A fifth of a cent is the house's: ¥70.00 are $9.702.
            spread_ppm=10_000,
            sold_minor=7_000,
            sold_currency=CNY,
            bought_minor=970,
            bought_currency="USD",
            state=state,
            created_at_us=1,
            expires_at_us=2,
        )
        transfers = (conversion.post,) if state == DONE else ()
        await world.writer.commit(
            Commit(key=f"convert {n}", transfers=transfers, rows=(conversion.offering,))
        )
    yuan = accounts.wallet(ben.wallet_id, CNY)
    till, gifts = accounts.clearing("cash", CNY), accounts.promotions(CNY)
    await post(world, "set aside", (till, -900), (gifts, 900))
    await post(world, "gift", (gifts, -300), (yuan, 300))
    await post(world, "keep", (yuan, -400), (accounts.escrow("shop.example", CNY), 400))


async def earn(world: World) -> None:
    """An order in three captures, of which one was settled and a part refunded; one all refunded.

    Of each the house takes its fee and the tax, and gives its part of what is refunded back.
    """
    seller = await world.open_shop(standing=False, merchant_id=PARTS)
    await world.offer(name="parts", merchant_id=PARTS)
    dora = await world.person("dora", 60_000)
    selling = replace(world.fulfilment, house=HOUSE)
    for name, parts in (("shipped", (5_000, 4_000, 10_900)), ("whole", (19_900,))):
        await world.quote("of_parts", name=f"q_{name}", merchant_id=PARTS)
        order = await world.bought(dora, name, f"q_{name}")
        for n, part in enumerate(parts):
            order, event_id = await world.order(order.id), f"{name} {n}"
            await world.heard(event_id)
            later_us = order.created_at_us + HOUR_US
            money = Money(part, CNY)
            where = (seller.person_id, world.place(SELLER))
            await selling.capture_part(event_id, order, money, *where, at_us=later_us + n)
            assert await world.outcome(event_id) == "done"
    shipped, whole = await _orders(world, dora)
    await _settle_first(world, shipped)
    await _refund(world, selling, seller, shipped, 6_000)
    await _refund(world, selling, seller, whole, 19_900)


async def _orders(world: World, payer: Payer) -> list[Order]:
    orders = await world.reader.recent_orders(payer.wallet_id, 2)
    return sorted(orders, key=lambda order: order.quote_id)


async def _settle_first(world: World, order: Order) -> None:
    s = trade_tables.settlements.c
    async with world.database.write() as connection:
        first = sa.select(sa.func.min(s.due_at_us)).where(s.order_id == order.id)
        await connection.execute(
            sa.update(trade_tables.settlements)
            .where(s.due_at_us == first.scalar_subquery())
            .values(due_at_us=1)
        )
    assert await world.settlements.run_due() == 1


async def _refund(
    world: World, selling: Fulfilment, seller: Payer, order: Order, amount_minor: int
) -> None:
    event_id = f"refund of {order.quote_id}"
    await world.heard(event_id)
    money = Money(amount_minor, CNY)
    await selling.refund(event_id, order, money, seller.person_id, world.place(SELLER))
    assert await world.outcome(event_id) == "done"


async def bring_money(world: World) -> None:
    """Money that came, that did not, and that may still come."""
    ben, admin = await world.person("ben"), world.place(SELLER)
    for name, amount_minor in (("came", 111), ("came not", 222), ("may come", 333)):
        await world.heard(name)
        await world.funding.ask_top_up(
            Ask(
                event_id=name,
                owner=f"wallet:{ben.wallet_id}",
                money=Money(amount_minor, CNY),
                place=world.place("ben"),
                at_us=1,
            )
        )
    asked = {request.amount_minor: request for request in await world.reader.pending_funding(10)}
    await world.funding.confirm("it came", asked[111], admin)
    await world.funding.decline("it came not", asked[222], admin)


async def like(world: World) -> None:
    """Two payments that their payer had allowed beforehand."""
    ben = await world.person("ben")
    for n in range(2):
        await world.quote(name=f"q_like_{n}", amount_minor=700)
        await world.heard(f"like {n}")
        await world.checkout.tap(
            TapOn(
                event_id=f"like {n}",
                quote_id=f"q_like_{n}",
                payer=ben,
                place=world.place("ben"),
                at_us=now_us(),
                day_max=Money(5_000, CNY),
            )
        )
        assert await world.outcome(f"like {n}") == "done"


async def prove(world: World) -> None:
    """Proofs of what is owed: more than are kept."""
    liabilities, key = Liabilities(world.database), SigningKey.new()
    for _ in range(KEPT_PROOFS + 1):
        await liabilities.publish(key)


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
