"""What becomes of an order: each hold ends once, and no refund gives back more than was taken."""

import asyncio

import pytest
import sqlalchemy as sa

from bot.cards import plain_text
from tests.audit import audit
from tests.wallet_core.world import CNY, PRICE_MINOR, SELLER, SHOP, World, world_at
from wallet_core.commerce.records import Order, Payer
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit, Update
from wallet_core.ledger.transfers import Authorise, EndingAction, Leg, Post, named
from wallet_core.storage import tables as t

#: Messages to the shop's room, edits left out.
ORDER_NEWS = (t.outbox.c.room_id == "tea-house", t.outbox.c.edits.is_(None))


@pytest.fixture
async def shop(world: World) -> World:
    """A shop that takes every order at once."""
    await world.open_shop()
    await world.offer(stock=50)
    await world.quote()
    return world


@pytest.fixture
async def slow_shop(world: World) -> World:
    """A shop that wants to be asked."""
    await world.open_shop(standing=False)
    await world.offer(stock=5)
    await world.quote()
    return world


async def accept(world: World, who: Payer, event_id: str, order: Order) -> str:
    await world.heard(event_id)
    await world.fulfilment.accept(event_id, order, who.person_id, world.place(SELLER))
    return await world.outcome(event_id)


async def decline(world: World, who: Payer, event_id: str, order: Order) -> str:
    await world.heard(event_id)
    await world.fulfilment.decline(event_id, order, who.person_id, world.place(SELLER))
    return await world.outcome(event_id)


# --- captures ------------------------------------------------------------------------------------


async def test_a_hold_is_captured_when_it_is_due_and_not_before(shop: World) -> None:
    anna = await shop.person("anna", 50_000)
    order = await shop.bought(anna, "e1")
    assert await shop.endings.run_due() == 0
    await shop.make_due(order.hold_id)
    assert await shop.endings.run_due() == 1
    assert await shop.endings.run_due() == 0
    assert await shop.earned() == PRICE_MINOR
    assert await shop.balance(anna) == (50_000 - PRICE_MINOR, 0)
    paid = await shop.order(order.id)
    assert (paid.state, paid.captured_minor) == ("paid", PRICE_MINOR)
    # The shop's room hears of it now that the money is there.
    assert await shop.count(t.outbox, *ORDER_NEWS) == 1


@pytest.mark.parametrize(
    ("ending", "state", "earned", "left"),
    [(EndingAction.CAPTURE, "captured", 500, 0), (EndingAction.EXPIRE, "expired", 0, 500)],
)
async def test_a_hold_without_an_order_has_the_ending_that_it_was_made_with(
    shop: World, ending: EndingAction, state: str, earned: int, left: int
) -> None:
    anna = await shop.person("anna", 500)
    hold = Authorise(
        id=named("a sale"),
        subject="sale",
        payer=accounts.wallet(anna.wallet_id, CNY),
        payee=accounts.merchant(SHOP, CNY),
        amount_minor=500,
        ending=ending,
        ends_after_s=60.0,
    )
    await shop.writer.commit(Commit(key="a sale", transfers=(hold,)))
    assert await shop.endings.run_due() == 0
    await shop.make_due(hold.id)
    assert await shop.endings.run_due() == 1
    assert await shop.endings.run_due() == 0
    ended = await shop.reader.hold(hold.id)
    assert ended is not None
    assert ended.state == state
    assert (await shop.earned(), await shop.balance(anna)) == (earned, (left, 0))


async def test_two_sweepers_capture_once(shop: World, database_url: str) -> None:
    anna = await shop.person("anna", 20 * PRICE_MINOR)
    for n in range(10):
        await shop.quote(name=f"q{n}")
        order = await shop.bought(anna, f"e{n}", f"q{n}")
        await shop.make_due(order.hold_id)
    async with world_at(database_url, create=False) as other:
        await asyncio.gather(*(w.endings.run_due() for w in (shop, other) for _ in range(3)))
    assert await shop.earned() == 10 * PRICE_MINOR
    assert await shop.balance(anna) == (10 * PRICE_MINOR, 0)
    assert await shop.count(t.outbox, *ORDER_NEWS) == 10


