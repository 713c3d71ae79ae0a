"""Rates that contradict each other: a round of conversions that ends with more than it began with.

Whoever finds such a round walks it until the house has nothing left, so no instance starts with
one.
"""

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from wallet_core.commerce.house_terms import MILLION

Pair = tuple[str, str]


class Arbitrage(msgspec.Struct, frozen=True):
    """Currencies in the order of their conversions, and what one unit of the first comes to."""

    currencies: tuple[str, ...]
    comes_to: Fraction


def find_arbitrage(prices: Mapping[Pair, Fraction], spread_ppm: int) -> Arbitrage | None:
    """A round that makes money after the spread of each conversion, rounding aside; None if none.

    `prices` is (sold, bought) → price; one that stands alone serves the other way too.
    `spread_ppm`: how many millionths of each conversion the house keeps.
    """
    kept = Fraction(MILLION - spread_ppm, MILLION)
    both_ways = {(bought, sold): 1 / price for (sold, bought), price in prices.items()} | {**prices}
    best = {pair: Arbitrage(pair, price * kept) for pair, price in both_ways.items()}
    currencies = sorted({currency for pair in both_ways for currency in pair})
    for through in currencies:
        for sold in currencies:
            for bought in currencies:
                way = _joined(best, sold, through, bought)
                if way is None:
                    continue
                if sold == bought and way.comes_to > 1:
                    return way
                known = best.get((sold, bought))
                if sold != bought and (known is None or way.comes_to > known.comes_to):
                    best[sold, bought] = way
    return None


def _joined(
    best: Mapping[Pair, Arbitrage], sold: str, through: str, bought: str
) -> Arbitrage | None:
    first, second = best.get((sold, through)), best.get((through, bought))
    if first is None or second is None:
        return None
    currencies = (*first.currencies, *second.currencies[1:])
    return Arbitrage(currencies, first.comes_to * second.comes_to)
