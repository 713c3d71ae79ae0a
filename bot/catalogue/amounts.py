"""Amounts in catalogues. Nothing is guessed: what can be read in two ways is refused."""

import re
from decimal import Decimal

from wallet_core.errors import MoneyError, PayontapError
from wallet_core.money import AMOUNT_MINOR_MAX, exponent_of

_PRICE = re.compile(
    r"(?:([A-Za-z]{3,10})\s{0,3})?([0-9][0-9.,' \u00a0\u202f]{0,30})(?:\s{0,3}([A-Za-z]{3,10}))?"
)
_PLAIN = re.compile(r"\d{1,15}(?:\.\d{1,12})?", re.ASCII)
_COMMA = re.compile(r"\d{1,15},\d{1,2}", re.ASCII)
_ENGLISH = re.compile(r"\d{1,3}(?:,\d{3}){1,4}\.\d{1,4}", re.ASCII)
_GERMAN = re.compile(r"\d{1,3}(?:\.\d{3}){1,4},\d{1,4}", re.ASCII)
_GROUP_DIGITS = 3
_SHOWN_CHARS = 40


class BadValue(PayontapError):
    """A value that cannot be used; the text says why, in a sentence for the merchant."""


def price_of(text: str, currency: str | None = None) -> tuple[int, str]:
    """An amount in minor units and its currency, from `12.34 EUR` or `EUR 12.34`.

    The form is that of Google's product data (a number, a blank, an ISO 4217 code); `currency` is
    what counts where the text names none, and it may name no other. Raises `BadValue`.
    """
    found = _PRICE.fullmatch(text.strip())
    if found is None:
        raise BadValue(f"“{_shown(text)}” is no price such as 12.34 EUR")
    named = found[1] or found[3]
    if found[1] and found[3]:
        raise BadValue(f"“{_shown(text)}” names two currencies")
    code = (named or currency or "").upper()
    if not code:
        raise BadValue(f"“{_shown(text)}” names no currency; write it like 12.34 EUR")
    if currency and code != currency.upper():
        raise BadValue(f"“{_shown(text)}” names another currency than {_shown(currency)}")
    return minor_of(found[2], code), code


def minor_of(text: str, currency: str) -> int:
    """An amount above zero in minor units of `currency`. Raises `BadValue`.

    The decimal mark is a point; a comma is taken for one only where it can be nothing else.
    """
    try:
        exponent = exponent_of(currency)
    except MoneyError:
        raise BadValue(f"“{_shown(currency)}” is no currency's code, such as EUR") from None
    return exact_minor(_decimal(text.strip(), exponent), currency)


def exact_minor(amount: Decimal, currency: str) -> int:
    """`amount` whole units of `currency` in minor units. Raises `BadValue`; never rounds."""
    try:
        exponent = exponent_of(currency)
    except MoneyError:
        raise BadValue(f"“{_shown(currency)}” is no currency's code, such as EUR") from None
    scaled = amount.scaleb(exponent)
    if scaled != scaled.to_integral_value():
        raise BadValue(f"{amount:f} has more decimals than {currency} has ({exponent})")
    if not 0 < scaled <= AMOUNT_MINOR_MAX:
        raise BadValue("the price is zero" if not scaled else "the price is out of all bounds")
    return int(scaled)


def _decimal(text: str, exponent: int) -> Decimal:
    if _PLAIN.fullmatch(text):
        whole, _, fraction = text.partition(".")
        if len(fraction) == _GROUP_DIGITS != exponent and whole.strip("0"):
            raise BadValue(f"“{_shown(text)}” can be read in two ways; write it like 1500.00")
        return Decimal(text)
    if _COMMA.fullmatch(text):
        return Decimal(text.replace(",", "."))
    if _ENGLISH.fullmatch(text):
        return Decimal(text.replace(",", ""))
    if _GERMAN.fullmatch(text):
        return Decimal(text.replace(".", "").replace(",", "."))
    raise BadValue(f"“{_shown(text)}” is no plain amount; write it like 1500.00")


def _shown(text: str) -> str:
    return " ".join(text.split())[:_SHOWN_CHARS]
