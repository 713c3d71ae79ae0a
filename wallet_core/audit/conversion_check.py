"""Conversions: four legs, at the rate that was quoted, rounded as `commerce.conversion` says."""

from collections.abc import Sequence
from fractions import Fraction

from wallet_core.audit.findings import BrokenBooks, amount_words
from wallet_core.audit.grouping import GroupCheck, legs_of
from wallet_core.audit.trade_rows import ConversionLine
from wallet_core.commerce.conversion import DONE, OFFERED, Rate, bought_for, sold_for
from wallet_core.commerce.house_terms import MILLION
from wallet_core.errors import MoneyError
from wallet_core.ledger import accounts
from wallet_core.ledger.transfers import named
from wallet_core.money import exponent_of


class ConversionCheck(GroupCheck[ConversionLine]):
    """Each conversion has its transfer once it is done, and both its amounts fit its rate.

    Wants all lines of a conversion together.
    """

    def _key(self, row: ConversionLine) -> str:
        return row.id

    def _check(self, group: Sequence[ConversionLine]) -> None:
        row = group[0]
        if row.state not in (OFFERED, DONE):
            raise _broken(row, f"is {row.state}, which no conversion can be")
        if row.sold_currency == row.bought_currency or min(row.sold_minor, row.bought_minor) <= 0:
            raise _broken(row, f"gives {_words(row)}, which converts nothing")
        bought = (row.bought_minor, row.bought_currency)
        if row.quote_id is not None and bought != (row.price_minor, row.price_currency):
            raise _broken(row, f"gives {_words(row)}, which is not the price of {row.quote_id}")
        _check_rate(row)
        done = row.state == DONE
        if legs_of(group) != ({named("convert", row.id): _legs(row)} if done else {}):
            moves = _words(row) if done else "nothing"
            raise _broken(row, f"is {row.state} and moves {moves}, but its transfers do not")


def _legs(row: ConversionLine) -> dict[str, int]:
    return {
        accounts.wallet(row.wallet_id, row.sold_currency).id: -row.sold_minor,
        accounts.exchange(row.source, row.sold_currency).id: row.sold_minor,
        accounts.exchange(row.source, row.bought_currency).id: -row.bought_minor,
        accounts.wallet(row.wallet_id, row.bought_currency).id: row.bought_minor,
    }


def _check_rate(row: ConversionLine) -> None:
    try:
        price = Fraction(row.rate)
    except (ValueError, ZeroDivisionError) as error:
        raise _broken(row, f"has the rate {row.rate!r}, which is no number") from error
    if price <= 0 or not 0 <= row.spread_ppm < MILLION:
        raise _broken(row, f"has the rate {row.rate} and a spread of {row.spread_ppm} millionths")
    if not _is_known(row.sold_currency, row.bought_currency):
        return
    rate = Rate(row.source, row.sold_currency, row.bought_currency, price, "")
    if row.quote_id is not None:
        # It pays for something: what is bought was given, what is sold was worked out.
        fits = row.sold_minor == sold_for(row.bought_minor, rate, row.spread_ppm)
    else:
        fits = row.bought_minor == bought_for(row.sold_minor, rate, row.spread_ppm)
    if not fits:
        raise _broken(row, f"gives {_words(row)}, which its rate {row.rate} does not make")


def _is_known(*currencies: str) -> bool:
    """Whether all of them have decimals here: a currency of one's own may be no more."""
    try:
        return all(exponent_of(currency) >= 0 for currency in currencies)
    except MoneyError:
        return False


def _words(row: ConversionLine) -> str:
    sold = amount_words(row.sold_minor, row.sold_currency)
    return f"{amount_words(row.bought_minor, row.bought_currency)} for {sold}"


def _broken(row: ConversionLine, what: str) -> BrokenBooks:
    return BrokenBooks(f"conversion {row.id}", f"Conversion {row.id} {what}.")