async def test_of_an_undo_and_the_capture_exactly_one_wins(shop: World, database_url: str) -> None:
    anna = await shop.person("anna", 20 * PRICE_MINOR)
    async with world_at(database_url, create=False) as sweeper:
        for n in range(12):
            await shop.quote(name=f"q{n}")
            order = await shop.bought(anna, f"e{n}", f"q{n}")
            await shop.make_due(order.hold_id)
            works = [shop.checkout.undo(f"u{n}", order, anna, shop.place())]
            works.insert(n % 2, _sweep(sweeper))
            await asyncio.gather(*works)
            state = (await shop.order(order.id)).state
            undone = await shop.outcome(f"u{n}")
            assert (state, undone) in (("undone", "done"), ("paid", "not_open"))
    assert await shop.earned() == PRICE_MINOR * await shop.count(
        t.orders, t.orders.c.state == "paid"
    )


async def _sweep(world: World) -> None:
    await world.endings.run_due()


async def test_a_capture_waits_for_what_was_heard_before_it_was_due(shop: World) -> None:
    anna = await shop.person("anna", 50_000)
    order = await shop.bought(anna, "e1")
    await shop.heard("u1")
    await asyncio.sleep(0.002)
    await shop.make_due(order.hold_id)
    assert await shop.endings.run_due() == 0
    assert await shop.undo(anna, "u1", order) == "done"
    assert await shop.endings.run_due() == 0
    assert (await shop.order(order.id)).state == "undone"


async def test_a_capture_does_not_wait_for_what_was_heard_later(shop: World) -> None:
    anna = await shop.person("anna", 50_000)
    order = await shop.bought(anna, "e1")
    await shop.make_due(order.hold_id)
    await asyncio.sleep(0.002)
    await shop.heard("u1")
    assert await shop.endings.run_due() == 1
    assert await shop.undo(anna, "u1", order) == "not_open"


# --- a merchant without standing acceptance ------------------------------------------------------


async def test_an_accepted_order_is_captured_once_the_undo_time_is_over(slow_shop: World) -> None:
    world = slow_shop
    anna, seller = await world.person("anna", 50_000), await world.person(SELLER)
    order = await world.bought(anna, "e1")
    assert not order.accepted
    assert await world.count(t.outbox, *ORDER_NEWS) == 1
    for _ in range(3):
        assert await accept(world, seller, "a1", order) == "done"
    assert await world.endings.run_due() == 0
    hold = await world.reader.hold(order.hold_id)
    assert hold is not None
    assert hold.ending == "capture"
    assert hold.due_at_us == order.created_at_us + 60_000_000
    await world.make_due(order.hold_id)
    await world.endings.run_due()
    assert await world.earned() == PRICE_MINOR
    assert (await world.order(order.id)).state == "paid"


async def test_an_accepted_order_can_be_undone_until_it_is_captured(slow_shop: World) -> None:
    world = slow_shop
    anna, seller = await world.person("anna", 50_000), await world.person(SELLER)
    order = await world.bought(anna, "e1")
    await accept(world, seller, "a1", order)
    assert await world.undo(anna, "u1", order) == "done"
    assert await accept(world, seller, "a2", order) == "not_open"
    assert await world.balance(anna) == (50_000, 0)


async def test_a_declined_order_gives_money_and_stock_back_once(slow_shop: World) -> None:
    world = slow_shop
    anna, seller = await world.person("anna", 50_000), await world.person(SELLER)
    order = await world.bought(anna, "e1")
    for _ in range(3):
        assert await decline(world, seller, "d1", order) == "done"
    assert await decline(world, seller, "d2", order) == "not_open"
    assert await world.undo(anna, "u1", order) == "not_open"
    assert await accept(world, seller, "a1", order) == "not_open"
    assert await world.balance(anna) == (50_000, 0)
    assert await world.sold() == 0
    assert (await world.order(order.id)).state == "declined"


