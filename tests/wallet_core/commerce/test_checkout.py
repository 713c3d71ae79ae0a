"""One tap, one hold; whatever comes again, late, or from the wrong hands changes nothing."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from bot.cards import plain_text
from tests.audit import audit
from tests.wallet_core.world import (
    CNY,
    HOUR_US,
    PRICE_MINOR,
    SHOP,
    Interrupted,
    World,
    now_us,
    world_at,
)
from wallet_core.commerce.checkout import TapOn
from wallet_core.commerce.records import Payer
from wallet_core.errors import Refusal
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Insert, Update
from wallet_core.storage import tables as t


@pytest.fixture
async def shop(any_world: World) -> AsyncIterator[World]:
    """An open shop with one offer and one quote, with leases and without."""
    await any_world.open_shop()
    await any_world.offer(stock=10)
    await any_world.quote()
    yield any_world
    # Every event that was heard was answered.
    assert await any_world.inbox.waiting_count() == 0


async def test_one_tap_makes_one_hold_one_order_and_takes_one_from_the_stock(shop: World) -> None:
    anna = await shop.person("anna", 50_000)
    order = await shop.bought(anna, "e1")
    assert await shop.balance(anna) == (50_000 - PRICE_MINOR, PRICE_MINOR)
    assert (order.state, order.amount_minor, order.currency) == ("authorised", PRICE_MINOR, CNY)
    assert (order.quote_id, order.merchant_id, order.title) == ("q_1", SHOP, "Green tea")
    hold = await shop.reader.hold(order.hold_id)
    assert hold is not None
    assert (hold.state, hold.amount_minor) == ("open", PRICE_MINOR)
    assert hold.payee_account_id == accounts.merchant(SHOP, CNY).id
    assert await shop.sold() == 1
    assert await shop.reader.bought_count("q_1") == 1
    assert await shop.answers() == 1


@pytest.mark.parametrize(("trust", "state"), [("payable", "paid"), ("hold", "expired")])
async def test_a_price_that_the_merchant_named_himself_waits_for_nobody(
    any_world: World, trust: str, state: str
) -> None:
    await any_world.open_shop(standing=False)
    await any_world.offer(stock=10)
    await any_world.quote(trust=trust)
    anna = await any_world.person("anna", 50_000)
    order = await any_world.paid(anna, "e1")
    assert (order.state, order.accepted) == (state, trust == "payable")


async def test_a_tap_delivered_three_times_is_one_tap(shop: World) -> None:
    anna = await shop.person("anna", 50_000)
    for _ in range(3):
        assert await shop.tap(anna, "e1") == "done"
    assert await shop.balance(anna) == (50_000 - PRICE_MINOR, PRICE_MINOR)
    assert await shop.count(t.orders) == 1
    assert await shop.answers() == 1
    assert await shop.sold() == 1


async def test_the_same_event_worked_on_three_times_at_once_is_one_tap(shop: World) -> None:
    anna = await shop.person("anna", 100_000)
    await asyncio.gather(*(shop.tap(anna, "e1") for _ in range(3)))
    assert await shop.balance(anna) == (100_000 - PRICE_MINOR, PRICE_MINOR)
    assert await shop.answers() == 1


async def test_a_second_tap_joins_what_stands(shop: World) -> None:
    anna = await shop.person("anna", 100_000)
    await shop.bought(anna, "e1")
    assert await shop.tap(anna, "e2") == "said"
    assert await shop.tap(anna, "e2") == "said"
    assert await shop.balance(anna) == (100_000 - PRICE_MINOR, PRICE_MINOR)
    assert await shop.count(t.orders) == 1
    (card,) = await shop.cards()
    assert "Not charged again." in plain_text(card)


async def test_a_tap_on_what_is_paid_offers_another(shop: World) -> None:
    anna = await shop.person("anna", 100_000)
    order = await shop.paid(anna, "e1")
    assert await shop.tap(anna, "e2") == "said"
    assert await shop.balance(anna) == (100_000 - PRICE_MINOR, 0)
    (card,) = await shop.cards()
    assert card.title == "You have this."
    assert [button.action for button in card.buttons] == ["again:q_1"]
    assert order.number in plain_text(card)


async def test_two_people_buy_through_the_same_card(shop: World) -> None:
    anna, ben = await shop.person("anna", 50_000), await shop.person("ben", 50_000)
    assert await shop.tap(anna, "e1") == "done"
    assert await shop.tap(ben, "e2") == "done"
    assert await shop.reader.bought_count("q_1") == 2
    assert await shop.sold() == 2


async def test_undo_gives_the_money_and_the_stock_back_and_three_times_is_once(
    shop: World,
) -> None:
    anna = await shop.person("anna", 50_000)
    order = await shop.bought(anna, "e1")
    for _ in range(3):
        assert await shop.undo(anna, "u1", order) == "done"
    assert await shop.balance(anna) == (50_000, 0)
    assert await shop.sold() == 0
    assert (await shop.order(order.id)).state == "undone"


async def test_after_an_undo_a_new_tap_makes_the_next_attempt(shop: World) -> None:
    anna = await shop.person("anna", 50_000)
    orders = []
    for n in range(1, 4):
        orders.append(await shop.bought(anna, f"e{n}"))
        assert await shop.undo(anna, f"u{n}", orders[-1]) == "done"
    assert await shop.tap(anna, "e1") == "done"  # delivered again: its answer stands
    assert await shop.balance(anna) == (50_000, 0)
    async with shop.database.read() as connection:
        query = sa.select(t.attempts.c.n, t.attempts.c.order_id).order_by(t.attempts.c.n)
        attempts = [tuple(row) for row in await connection.execute(query)]
    assert attempts == [(n, order.id) for n, order in enumerate(orders, start=1)]


async def test_three_different_undos_are_one(shop: World) -> None:
    anna = await shop.person("anna", 50_000)
    order = await shop.bought(anna, "e1")
    outcomes = await asyncio.gather(*(shop.undo(anna, f"u{n}", order) for n in range(3)))
    assert sorted(outcomes) == ["done", "not_open", "not_open"]
    assert await shop.balance(anna) == (50_000, 0)
    assert await shop.sold() == 0


async def test_an_undo_by_somebody_else_is_refused(shop: World) -> None:
    anna, ben = await shop.person("anna", 50_000), await shop.person("ben")
    order = await shop.bought(anna, "e1")
    assert await shop.undo(ben, "u1", order) == "not_allowed"
    assert await shop.undo(ben, "u2", None) == "not_allowed"
    assert await shop.balance(anna) == (50_000 - PRICE_MINOR, PRICE_MINOR)


async def test_an_undo_after_the_capture_is_refused_and_says_that_it_is_paid(shop: World) -> None:
    anna = await shop.person("anna", 50_000)
    held = await shop.bought(anna, "e1")
    await shop.make_due(held.hold_id)
    await shop.endings.run_due()
    assert await shop.undo(anna, "u1", held) == "not_open"
    assert await shop.balance(anna) == (50_000 - PRICE_MINOR, 0)
    assert await shop.earned() == PRICE_MINOR
    (card,) = await shop.cards()
    assert "Too late to undo: it is paid." in plain_text(card)


async def test_an_expired_quote_is_refused_with_a_way_on(shop: World) -> None:
    anna = await shop.person("anna", 50_000)
    await shop.quote(name="q_old", valid_for_us=-1)
    assert await shop.tap(anna, "e1", "q_old") == "quote_expired"
    (card,) = await shop.cards()
    assert "Not charged" in card.title
    assert [button.action for button in card.buttons] == ["again:q_old"]


@pytest.mark.parametrize("trust", ["preview", "none", "escrow"])
async def test_a_quote_without_enough_trust_cannot_be_tapped(shop: World, trust: str) -> None:
    anna = await shop.person("anna", 50_000)
    await shop.quote(name="q_preview", trust=trust)
    assert await shop.tap(anna, "e1", "q_preview") == "not_allowed"
    assert await shop.balance(anna) == (50_000, 0)
    (card,) = await shop.cards()
    assert "Not charged." in plain_text(card)
    assert "currency" in plain_text(card)


async def test_a_quote_on_a_host_whose_proof_is_lost_cannot_be_tapped(shop: World) -> None:
    anna = await shop.person("anna", 50_000)
    bought = await shop.bought(anna, "e0")
    claim = {"merchant_id": SHOP, "host": "shop.example", "token": "t", "verified_host": None}
    lost = {**claim, "method": "meta", "verified_at_us": 1, "stage": "lost"}
    await shop.write(Insert("merchant_hosts", lost))
    await shop.quote(name="q_lost")
    assert await shop.tap(anna, "e1", "q_lost") == "unverified"
    (card,) = await shop.cards()
    assert "Not charged" in card.title
    assert [button.action for button in card.buttons] == ["again:q_lost"]
    # What was ordered before goes on.
    await shop.make_due(bought.hold_id)
    await shop.endings.run_due()
    assert (await shop.order(bought.id)).state == "paid"
    found = Update(
        table="merchant_hosts",
        where={"merchant_id": SHOP, "host": "shop.example"},
        values={"verified_host": "shop.example", "stage": None},
    )
    await shop.write(found)
    assert await shop.tap(anna, "e2", "q_lost") == "done"


@pytest.mark.parametrize("amount_minor", [None, 0])
async def test_a_quote_without_a_price_cannot_be_tapped(
    shop: World, amount_minor: int | None
) -> None:
    anna = await shop.person("anna", 50_000)
    await shop.quote(name="q_free", amount_minor=amount_minor)
    assert await shop.tap(anna, "e1", "q_free") == "not_allowed"
    assert await shop.sold() == 0


async def test_an_unknown_quote_is_refused(shop: World) -> None:
    anna = await shop.person("anna", 50_000)
    assert await shop.tap(anna, "e1", "q_nothing") == "unknown_quote"
    assert "Not charged" in (await shop.cards())[0].title


async def test_a_quote_without_a_merchant_is_refused(shop: World) -> None:
    anna = await shop.person("anna", 50_000)
    await shop.quote(name="q_nobody", merchant_id=None)
    assert await shop.tap(anna, "e1", "q_nobody") == "unknown_quote"
    assert await shop.balance(anna) == (50_000, 0)


async def test_a_frozen_wallet_does_not_pay_but_undoes(shop: World) -> None:
    anna = await shop.person("anna", 50_000)
    order = await shop.bought(anna, "e1")
    await shop.freeze(anna.wallet_id)
    assert await shop.undo(anna, "u1", order) == "done"
    assert await shop.tap(anna, "e2") == "wallet_frozen"
    assert await shop.balance(anna) == (50_000, 0)
    await shop.freeze(anna.wallet_id, frozen=False)
    assert await shop.tap(anna, "e3") == "done"


async def test_too_little_money_is_refused_with_the_balance_and_a_way_to_top_up(
    shop: World,
) -> None:
    anna = await shop.person("anna", 12_345)
    assert await shop.tap(anna, "e1") == "no_funds"
    (card,) = await shop.cards()
    assert "Not charged." in plain_text(card)
    assert "You have ¥123.45; this needs ¥199.00." in plain_text(card)
    assert card.buttons[0].action.startswith("topup:CNY:7555:q_")
    assert await shop.balance(anna) == (12_345, 0)
    assert await shop.count(t.orders) == 0
    assert await shop.sold() == 0


async def test_sold_out_is_refused_and_an_undo_makes_room_for_the_next(shop: World) -> None:
    anna, ben = await shop.person("anna", 50_000), await shop.person("ben", 50_000)
    await shop.offer(stock=1, name="rare")
    await shop.quote("of_rare", name="q_rare")
    order = await shop.bought(anna, "e1", "q_rare")
    assert await shop.tap(ben, "e2", "q_rare") == "sold_out"
    assert await shop.balance(ben) == (50_000, 0)
    await shop.undo(anna, "u1", order)
    assert await shop.tap(ben, "e2", "q_rare") == "sold_out"  # what was said stays true
    assert await shop.tap(ben, "e3", "q_rare") == "done"


@pytest.mark.parametrize("why", ["no_funds", "wallet_frozen", "sold_out", "quote_expired"])
async def test_a_refusal_stays_when_its_reason_is_gone(shop: World, why: str) -> None:
    anna = await shop.person("anna", 100 if why == "no_funds" else 50_000)
    await shop.offer(stock=0 if why == "sold_out" else 5, name="late")
    await shop.quote("of_late", name="q_late", valid_for_us=-1 if why == "quote_expired" else 1000)
    if why != "quote_expired":
        await _valid_again(shop)
    if why == "wallet_frozen":
        await shop.freeze(anna.wallet_id)
    assert await shop.tap(anna, "e1", "q_late") == why
    await shop.top_up(anna.wallet_id, 100_000, "later")
    await shop.freeze(anna.wallet_id, frozen=False)
    await _valid_again(shop)
    async with shop.database.write() as connection:
        await connection.execute(
            sa.update(t.offers).where(t.offers.c.id == "of_late").values(stock_total=5)
        )
    for _ in range(3):
        assert await shop.tap(anna, "e1", "q_late") == why
    assert (await shop.balance(anna))[1] == 0
    assert await shop.answers() == 1
    assert await shop.tap(anna, "e2", "q_late") == "done"


async def _valid_again(shop: World) -> None:
    async with shop.database.write() as connection:
        await connection.execute(sa.update(t.quotes).values(expires_at_us=now_us() + HOUR_US))


async def test_a_tap_and_its_undo_at_once_end_in_one_of_both(shop: World) -> None:
    anna = await shop.person("anna", 50_000)
    order = await shop.bought(anna, "e1")
    tapped, undone = await asyncio.gather(shop.tap(anna, "e2"), shop.undo(anna, "u1", order))
    assert undone == "done"
    assert tapped in ("done", "said")
    assert await shop.balance(anna) == (
        (50_000 - PRICE_MINOR, PRICE_MINOR) if tapped == "done" else (50_000, 0)
    )


async def test_what_the_tap_named_finds_its_order_for_its_own_payer_only(shop: World) -> None:
    anna, ben = await shop.person("anna", 50_000), await shop.person("ben")
    order = await shop.bought(anna, "e1")
    found = await shop.reader.order_of_tap("tap of e1", anna.person_id)
    assert found == order
    assert await shop.reader.order_of_tap("tap of e1", ben.person_id) is None


async def test_a_refusal_is_private(shop: World) -> None:
    anna = await shop.person("anna", 1)
    await shop.tap(anna, "e1")
    async with shop.database.read() as connection:
        rows = (await connection.execute(sa.select(t.outbox))).all()
    assert [(row.person_id, row.room_id) for row in rows] == [("anna", "lobby")]


async def test_the_same_wallet_pays_two_quotes_at_once_only_as_far_as_the_money_goes(
    shop: World,
) -> None:
    anna = await shop.person("anna", PRICE_MINOR)
    await shop.quote(name="q_2")
    outcomes = await asyncio.gather(shop.tap(anna, "e1", "q_1"), shop.tap(anna, "e2", "q_2"))
    assert sorted(outcomes) == ["done", "no_funds"]
    assert await shop.balance(anna) == (0, PRICE_MINOR)


async def test_a_stolen_lease_charges_nothing_and_says_so(database_url: str) -> None:
    """Between grant and commit another process gets the lease: the fence refuses the commit."""
    async with world_at(database_url) as thief, world_at(database_url, create=False) as robbed:
        await thief.open_shop()
        await thief.offer()
        await thief.quote()
        anna = await thief.person("anna", 50_000)
        robbed.checkout.leases = Interrupted(
            robbed.leases, lambda: thief.writer.raise_fence(anna.wallet_id)
        )
        assert await robbed.tap(anna, "e1") == "stale_fence"
        assert await thief.balance(anna) == (50_000, 0)
        (card,) = await thief.cards()
        assert card.title == "Not charged. Please tap again in a moment."
        assert await thief.tap(anna, "e1") == Refusal.STALE_FENCE
        assert await thief.tap(anna, "e2") == "done"
        assert await thief.inbox.waiting_count() == 0
        await audit(thief.database)


async def test_two_processes_answer_the_same_event_with_one_answer(database_url: str) -> None:
    async with world_at(database_url) as one, world_at(database_url, create=False) as other:
        await one.open_shop()
        await one.offer(stock=1)
        await one.quote()
        anna = await one.person("anna", 50_000)
        for n in range(10):
            tap = _tap(one, anna, f"e{n}")
            await one.heard(f"e{n}")
            await asyncio.gather(one.checkout.tap(tap), other.checkout.tap(tap))
            assert await one.outcome(f"e{n}") != "open"
        assert await one.inbox.waiting_count() == 0
        assert await one.count(t.orders) <= 1
        assert await one.answers() == 10
        await audit(one.database)


def _tap(world: World, payer: Payer, event_id: str) -> TapOn:
    return TapOn(
        event_id=event_id, quote_id="q_1", payer=payer, place=world.place(), at_us=now_us()
    )
