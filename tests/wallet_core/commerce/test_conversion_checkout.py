"""Paying with another currency: never silently, and in one commit."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from tests.audit import audit
from tests.wallet_core.world import CNY, PRICE_MINOR, World, now_us, world_at
from wallet_core.audit import auditing
from wallet_core.commerce.checkout import TapOn
from wallet_core.commerce.conversion import Conversion, TableRates
from wallet_core.commerce.records import Order, OrderState, Payer, TapFacts
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Update
from wallet_core.ledger.wallets import WalletMode
from wallet_core.limits import Limits, WalletLimits
from wallet_core.money import Money
from wallet_core.storage import tables as t
from wallet_core.storage import trade_tables as trade
from wallet_core.storage.audit_reader import books_of

#: A dollar is 7.2 yuan and the house keeps 1 %: ¥199.00 are $27.92.
RATES = TableRates(
    {
        ("USD", CNY): (Fraction("7.2"), "2026-11-25"),
        ("JPY", CNY): (Fraction("0.05"), "2026-11-25"),
    }
)
COST_MINOR = 2_792
USD, JPY = "USD", "JPY"


@pytest.fixture
async def shop(database_url: str) -> AsyncIterator[World]:
    """A shop that is open, in a house that converts."""
    async with world_at(database_url, rates=RATES, spread_ppm=10_000) as world:
        await world.open_shop()
        await world.offer()
        await world.quote()
        yield world
        await audit(world.database)
        async with books_of(world.database) as books:
            await auditing.audit(books)


async def anna_with(world: World, usd_minor: int = 0, cny_minor: int = 0) -> Payer:
    anna = await world.person("anna", cny_minor)
    if usd_minor:
        await world.top_up(anna.wallet_id, usd_minor, "dollars", USD)
    return anna


async def has(world: World, payer: Payer, currency: str) -> int:
    return await world.reader.balance_minor(accounts.wallet(payer.wallet_id, currency))


async def offered(world: World) -> str:
    """The id of the conversion that the newest card offers."""
    card = (await world.cards())[-1]
    (button,) = card.buttons
    return button.action.removeprefix("payby:")


async def pay_by(world: World, payer: Payer, event_id: str, conversion_id: str) -> str:
    await world.heard(event_id)
    tap = TapOn(event_id=event_id, quote_id="", payer=payer, place=world.place(), at_us=now_us())
    await world.checkout.pay_by(tap, conversion_id)
    return await world.outcome(event_id)


class UndoneAfterTheFirstLook:
    """A reader; right after it has told of an order for the first time, the order is undone."""

    def __init__(self, world: World, payer: Payer, order: Order) -> None:
        self._world, self._payer, self._order = world, payer, order
        self._is_undone = False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the reader has
        return getattr(self._world.reader, name)

    async def tap_facts(self, quote_id: str, wallet_id: str) -> TapFacts | None:
        facts = await self._world.reader.tap_facts(quote_id, wallet_id)
        if not self._is_undone:
            self._is_undone = True
            assert await self._world.undo(self._payer, "just then", self._order) == "done"
        return facts


async def expire(world: World, conversion_id: str) -> None:
    row = Update(table="conversions", where={"id": conversion_id}, values={"expires_at_us": 1})
    await world.write(row)


async def test_a_tap_without_funds_converts_nothing_and_offers_it_to_the_tapper_alone(
    shop: World,
) -> None:
    anna = await anna_with(shop, 3_000, 100)
    assert await shop.tap(anna, "e1") == "no_funds"
    assert await has(shop, anna, USD) == 3_000
    assert await shop.count(t.orders) == 0
    (card,) = await shop.cards()
    assert card.title == "Not charged."
    assert card.lines[0].text == "You have ¥1.00; this needs ¥199.00."
    assert card.lines[1].text == "1 USD = 7.2 CNY (2026-11-25), less 1 %"
    assert [button.label for button in card.buttons] == ["Pay ¥199.00 for $27.92, 60 s"]


async def test_the_tap_on_the_offer_converts_and_authorises_in_one_commit(shop: World) -> None:
    anna = await anna_with(shop, 3_000)
    await shop.tap(anna, "e1")
    assert await pay_by(shop, anna, "e2", await offered(shop)) == "done"
    assert await has(shop, anna, USD) == 3_000 - COST_MINOR
    assert await shop.balance(anna) == (0, PRICE_MINOR)
    order = await shop.latest_order(anna)
    assert order.price == Money(PRICE_MINOR, CNY)
    async with shop.database.read() as connection:
        query = sa.select(t.transfers.c.commit_key, t.transfers.c.kind).where(
            t.transfers.c.subject.like("order:%") | t.transfers.c.subject.like("conversion:%")
        )
        rows = (await connection.execute(query)).all()
    assert {row.kind for row in rows} == {"post", "authorise"}
    assert len({row.commit_key for row in rows}) == 1
    sold = await shop.reader.balance_minor(accounts.exchange("table", USD))
    bought = await shop.reader.balance_minor(accounts.exchange("table", CNY))
    assert (sold, bought) == (COST_MINOR, -PRICE_MINOR)


async def test_twenty_taps_on_one_offer_pay_once(shop: World) -> None:
    anna = await anna_with(shop, 100_000)
    await shop.tap(anna, "e1")
    offer = await offered(shop)
    outcomes = await asyncio.gather(*(pay_by(shop, anna, f"p{n}", offer) for n in range(20)))
    assert Counter(outcomes) == {"done": 1, "said": 19}
    assert await has(shop, anna, USD) == 100_000 - COST_MINOR
    # The same tap delivered again changes nothing.
    again = await asyncio.gather(*(pay_by(shop, anna, f"p{n}", offer) for n in range(20)))
    assert again == outcomes


async def test_an_offer_that_is_over_charges_nothing_and_makes_a_new_one(shop: World) -> None:
    anna = await anna_with(shop, 3_000)
    await shop.tap(anna, "e1")
    old = await offered(shop)
    await expire(shop, old)
    assert await pay_by(shop, anna, "e2", old) == "rate_expired"
    assert await has(shop, anna, USD) == 3_000
    card = (await shop.cards())[-1]
    assert card.title == "Not charged. That rate is over; this is the new one."
    new = await offered(shop)
    assert new != old
    assert await pay_by(shop, anna, "e3", new) == "done"
    # The refusal of the old one stands for ever.
    assert await pay_by(shop, anna, "e2", old) == "rate_expired"


async def test_an_offer_that_is_over_does_not_pay_in_the_place_of_what_is_undone_just_then(
    shop: World,
) -> None:
    anna = await anna_with(shop, 3_000)
    await shop.tap(anna, "e1")
    old = await offered(shop)
    await shop.top_up(anna.wallet_id, PRICE_MINOR, "yuan")
    assert await shop.tap(anna, "e2") == "done"
    await expire(shop, old)
    checkout = shop.checkout
    looking = UndoneAfterTheFirstLook(shop, anna, await shop.latest_order(anna))
    shop.checkout = replace(checkout, reader=looking)
    assert await pay_by(shop, anna, "e3", old) in ("said", "rate_expired")
    assert await has(shop, anna, USD) == 3_000
    assert await shop.balance(anna) == (PRICE_MINOR, 0)


async def test_nobody_takes_an_offer_that_was_made_to_somebody_else(shop: World) -> None:
    anna = await anna_with(shop, 3_000)
    await shop.tap(anna, "e1")
    offer = await offered(shop)
    ben = await shop.person("ben")
    await shop.top_up(ben.wallet_id, 9_000, "bens dollars", USD)
    assert await pay_by(shop, ben, "e2", offer) == "not_allowed"
    assert await pay_by(shop, ben, "e3", "x_unknown") == "not_allowed"
    assert await has(shop, ben, USD) == 9_000


async def test_money_that_is_gone_by_then_charges_nothing(shop: World) -> None:
    anna = await anna_with(shop, 3_000)
    await shop.tap(anna, "e1")
    offer = await offered(shop)
    await shop.quote(name="q_2", amount_minor=15_000)
    await shop.tap(anna, "e2", "q_2")
    assert await pay_by(shop, anna, "e3", await offered(shop)) == "done"
    left = await has(shop, anna, USD)
    assert await pay_by(shop, anna, "e4", offer) == "no_funds"
    assert await has(shop, anna, USD) == left
    assert await shop.count(t.orders) == 1


async def test_a_standing_consent_makes_it_one_tap_up_to_its_cap(shop: World) -> None:
    anna = await anna_with(shop, 10_000)
    await shop.write(*await shop.exchange.consenting(anna.wallet_id, Money(COST_MINOR - 1, USD)))
    assert await shop.tap(anna, "e1") == "no_funds"
    await shop.write(*await shop.exchange.consenting(anna.wallet_id, Money(COST_MINOR, USD)))
    assert await shop.tap(anna, "e2") == "done"
    assert await has(shop, anna, USD) == 10_000 - COST_MINOR
    assert await shop.tap(anna, "e2") == "done"
    assert await has(shop, anna, USD) == 10_000 - COST_MINOR
    async with shop.database.read() as connection:
        query = sa.select(trade.conversions.c.state).where(trade.conversions.c.state == "done")
        assert len((await connection.execute(query)).all()) == 1
    await shop.write(*await shop.exchange.consenting(anna.wallet_id, Money(0, USD)))
    await shop.quote(name="q_2")
    assert await shop.tap(anna, "e3", "q_2") == "no_funds"


async def test_consented_taps_at_once_convert_once(shop: World) -> None:
    anna = await anna_with(shop, 100_000)
    await shop.write(*await shop.exchange.consenting(anna.wallet_id, Money(50_000, USD)))
    outcomes = await asyncio.gather(*(shop.tap(anna, f"e{n}") for n in range(20)))
    assert Counter(outcomes) == {"done": 1, "said": 19}
    assert await has(shop, anna, USD) == 100_000 - COST_MINOR


async def test_the_currency_that_covers_the_price_best_is_offered(shop: World) -> None:
    anna = await anna_with(shop, 3_000)
    await shop.top_up(anna.wallet_id, 100_000, "yen", JPY)
    assert await shop.tap(anna, "e1") == "no_funds"
    (card,) = await shop.cards()
    assert card.buttons[0].label == "Pay ¥199.00 for JP¥4,021, 60 s"


async def test_limits_and_modes_hold_for_what_is_paid_with_another_currency(shop: World) -> None:
    anna = await anna_with(shop, 10_000)
    await shop.tap(anna, "e1")
    offer = await offered(shop)
    text = WalletLimits(admin={CNY: Limits(day_max_minor=100)}).text()
    wallet = {"id": anna.wallet_id}
    await shop.write(Update(table="wallets", where=wallet, values={"limits": text}))
    assert await pay_by(shop, anna, "e2", offer) == "day_limit"
    mode = {"limits": None, "mode": WalletMode.WITHDRAW_ONLY}
    await shop.write(Update(table="wallets", where=wallet, values=mode))
    assert await pay_by(shop, anna, "e3", offer) == "withdraw_only"
    assert await has(shop, anna, USD) == 10_000
    await shop.write(Update(table="wallets", where=wallet, values={"mode": WalletMode.OPEN}))
    assert await pay_by(shop, anna, "e4", offer) == "done"


async def test_an_undo_gives_back_what_was_held_in_the_prices_currency(shop: World) -> None:
    anna = await anna_with(shop, 3_000)
    await shop.tap(anna, "e1")
    await pay_by(shop, anna, "e2", await offered(shop))
    order = await shop.latest_order(anna)
    assert await shop.undo(anna, "u1", order) == "done"
    assert (await shop.order(order.id)).state == OrderState.UNDONE
    assert await shop.balance(anna) == (PRICE_MINOR, 0)
    assert await has(shop, anna, USD) == 3_000 - COST_MINOR


async def test_a_house_without_rates_offers_a_top_up_as_ever(world: World) -> None:
    await world.open_shop()
    await world.offer()
    await world.quote()
    anna = await anna_with(world, 10_000)
    assert await world.tap(anna, "e1") == "no_funds"
    (card,) = await world.cards()
    assert card.buttons[0].label == "Top up ¥199.00"


async def test_a_conversion_is_kept_as_it_was_quoted(shop: World) -> None:
    anna = await anna_with(shop, 3_000)
    await shop.tap(anna, "e1")
    known = await shop.exchange.reader.conversion(await offered(shop))
    assert isinstance(known, Conversion)
    assert (known.rate, known.rate_as_of, known.spread_ppm) == ("36/5", "2026-11-25", 10_000)
    assert msgspec.json.decode(msgspec.json.encode(known), type=Conversion) == known


async def test_an_offer_that_was_taken_and_undone_is_over_and_says_so(shop: World) -> None:
    """Not "tap again in a moment", which would never help."""
    anna = await anna_with(shop, 6_000)
    await shop.tap(anna, "e1")
    old = await offered(shop)
    assert await pay_by(shop, anna, "e2", old) == "done"
    assert await pay_by(shop, anna, "again", old) == "said"
    order = await shop.latest_order(anna)
    assert await shop.undo(anna, "undo", order) == "done"
    assert await pay_by(shop, anna, "e3", old) == "rate_expired"
    card = (await shop.cards())[-1]
    assert card.title == "Not charged. That rate is over."
    # There are yuan enough now, so no more dollars are asked for.
    assert card.buttons == ()
    assert await shop.balance(anna) == (PRICE_MINOR, 0)
    assert await has(shop, anna, USD) == 6_000 - COST_MINOR
    assert await shop.tap(anna, "e4") == "done"