async def test_an_order_that_nobody_accepts_expires_and_every_late_word_is_answered(
    slow_shop: World,
) -> None:
    world = slow_shop
    anna, seller = await world.person("anna", 50_000), await world.person(SELLER)
    order = await world.bought(anna, "e1")
    await world.make_due(order.hold_id)
    await world.endings.run_due()
    assert await world.balance(anna) == (50_000, 0)
    assert await world.sold() == 0
    assert (await world.order(order.id)).state == "expired"
    assert await world.undo(anna, "u1", order) == "not_open"
    assert await decline(world, seller, "d1", order) == "not_open"
    assert await accept(world, seller, "a1", order) == "not_open"
    # A word without an answer would lie in the inbox for ever and hold up every later capture.
    assert await world.inbox.waiting_count() == 0


async def test_an_order_accepted_while_its_expiry_is_under_way_does_not_expire(
    slow_shop: World,
) -> None:
    world = slow_shop
    anna, seller = await world.person("anna", 50_000), await world.person(SELLER)
    order = await world.bought(anna, "e1")
    await world.make_due(order.hold_id)
    read_order = world.reader.order

    async def accepted_meanwhile(order_id: str) -> Order | None:
        world.reader.order = read_order  # type: ignore[method-assign]  # only this once
        assert await accept(world, seller, "a1", order) == "done"
        return await read_order(order_id)

    world.reader.order = accepted_meanwhile  # type: ignore[method-assign]  # the moment itself
    await world.endings.run_due()
    assert (await world.order(order.id)).state == "authorised"
    await world.make_due(order.hold_id)
    await world.endings.run_due()
    assert (await world.order(order.id)).state == "paid"


async def test_only_a_member_accepts_declines_or_refunds(slow_shop: World) -> None:
    world = slow_shop
    anna, seller = await world.person("anna", 50_000), await world.person(SELLER)
    order = await world.bought(anna, "e1")
    assert await accept(world, anna, "a1", order) == "not_allowed"
    assert await decline(world, anna, "d1", order) == "not_allowed"
    assert await world.refund(anna, "r1", order, 1) == "not_allowed"
    await accept(world, seller, "a2", order)
    await world.make_due(order.hold_id)
    await world.endings.run_due()
    assert await world.refund(anna, "r2", await world.order(order.id), 1) == "not_allowed"
    assert await world.refund(anna, "r3", order, 10**9) == "not_allowed"
    for card in await world.cards(SELLER):
        assert "¥" not in plain_text(card)  # nobody else learns what could be given back
    assert await world.earned() == PRICE_MINOR


# --- refunds -------------------------------------------------------------------------------------


async def test_refunds_in_part_and_then_the_rest(shop: World) -> None:
    anna, seller = await shop.person("anna", PRICE_MINOR), await shop.person(SELLER)
    order = await shop.paid(anna, "e1")
    for _ in range(3):
        assert await shop.refund(seller, "r1", order, 5_000) == "done"
    order = await shop.order(order.id)
    assert (order.state, order.refunded_minor, order.refundable.amount_minor) == (
        *("paid", 5_000),
        PRICE_MINOR - 5_000,
    )
    assert await shop.balance(anna) == (5_000, 0)
    assert await shop.refund(seller, "r2", order, PRICE_MINOR - 5_000) == "done"
    assert (await shop.order(order.id)).state == "refunded"
    assert await shop.balance(anna) == (PRICE_MINOR, 0)
    assert await shop.earned() == 0
    assert await shop.refund(seller, "r3", await shop.order(order.id), 1) == "too_much"
    told = [plain_text(card) for card in await shop.cards()]
    assert [text for text in told if "¥50.00 refunded" in text]


@pytest.mark.parametrize("amount_minor", [PRICE_MINOR + 1, 0, -1])
async def test_a_refund_of_too_much_or_nothing_is_refused(shop: World, amount_minor: int) -> None:
    anna, seller = await shop.person("anna", PRICE_MINOR), await shop.person(SELLER)
    order = await shop.paid(anna, "e1")
    assert await shop.refund(seller, "r1", order, amount_minor) == "too_much"
    assert await shop.earned() == PRICE_MINOR


async def test_a_refund_before_the_capture_is_refused(shop: World) -> None:
    anna, seller = await shop.person("anna", PRICE_MINOR), await shop.person(SELLER)
    order = await shop.bought(anna, "e1")
    assert await shop.refund(seller, "r1", order, 1) == "too_much"
    assert await shop.balance(anna) == (0, PRICE_MINOR)


