"""Rates with which somebody could make money going round are found, and no others."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wallet_core.commerce.arbitrage import find_arbitrage
from wallet_core.commerce.house_terms import MILLION

WORTH = {"CNY": Fraction(1), "EUR": Fraction("8.24"), "JPY": Fraction("0.046"), "USD": Fraction(7)}
PAIRS = [(sold, bought) for sold in WORTH for bought in WORTH if sold != bought]


def test_a_pair_whose_two_rates_contradict_each_other_makes_money() -> None:
    prices = {("USD", "CNY"): Fraction("7.1023"), ("CNY", "USD"): Fraction("0.15")}
    won = find_arbitrage(prices, 10_000)
    assert won is not None
    assert sorted(won.currencies) in (["CNY", "CNY", "USD"], ["CNY", "USD", "USD"])
    assert won.comes_to == Fraction("7.1023") * Fraction("0.15") * Fraction(99, 100) ** 2


def test_a_rate_that_was_forgotten_makes_money_with_two_that_were_kept_up() -> None:
    prices = {
        ("USD", "CNY"): Fraction("7.1023"),
        ("EUR", "CNY"): Fraction("7.70"),
        ("EUR", "USD"): Fraction("1.16"),
    }
    won = find_arbitrage(prices, 10_000)
    assert won is not None
    assert won.currencies[0] == won.currencies[-1]
    assert set(won.currencies) == {"CNY", "EUR", "USD"}
    assert (
        won.comes_to
        == Fraction("1.16") * Fraction("7.1023") / Fraction("7.70") * Fraction(99, 100) ** 3
    )
    assert find_arbitrage(prices, 30_000) is None


def test_one_rate_serves_both_ways_and_nobody_wins_without_any_spread() -> None:
    assert find_arbitrage({("USD", "CNY"): Fraction("7.1023")}, 0) is None
    assert find_arbitrage({}, 0) is None


@given(st.sets(st.sampled_from(PAIRS)), st.integers(0, MILLION))
def test_rates_that_come_from_one_worth_of_each_currency_never_make_money(
    pairs: set[tuple[str, str]], spread_ppm: int
) -> None:
    prices = {(sold, bought): WORTH[sold] / WORTH[bought] for sold, bought in pairs}
    assert find_arbitrage(prices, spread_ppm) is None


@given(st.permutations(sorted(WORTH)), st.integers(2, 4))
def test_a_round_of_any_length_that_makes_money_is_found(order: list[str], length: int) -> None:
    ring = [*order[:length], order[0]]
    steps = [(sold, bought) for sold, bought in pairwise(ring) if sold != bought]
    prices = {(sold, bought): WORTH[sold] / WORTH[bought] for sold, bought in steps}
    prices[steps[0]] *= Fraction(101, 100)
    won = find_arbitrage(prices, 0)
    assert won is not None
    assert won.comes_to > 1
