"""Quotes for conversions: exact, rounded once, and never in the customer's favour."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wallet_core.commerce.conversion import (
    ConversionQuotes,
    NoRates,
    Rate,
    TableRates,
    Wanted,
    bought_for,
    minor_price,
    sold_for,
)
from wallet_core.commerce.house_terms import MILLION
from wallet_core.money import AMOUNT_MINOR_MAX, Money, exponent_of

#: One currency for each number of decimals that there is.
BY_EXPONENT = {0: "JPY", 2: "CNY", 3: "KWD", 4: "CLF"}
PAIRS = [(a, b) for a, b in itertools.product(BY_EXPONENT.values(), repeat=2) if a != b]
PAIRS += [("USD", "CNY"), ("JPY", "SAT"), ("KWD", "BHD"), ("CLF", "UYW")]
PRICES = st.fractions(Fraction(1, 10**6), 10**6, max_denominator=10**8)
SPREADS = st.integers(0, MILLION // 2)
AMOUNTS = st.integers(1, 10**12)


def rate(pair: tuple[str, str], price: Fraction) -> Rate:
    return Rate("table", *pair, price, "2026-11-25")


@settings(deadline=None)
@given(st.sampled_from(PAIRS), PRICES, SPREADS, AMOUNTS)
def test_what_is_sold_for_a_price_is_rounded_up_by_less_than_one_unit(
    pair: tuple[str, str], price: Fraction, spread_ppm: int, bought_minor: int
) -> None:
    known = rate(pair, price)
    sold_minor = sold_for(bought_minor, known, spread_ppm)
    exact = bought_minor / minor_price(known, spread_ppm)
    assert 0 <= sold_minor - exact < 1


@settings(deadline=None)
@given(st.sampled_from(PAIRS), PRICES, SPREADS, AMOUNTS)
def test_what_an_amount_buys_is_rounded_down_by_less_than_one_unit(
    pair: tuple[str, str], price: Fraction, spread_ppm: int, sold_minor: int
) -> None:
    known = rate(pair, price)
    bought_minor = bought_for(sold_minor, known, spread_ppm)
    exact = sold_minor * minor_price(known, spread_ppm)
    assert 0 <= exact - bought_minor < 1


@settings(deadline=None)
@given(st.sampled_from(PAIRS), PRICES, SPREADS, AMOUNTS)
def test_no_chain_of_conversions_makes_money(
    pair: tuple[str, str], price: Fraction, spread_ppm: int, amount_minor: int
) -> None:
    there, back = rate(pair, price), rate((pair[1], pair[0]), 1 / price)
    bought_minor = bought_for(amount_minor, there, spread_ppm)
    assert bought_for(bought_minor, back, spread_ppm) <= amount_minor
    # Buying what an amount buys costs no more than that amount: rounded once, not twice.
    assert sold_for(bought_minor, there, spread_ppm) <= amount_minor if bought_minor else True


@settings(deadline=None)
@given(st.sampled_from(PAIRS), PRICES, SPREADS, AMOUNTS)
def test_the_spread_is_what_the_house_keeps_and_nothing_else(
    pair: tuple[str, str], price: Fraction, spread_ppm: int, sold_minor: int
) -> None:
    known = rate(pair, price)
    without = sold_minor * minor_price(known, 0)
    assert without * (MILLION - spread_ppm) / MILLION == sold_minor * minor_price(known, spread_ppm)
    scale = Fraction(10) ** (exponent_of(pair[1]) - exponent_of(pair[0]))
    assert without == sold_minor * price * scale


WANTED = Wanted(name="e1", wallet_id="w_a", at_us=1_000_000)
TABLE = TableRates({("USD", "CNY"): (Fraction("7.2"), "2026-11-25")})


async def test_a_quote_is_frozen_and_its_four_legs_balance() -> None:
    quotes = ConversionQuotes(TABLE, spread_ppm=10_000, valid_s=60)
    offer = await quotes.to_buy(WANTED, Money(19_900, "CNY"), "USD")
    assert offer is not None
    assert offer.sold == Money(2_792, "USD")
    assert offer.expires_at_us - offer.created_at_us == 60_000_000
    assert [(leg.account.id, leg.amount_minor) for leg in offer.post.legs] == [
        ("wallet:w_a/available/USD", -2_792),
        ("exchange:table/exchange/USD", 2_792),
        ("exchange:table/exchange/CNY", -19_900),
        ("wallet:w_a/available/CNY", 19_900),
    ]
    assert await quotes.to_buy(WANTED, Money(19_900, "CNY"), "USD") == offer


async def test_a_table_serves_both_ways() -> None:
    back = await TABLE.rate("CNY", "USD")
    assert back is not None
    assert back.price == Fraction(10, 72)
    assert await TABLE.rate("USD", "EUR") is None
    assert await NoRates().rate("USD", "CNY") is None


@pytest.mark.parametrize(
    ("sold", "bought"),
    [
        (Money(100, "USD"), "USD"),
        (Money(100, "USD"), "EUR"),
        (Money(1, "CNY"), "USD"),
        (Money(AMOUNT_MINOR_MAX, "USD"), "CNY"),
    ],
)
async def test_what_cannot_be_converted_has_no_quote(sold: Money, bought: str) -> None:
    assert await ConversionQuotes(TABLE).to_sell(WANTED, sold, bought) is None
    nothing_left = ConversionQuotes(TABLE, spread_ppm=MILLION)
    assert await nothing_left.to_sell(WANTED, Money(100, "USD"), "CNY") is None