@pytest.mark.parametrize("amount_minor", [PRICE_MINOR, 5_000])
async def test_twenty_refunds_at_once_never_give_back_more_than_was_taken(
    shop: World, database_url: str, amount_minor: int
) -> None:
    anna, seller = await shop.person("anna", PRICE_MINOR), await shop.person(SELLER)
    ben = await shop.person("ben", 10 * PRICE_MINOR)
    await shop.paid(ben, "other")  # so that the shop could pay more than this order brought
    order = await shop.paid(anna, "e1")
    async with world_at(database_url, create=False) as other:
        outcomes = await asyncio.gather(
            *((shop, other)[n % 2].refund(seller, f"r{n}", order, amount_minor) for n in range(20))
        )
    assert sorted(set(outcomes)) == ["changed", "done"]
    assert outcomes.count("done") == 1
    assert await shop.balance(anna) == (amount_minor, 0)
    assert (await shop.order(order.id)).refunded_minor == amount_minor


async def test_a_refund_without_money_on_the_shops_account_is_refused(shop: World) -> None:
    anna, seller = await shop.person("anna", PRICE_MINOR), await shop.person(SELLER)
    order = await shop.paid(anna, "e1")
    await shop.writer.commit(_spend(PRICE_MINOR - 100))
    assert await shop.refund(seller, "r1", order, 101) == "no_funds"
    assert (await shop.order(order.id)).refunded_minor == 0
    (card,) = await shop.cards(SELLER)
    assert "No money moved" in plain_text(card)
    assert await shop.refund(seller, "r2", order, 100) == "done"


def _spend(amount_minor: int) -> Commit:
    legs = (
        Leg(accounts.merchant(SHOP, CNY), -amount_minor),
        Leg(accounts.clearing("cash", CNY), amount_minor),
    )
    return Commit(key="spent", transfers=(Post(id=named("spent"), legs=legs),))


async def test_a_refund_of_a_refunded_order_is_refused_though_it_is_seen_as_paid(
    shop: World,
) -> None:
    anna, seller = await shop.person("anna", PRICE_MINOR), await shop.person(SELLER)
    ben = await shop.person("ben", PRICE_MINOR)
    await shop.paid(ben, "other")
    seen = await shop.paid(anna, "e1")
    assert await shop.refund(seller, "r1", seen, PRICE_MINOR) == "done"
    assert await shop.refund(seller, "r2", seen, PRICE_MINOR) == "changed"
    assert await shop.balance(anna) == (PRICE_MINOR, 0)


async def test_one_odd_hold_keeps_no_other_from_its_ending(shop: World) -> None:
    anna = await shop.person("anna", 50_000)
    odd = await shop.bought(anna, "e1")
    await shop.quote(name="q_2")
    sound = await shop.bought(anna, "e2", "q_2")
    async with shop.database.write() as connection:
        await connection.execute(
            sa.update(t.holds).where(t.holds.c.id == odd.hold_id).values(subject="order:o_gone")
        )
    await shop.make_due(odd.hold_id)
    await shop.make_due(sound.hold_id)
    await shop.endings.run_due()
    assert (await shop.order(sound.id)).state == "paid"
    # Put right again for the audit at the end.
    async with shop.database.write() as connection:
        await connection.execute(sa.update(t.holds).values(subject=f"order:{odd.id}"))
    await audit(shop.database)


async def test_the_merchant_may_be_frozen_out_of_nothing_by_a_buyers_frozen_wallet(
    shop: World,
) -> None:
    anna, seller = await shop.person("anna", 50_000), await shop.person(SELLER)
    order = await shop.bought(anna, "e1")
    await shop.write(
        Update(table="wallets", where={"id": anna.wallet_id}, values={"mode": "frozen"})
    )
    await shop.make_due(order.hold_id)
    await shop.endings.run_due()
    assert await shop.earned() == PRICE_MINOR
    assert await shop.refund(seller, "r1", await shop.order(order.id), 100) == "done"
