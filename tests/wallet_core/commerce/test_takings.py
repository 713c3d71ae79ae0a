"""What is taken at capture, captures in parts, pending money, and refunds of all of that."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit import audit
from tests.wallet_core.world import CNY, PRICE_MINOR, SELLER, SHOP, World, world_at
from wallet_core.audit import auditing
from wallet_core.commerce.checkout import Terms
from wallet_core.commerce.house_terms import (
    MILLION,
    HouseTerms,
    Tariff,
    given_back,
    half_even,
    shares_of,
    with_returned,
    with_taken,
)
from wallet_core.commerce.records import Order, OrderState
from wallet_core.ledger import accounts
from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.commits import Update
from wallet_core.money import Money
from wallet_core.storage import tables as t
from wallet_core.storage.audit_reader import books_of

FEES, COMMISSION, TAX = accounts.fees(CNY), accounts.commission(CNY), accounts.tax(CNY)
PENDING, FREE = accounts.pending(SHOP, CNY), accounts.merchant(SHOP, CNY)
TARIFF = Tariff(fee_ppm=15_000, fee_fixed_minor=30, tax_ppm=60_000)
NO_UNDO = Terms(undo_window_s=0.0, accept_within_s=600.0)

PPM = st.integers(0, MILLION)
MINOR = st.integers(1, 10**12) | st.integers(1, 60)


# --- the arithmetic ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(5, 10, 0), (15, 10, 2), (25, 10, 2), (35, 10, 4), (14, 10, 1), (16, 10, 2), (0, 3, 0)],
)
def test_a_half_goes_to_the_even_neighbour(numerator: int, denominator: int, rounded: int) -> None:
    assert half_even(numerator, denominator) == rounded


#: A part of which three shares that are each rounded up by one leave something.
_NO_CRUMB = 6


def test_a_fixed_part_that_a_first_capture_is_too_small_for_is_taken_of_the_next_ones() -> None:
    tariff = Tariff(fee_fixed_minor=30)
    took = [
        sum(share.amount_minor for share in shares_of(tariff, 0, CNY, captured, 10))
        for captured in range(0, 100, 10)
    ]
    assert took == [10, 10, 10, 0, 0, 0, 0, 0, 0, 0]


@settings(deadline=None)
@given(PPM, st.integers(0, 10_000), PPM, PPM, st.lists(MINOR, min_size=1, max_size=8))
def test_parts_cost_no_more_than_the_whole_and_no_part_more_than_itself(
    fee_ppm: int, fixed_minor: int, tax_ppm: int, commission_ppm: int, parts: list[int]
) -> None:
    tariff = Tariff(fee_ppm=fee_ppm, fee_fixed_minor=fixed_minor, tax_ppm=tax_ppm)
    shares = shares_of(tariff, commission_ppm, CNY, 0, sum(parts))
    whole = sum(share.amount_minor for share in shares)
    assert whole <= sum(parts)
    captured, taken = 0, 0
    for part in parts:
        some = sum(s.amount_minor for s in shares_of(tariff, commission_ppm, CNY, captured, part))
        assert 0 <= some <= part
        captured, taken = captured + part, taken + some
    if fee_ppm + tax_ppm + commission_ppm < MILLION // 2 and min(parts) >= _NO_CRUMB:
        assert taken == whole


def test_the_remainder_of_rounding_is_the_merchants() -> None:
    tariff = Tariff(fee_ppm=5_000)
    # Half a cent of one yuan: to the even neighbour, which is nothing.
    assert shares_of(tariff, 0, CNY, 0, 100) == ()
    (share,) = shares_of(tariff, 0, CNY, 0, 300)
    assert (share.account, share.amount_minor) == (FEES, 2)


@settings(deadline=None)
@given(st.integers(1, 10**9), st.integers(0, 10**9), st.lists(st.integers(1, 10**8), max_size=6))
def test_what_the_house_gives_back_with_refunds_ends_where_it_began(
    captured: int, took: int, refunds: list[int]
) -> None:
    taken = {FEES.id: (min(took, captured), 0)}
    refunded = 0
    for amount in [*refunds, captured]:
        refunded = min(refunded + amount, captured)
        back = given_back(taken, refunded, captured)
        taken = dict(with_returned(taken, back))
    assert taken[FEES.id] == (min(took, captured), min(took, captured))


# --- on both databases -------------------------------------------------------------------------


async def opened(world: World, *, standing: bool, commission_ppm: int = 0) -> None:
    await world.open_shop(standing=standing)
    await world.write(
        Update(table="merchants", where={"id": SHOP}, values={"commission_ppm": commission_ppm})
    )
    await world.offer()
    await world.quote()


async def balances(world: World, *refs: AccountRef) -> list[int]:
    return [await world.reader.balance_minor(ref) for ref in refs]


@pytest.fixture
async def fees(database_url: str) -> AsyncIterator[World]:
    """A house that takes a fee and sets tax aside, and keeps them at refunds."""
    house = HouseTerms(tariff_of=lambda _: TARIFF)
    async with world_at(database_url, house=house, terms=NO_UNDO) as world:
        yield world
        await audit(world.database)
        async with books_of(world.database) as books:
            await auditing.audit(books)


@pytest.fixture
async def slow(database_url: str) -> AsyncIterator[World]:
    """A house whose merchants wait an hour for their money and whose fees are refunded."""
    house = HouseTerms(tariff_of=lambda _: TARIFF, pending_s=3600, fees_refunded=True)
    async with world_at(database_url, house=house, terms=NO_UNDO) as world:
        yield world
        await audit(world.database)
        async with books_of(world.database) as books:
            await auditing.audit(books)


async def test_fee_commission_and_tax_are_legs_of_the_capture(fees: World) -> None:
    await opened(fees, standing=True, commission_ppm=20_000)
    anna = await fees.person("anna", PRICE_MINOR)
    order = await fees.paid(anna, "e1")
    # 199.00: fee 1.5 % + 0.30, commission 2 %, tax 6 %.
    taken = [298 + 30, 398, 1_194]
    assert await balances(fees, FEES, COMMISSION, TAX) == taken
    assert await fees.earned() == PRICE_MINOR - sum(taken)
    assert order.fee == Money(sum(taken), CNY)
    lines = await fees.reader.entries_of(f"order:{order.id}")
    captures = {line.transfer_id for line in lines if line.kind == "capture"}
    assert len(captures) == 1
    # The payer pays the price and nothing else.
    assert await fees.balance(anna) == (0, 0)


async def test_the_house_keeps_its_fee_at_a_refund_unless_it_says_otherwise(fees: World) -> None:
    await opened(fees, standing=True)
    anna = await fees.person("anna", PRICE_MINOR)
    seller = await fees.person(SELLER)
    order = await fees.paid(anna, "e1")
    assert await fees.refund(seller, "r1", order, PRICE_MINOR) == "no_funds"
    await fees.top_up_shop(5_000)
    assert await fees.refund(seller, "r2", order, PRICE_MINOR) == "done"
    assert await balances(fees, FEES, TAX) == [328, 1_194]
    assert await fees.earned() == 5_000 - 328 - 1_194
    assert await fees.balance(anna) == (PRICE_MINOR, 0)


async def part(world: World, event_id: str, order: Order, amount_minor: int) -> str:
    await world.heard(event_id)
    seller = await world.person(SELLER)
    await world.fulfilment.capture_part(
        event_id,
        order,
        Money(amount_minor, order.currency),
        seller.person_id,
        world.place(SELLER),
        time.time_ns() // 1000,
    )
    return await world.outcome(event_id)


async def test_an_order_is_captured_in_parts_and_the_rest_released(fees: World) -> None:
    await opened(fees, standing=False)
    anna = await fees.person("anna", 30_000)
    order = await fees.bought(anna, "e1")
    assert await part(fees, "c1", order, PRICE_MINOR + 1) == "too_much"
    assert await part(fees, "c1b", order, 10_000) == "done"
    # A stale view of the order captures nothing.
    assert await part(fees, "c2", order, 5_000) == "not_open"
    order = await fees.order(order.id)
    assert await part(fees, "c3", order, 5_000) == "done"
    order = await fees.order(order.id)
    assert (order.state, order.captured_minor) == (OrderState.AUTHORISED, 15_000)
    assert await fees.balance(anna) == (30_000 - PRICE_MINOR, PRICE_MINOR - 15_000)
    assert await fees.undo(anna, "u1", order) == "not_open"
    seller = await fees.person(SELLER)
    assert await fees.refund(seller, "r0", order, 100) == "too_early"
    await fees.fulfilment.release("rel", order, seller.person_id, fees.place(SELLER))
    order = await fees.order(order.id)
    assert (order.state, order.captured_minor) == (OrderState.PAID, 15_000)
    assert await fees.balance(anna) == (15_000, 0)
    # What the parts cost is what 150.00 cost at once: 2.25 + 0.30 and 9.00.
    assert await balances(fees, FEES, TAX) == [255, 900]
    assert await fees.earned() == 15_000 - 1_155
    assert await part(fees, "late", order, 100) == "not_open"
    assert await fees.refund(seller, "r1", order, 15_001) == "too_much"
    assert await fees.refund(seller, "r2", order, 10_000) == "done"


async def test_capturing_all_that_is_left_ends_the_hold(fees: World) -> None:
    await opened(fees, standing=False)
    anna = await fees.person("anna", PRICE_MINOR)
    order = await fees.bought(anna, "e1")
    assert await part(fees, "c1", order, 19_800) == "done"
    assert await part(fees, "c2", await fees.order(order.id), 100) == "done"
    order = await fees.order(order.id)
    assert (order.state, order.captured_minor) == (OrderState.PAID, PRICE_MINOR)
    assert await fees.balance(anna) == (0, 0)


async def test_a_part_that_was_captured_stays_when_the_rest_expires(fees: World) -> None:
    await opened(fees, standing=False)
    anna = await fees.person("anna", PRICE_MINOR)
    order = await fees.bought(anna, "e1")
    assert await part(fees, "c1", order, 900) == "done"
    await fees.make_due(order.hold_id)
    await fees.endings.run_due()
    order = await fees.order(order.id)
    assert (order.state, order.captured_minor) == (OrderState.PAID, 900)
    assert await fees.balance(anna) == (PRICE_MINOR - 900, 0)
    assert await fees.sold() == 1


async def test_accepting_after_a_part_captures_exactly_the_rest(fees: World) -> None:
    await opened(fees, standing=False)
    anna = await fees.person("anna", PRICE_MINOR)
    order = await fees.bought(anna, "e1")
    assert await part(fees, "c1", order, 900) == "done"
    order = await fees.order(order.id)
    seller = await fees.person(SELLER)
    await fees.fulfilment.accept("a1", order, seller.person_id, fees.place(SELLER))
    await fees.endings.run_due()
    order = await fees.order(order.id)
    assert (order.state, order.captured_minor) == (OrderState.PAID, PRICE_MINOR)
    assert await fees.balance(anna) == (0, 0)
    assert await balances(fees, FEES, TAX) == [328, 1_194]


async def test_only_a_member_captures_and_not_while_the_buyer_can_undo(world: World) -> None:
    await opened(world, standing=False)
    anna = await world.person("anna", PRICE_MINOR)
    order = await world.bought(anna, "e1")
    assert await part(world, "c1", order, 900) == "too_early"
    await world.fulfilment.capture_part(
        "c2", order, Money(900, CNY), anna.person_id, world.place(), order.created_at_us + 10**9
    )
    assert await world.outcome("c2") == "not_allowed"
    assert await world.balance(anna) == (0, PRICE_MINOR)


async def test_an_undo_that_was_heard_in_time_wins_over_a_part_however_late_it_is_answered(
    fees: World,
) -> None:
    await opened(fees, standing=False)
    anna = await fees.person("anna", PRICE_MINOR)
    order = await fees.bought(anna, "e1")
    await fees.heard("undo")
    async with fees.database.write() as connection:
        in_time = sa.update(t.inbox).where(t.inbox.c.event_id == "undo")
        await connection.execute(in_time.values(received_at_us=order.created_at_us))
    assert await part(fees, "c1", order, 900) == "too_early"
    assert await fees.undo(anna, "undo", order) == "done"
    assert await part(fees, "c2", order, 900) == "not_open"
    assert await fees.balance(anna) == (PRICE_MINOR, 0)


async def test_an_event_that_was_heard_after_the_undo_window_keeps_no_part_waiting(
    fees: World,
) -> None:
    await opened(fees, standing=False)
    anna = await fees.person("anna", PRICE_MINOR)
    order = await fees.bought(anna, "e1")
    await fees.heard("late")
    assert await part(fees, "c1", order, 900) == "done"


async def test_pending_money_becomes_available_when_it_is_due_and_once(slow: World) -> None:
    await opened(slow, standing=True)
    anna = await slow.person("anna", PRICE_MINOR)
    await slow.paid(anna, "e1")
    net = PRICE_MINOR - 328 - 1_194
    assert await balances(slow, PENDING, FREE) == [net, 0]
    assert await slow.settlements.run_due() == 0
    await slow.make_settlements_due()
    assert sum(await asyncio.gather(*(slow.settlements.run_due() for _ in range(5)))) >= 1
    assert await balances(slow, PENDING, FREE) == [0, net]
    assert await slow.settlements.run_due() == 0


async def test_a_refund_takes_what_is_pending_first_and_the_house_gives_its_share_back(
    slow: World,
) -> None:
    await opened(slow, standing=True)
    anna = await slow.person("anna", PRICE_MINOR)
    seller = await slow.person(SELLER)
    order = await slow.paid(anna, "e1")
    assert await slow.refund(seller, "r1", order, 9_950) == "done"
    assert await balances(slow, FEES, TAX, FREE) == [164, 597, 0]
    order = await slow.order(order.id)
    assert order.fee == Money(164 + 597, CNY)
    assert await slow.refund(seller, "r2", order, 9_950) == "done"
    assert await balances(slow, FEES, TAX, PENDING, FREE) == [0, 0, 0, 0]
    assert (await slow.order(order.id)).state == OrderState.REFUNDED
    assert await slow.balance(anna) == (PRICE_MINOR, 0)
    await slow.make_settlements_due()
    await slow.settlements.run_due()
    assert await balances(slow, PENDING, FREE) == [0, 0]


async def test_twenty_refunds_at_once_never_give_back_more_than_was_captured(slow: World) -> None:
    await opened(slow, standing=False)
    anna = await slow.person("anna", PRICE_MINOR)
    seller = await slow.person(SELLER)
    order = await slow.bought(anna, "e1")
    assert await part(slow, "c1", order, 10_000) == "done"
    order = await slow.order(order.id)
    await slow.fulfilment.release("rel", order, seller.person_id, slow.place(SELLER))
    order = await slow.order(order.id)
    settling = slow.make_settlements_due()
    outcomes = await asyncio.gather(
        *(slow.refund(seller, f"r{n}", order, 6_000) for n in range(20)), settling
    )
    # Those who come second are told that the order has changed, or find its pending money gone.
    assert Counter(outcomes)["done"] == 1
    assert {*outcomes} - {None} <= {"done", "changed", "no_funds"}
    order = await slow.order(order.id)
    await slow.settlements.run_due()
    outcomes = await asyncio.gather(
        *(slow.refund(seller, f"s{n}", order, 4_000) for n in range(20)),
    )
    assert Counter(outcomes)["done"] == 1
    assert {*outcomes} <= {"done", "changed", "no_funds", "too_much"}
    assert (await slow.order(order.id)).state == OrderState.REFUNDED
    assert await slow.balance(anna) == (PRICE_MINOR, 0)
    assert await balances(slow, FEES, TAX, PENDING, FREE) == [0, 0, 0, 0]


def test_what_was_taken_adds_up_over_captures() -> None:
    taken = with_taken({}, shares_of(TARIFF, 0, CNY, 0, 10_000))
    taken = with_taken(taken, shares_of(TARIFF, 0, CNY, 10_000, 9_900))
    assert taken == {FEES.id: (328, 0), TAX.id: (1_194, 0)}
