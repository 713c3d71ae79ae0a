"""Price fields that are meant for machines: what else they may mean, and what speaks against them.

Authors fill such fields with text for people, which may call a number more than a price.
"""

import re
from collections.abc import Iterable
from decimal import Decimal

from bot.links.recognise.amounts import is_machine_text, machine_amount, western_digits
from bot.links.recognise.currencies import possible_currencies, sign_in, without_signs
from bot.links.recognise.pricewords import says_more_than_price
from bot.links.recognise.values import all_of
from wallet_core.money import exponent_of

_NO_PLAIN_PRICE = (
    "The price in the page's data stands beside words that may make it another: the lowest of "
    "several, one of several payments, or for a part."
)
#: The one number in a text, with three digits behind its one mark.
_TWO_WAYS = re.compile(r"(?<![\d.,'٫])([1-9]\d{0,2})([.,])(\d{3})(?![\d.,'٫])")
_TEXT_LENGTH_MAX = 120
_GROUP_DIGITS = 3
_LISTED_MAX = 4


def amounts_in(value: object) -> set[Decimal]:
    """Every amount that a field names, which may hold several values."""
    if not isinstance(value, list):
        amount = machine_amount(value)
        return set() if amount is None else {amount}
    return {amount for each in all_of(value) if (amount := machine_amount(each)) is not None}


def other_reading(written: object) -> Decimal | None:
    """What else a text may mean: `1.500` is one and a half, or fifteen hundred.

    None where it can be read in one way only, as a number of JSON can.
    """
    if not isinstance(written, str) or len(written) > _TEXT_LENGTH_MAX:
        return None
    found = _TWO_WAYS.search(western_digits(written))
    if found is None:
        return None
    readings = {Decimal(f"{found[1]}.{found[3]}"), Decimal(found[1] + found[3])}
    amount = machine_amount(written)
    return (readings - {amount}).pop() if amount in readings else None


def may_be_both(price: Decimal, otherwise: Decimal, currency: str) -> bool:
    """Whether a text that is read as `price` may as well mean `otherwise` in this currency.

    With a point, as machines write it, the third decimal of a currency that has one is plain. In
    other currencies three digits behind a mark are plain where they are read as thousands: as
    decimals they would be finer than money.
    """
    exponent, is_fine = exponent_of(currency), price < otherwise
    if exponent == _GROUP_DIGITS:
        return not is_fine
    scaled = price.scaleb(exponent)
    return is_fine and scaled == scaled.to_integral_value()


def doubt_of_field(written: object, currency: str | None) -> str | None:
    """What a text says against being a plain price in `currency`; None for a mere number."""
    if not isinstance(written, str) or is_machine_text(written):
        return None
    sign = sign_in(written)
    if sign is not None and currency is not None and currency not in possible_currencies(sign):
        return f"The page's data write the price with “{sign}” and name {currency}."
    rest = without_signs(western_digits(written), currency)
    return _NO_PLAIN_PRICE if says_more_than_price(rest) else None


def doubt_of_several(amounts: set[Decimal]) -> str:
    """What is noted where one source names several prices for the same."""
    listed = _listed(f"{amount:f}" for amount in sorted(amounts))
    return f"One source in the page names different prices: {listed}."


def doubt_of_currencies(codes: set[str]) -> str:
    """What is noted where one source names several currencies for one price."""
    return f"One source in the page names different currencies: {_listed(sorted(codes))}."


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(list(texts)[:_LISTED_MAX])
