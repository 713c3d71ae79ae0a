"""Which price and which currency a page means, when its sources are put side by side."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from bot.links.recognise.currencies import currency_of_sign, possible_currencies
from bot.links.recognise.facts import PageFacts
from bot.links.recognise.likelycurrency import (
    doubt_of_guess,
    guessed_currency,
    local_currency,
)
from bot.links.recognise.namedcurrency import named_currency
from bot.links.recognise.offerprice import UNTAXED
from bot.links.recognise.pricefields import may_be_both
from bot.links.recognise.shownprice import ShownPrices
from bot.links.recognise.sighting import Clue
from bot.links.recognise.textprice import first_price
from wallet_core.money import AMOUNT_MINOR_MAX, exponent_of

#: By this much the price that people see must outdo the one in the data to be believed instead.
_CLEAR_LEAD = 2.5
#: At this score a price is shown as plainly as can be.
_PLAIN_SCORE = 6.5
_DECIMALS_MAX = 4
_GROUP_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """The price in whole units, where it and its currency come from, and every doubt about it."""

    price: Decimal | None = None
    source: str = "page"
    list_price: Decimal | None = None
    list_price_source: str = "page"
    currency: str | None = None
    currency_source: str = "page"
    doubts: tuple[str, ...] = ()


def judge_price(clues: list[Clue], shown: ShownPrices, facts: PageFacts, page: bytes) -> Verdict:
    """The price that most speaks for, never without saying what speaks against it."""
    priced = [clue for clue in clues if clue.price is not None]
    chosen = _chosen(priced, shown)
    doubts = _doubts_of_sources(clues, priced, chosen, shown)
    if chosen is None or chosen.price is None:
        price, source = shown.best, "page"
    else:
        price, source = _of_several(chosen, chosen.price, shown, facts), chosen.source
    if price is None:
        return Verdict(doubts=tuple(doubts))
    meant = _as_shown(price, clues, shown)
    if meant != price:
        doubts.append(doubt_of_shown(meant, price))
        price = meant
    if source != "page" and shown.best is not None and _is_outdone(price, shown):
        doubts.append(doubt_of_shown(shown.best, price))
        is_old = price in shown.scores and price not in shown.current and shown.best < price
        if is_old or (chosen is not None and _is_another(chosen, shown)):
            # The data kept the old price, which the page itself strikes out, or have a foreign one.
            price, source = shown.best, "page"
    currency, currency_source = _currency(price, clues, shown, facts, page)
    sign = shown.signs.get(price)
    doubts.extend(_currency_doubts(currency, priced, sign))
    if currency is not None and sign is not None and _cannot_mean(sign, currency):
        # The same amount with another sign: people see that, and templates keep wrong codes.
        currency, currency_source = currency_of_sign(sign, facts.regions), "page"
    if currency is None and sign is not None:
        currency = guessed_currency(sign, facts, page)
        if currency is not None:
            doubts.append(doubt_of_guess(sign, currency))
    doubts.extend(_doubts_of_readings(price, currency, priced, shown))
    listed, listed_source = _list_price(price, priced, shown)
    return Verdict(price, source, listed, listed_source, currency, currency_source, tuple(doubts))


def _doubts_of_sources(
    clues: list[Clue], priced: list[Clue], chosen: Clue | None, shown: ShownPrices
) -> list[str]:
    """What the sources note themselves, and that they name different prices."""
    noted = dict.fromkeys(clue.doubt for clue in clues if clue.doubt)
    if chosen is not None and chosen.doubt == UNTAXED and _is_plainly_shown(chosen.price, shown):
        # Who sees the same price pays it, or is used to adding the tax.
        del noted[UNTAXED]
    doubts = list(noted)
    if len({clue.price for clue in priced}) > 1:
        doubts.append(f"The page's data name different prices: {_listed(priced)}.")
    return doubts


def doubt_of_shown(shown: Decimal, said: Decimal) -> str:
    """What is noted where a page shows another price than its data say, both in whole units."""
    return f"The page shows {shown}, its data say {said}."


def in_minor_units(
    price: Decimal | None, currency: str | None
) -> tuple[int | None, int | None, bool]:
    """(minor units, exponent, whether it had to be rounded); without a currency as written."""
    if price is None:
        return None, None, False
    if currency is not None:
        exponent = exponent_of(currency)
    else:
        written = price.as_tuple().exponent
        exponent = min(max(0, -written), _DECIMALS_MAX) if isinstance(written, int) else 0
    scaled = price.scaleb(exponent)
    minor = int(scaled.to_integral_value(ROUND_HALF_UP))
    if not 0 < minor < AMOUNT_MINOR_MAX:
        return None, None, False
    return minor, exponent, minor != scaled


def _chosen(priced: list[Clue], shown: ShownPrices) -> Clue | None:
    """The first source, or where sources differ the one whose price people see best."""
    if not priced:
        return None
    # What one source calls the price before a reduction may be all that another names.
    before = {clue.list_price for clue in priced if clue.list_price is not None}
    priced = [clue for clue in priced if clue.price not in before] or priced
    priced = [clue for clue in priced if clue.doubt != UNTAXED] or priced
    leads = {clue.price: shown.lead_over(clue.price) for clue in priced if clue.price is not None}
    return min(priced, key=lambda clue: leads[clue.price] if clue.price is not None else 0.0)


def _is_outdone(price: Decimal, shown: ShownPrices) -> bool:
    """Whether people see another price much better, or a higher one at least as well.

    The lower one may be for members only.
    """
    best = shown.best
    if best is None:
        return False
    is_higher = best > price and _is_plainly_shown(best, shown)
    return is_higher or shown.lead_over(price) >= _CLEAR_LEAD


def _is_another(clue: Clue, shown: ShownPrices) -> bool:
    """Whether the page shows one other price as plainly as can be, and that of its data nowhere."""
    best = shown.best
    if best is None or clue.prices or clue.price in shown.scores or best in shown.elsewhere:
        return False
    return best in shown.signs and shown.scores[best] >= _PLAIN_SCORE


def _is_plainly_shown(price: Decimal | None, shown: ShownPrices) -> bool:
    return price in shown.current and price not in shown.elsewhere


def _of_several(clue: Clue, price: Decimal, shown: ShownPrices, facts: PageFacts) -> Decimal:
    """The one of a source's prices that the page shows, where it names several; else `price`.

    A page shows the price of the variant it offers first, which need not be the cheapest.
    """
    if not clue.prices:
        return price
    best = shown.best
    if best is not None:
        is_offered = best in clue.prices and best in shown.current
        return best if is_offered and shown.lead_over(price) >= _CLEAR_LEAD else price
    # Lower ones are for what is used or gone.
    others = {amount for amount in clue.prices if amount > price}
    if price not in shown.scores and len(seen := others.intersection(shown.scores)) == 1:
        return seen.pop()
    first = None if shown.scores else first_price(facts.behind_name, facts)
    return first if first is not None and first in others else price


def _as_shown(price: Decimal, clues: list[Clue], shown: ShownPrices) -> Decimal:
    """What `275.000` means where the page shows 275,000 and the currency has no third decimal.

    Or where it shows 19.900 and the data's `19,900` may mean either.
    """
    clue = next((clue for clue in clues if clue.price == price and clue.currency), None)
    if clue is None or clue.currency is None:
        return price
    written, meant = price.as_tuple().exponent, price
    if written == -_GROUP_DIGITS and exponent_of(clue.currency) < _GROUP_DIGITS:
        meant = price.scaleb(_GROUP_DIGITS)
    elif clue.otherwise is not None and may_be_both(price, clue.otherwise, clue.currency):
        meant = clue.otherwise
    return meant if meant in shown.current and price not in shown.scores else price


def _doubts_of_readings(
    price: Decimal, currency: str | None, priced: list[Clue], shown: ShownPrices
) -> list[str]:
    """What is noted where all data that name this price may as well mean another amount by it."""
    if currency is None:
        return []
    same = [clue for clue in priced if clue.price == price]
    others = {
        clue.otherwise
        for clue in same
        if clue.otherwise is not None and may_be_both(price, clue.otherwise, currency)
    }
    if not others or any(clue.otherwise is None for clue in same):
        return []
    # What people see has three digits behind its mark for one reason, save in these currencies.
    is_telling = exponent_of(currency) != _GROUP_DIGITS
    if is_telling and price in shown.current - shown.elsewhere and others.isdisjoint(shown.current):
        return []
    return [f"The price in the page's data may mean {price:f} or {others.pop():f}."]


def _list_price(
    price: Decimal, priced: list[Clue], shown: ShownPrices
) -> tuple[Decimal | None, str]:
    """What it costs unreduced: named by a source, or the one price struck out beside this one."""
    for clue in priced:
        is_anothers = bool(clue.prices) and clue.price != price
        if clue.list_price is not None and clue.list_price > price and not is_anothers:
            return clue.list_price, clue.source
    struck = [
        amount for amount, beside in shown.struck.items() if amount > price and price in beside
    ]
    return (struck[0] if len(struck) == 1 else None), "page"


def _currency(
    price: Decimal, clues: list[Clue], shown: ShownPrices, facts: PageFacts, page: bytes
) -> tuple[str | None, str]:
    priced = [clue for clue in clues if clue.price is not None]
    same = sorted(priced, key=lambda clue: clue.price != price)
    for clue in same:
        if clue.currency:
            return clue.currency, clue.source
    for clue in same:
        if clue.symbol and (meant := currency_of_sign(clue.symbol, facts.regions)):
            return meant, clue.source
    sign = shown.signs.get(price)
    meant = currency_of_sign(sign, facts.regions) if sign else None
    if meant:
        return meant, "page"
    # Tags may name the currency alone, and leave the price to others.
    for clue in clues:
        if clue.currency and (sign is None or clue.currency in possible_currencies(sign)):
            return clue.currency, clue.source
    named = named_currency(sign, facts, page)
    if named is None and sign is None:
        named = local_currency(facts, page)
    return named, "page"


def _currency_doubts(currency: str | None, priced: list[Clue], sign: str | None) -> list[str]:
    doubts = []
    named = {clue.currency for clue in priced if clue.currency}
    if len(named) > 1:
        doubts.append(f"The page's data name different currencies: {', '.join(sorted(named))}.")
    if currency and sign and _cannot_mean(sign, currency):
        doubts.append(f"The page shows “{sign}”, its data say {currency}.")
    return doubts


def _cannot_mean(sign: str, currency: str) -> bool:
    return currency not in possible_currencies(sign)


def _listed(priced: list[Clue]) -> str:
    return ", ".join(dict.fromkeys(f"{clue.price} ({clue.source})" for clue in priced))
