"""Numbers that mean money: machine fields and what people read, in all digits and groupings."""

import re
import unicodedata
from decimal import Decimal, InvalidOperation

_MACHINE = re.compile(r"\d{1,12}(?:\.\d{1,6})?")
_DIGITS_ONLY = re.compile(r"\d{1,15}")
_BLANK = r"[ \u00a0\u2007\u2009\u202f'’٬]"
_GROUPED = re.compile(rf"(?<![\d.,٫])\d{{1,3}}(?:{_BLANK}\d{{3}}){{1,4}}(?!\d)")
_NUMBER = re.compile(r"\d(?:[\d.,٫]{0,24}\d)?")
_MYRIAD = re.compile(r"(\d[\d.,]{0,12})\s*([万萬亿億])\s*(\d[\d,]{0,12})?")
_MYRIAD_VALUE = {"万": 10_000, "萬": 10_000, "亿": 100_000_000, "億": 100_000_000}
_GROUP_DIGITS = 3
_TEXT_LENGTH_MAX = 80


def machine_amount(raw: object) -> Decimal | None:
    """A price field meant for machines (`.` is the decimal point), None unless above zero.

    A field that a page's author filled with text for people is read as such.
    """
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int | Decimal):
        amount = Decimal(raw)
        return amount if amount.is_finite() and 0 < amount < Decimal(10) ** 12 else None
    if not isinstance(raw, str):
        return None
    text = raw.strip()
    if _MACHINE.fullmatch(text):
        return _positive(text)
    return read_amount(text)


def read_amount(text: str, *, exponent: int | None = None) -> Decimal | None:
    """The one amount in `text` that people read, None when there is none or more than one.

    `exponent` is the currency's, where it is known: it decides whether `19.900` is nearly
    twenty or nearly twenty thousand.
    """
    if len(text) > _TEXT_LENGTH_MAX:
        return None
    plain = western_digits(text)
    myriads = _in_myriads(plain)
    if myriads is not None:
        return myriads
    plain = _GROUPED.sub(lambda grouped: re.sub(_BLANK, "", grouped.group()), plain)
    amounts = {_decimal(number, exponent) for number in _NUMBER.findall(plain)}
    return amounts.pop() if len(amounts) == 1 else None


def western_digits(text: str) -> str:
    """`text` with every script's decimal digits written 0–9 and full-width marks narrowed."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(char)) if char.isdecimal() else _NARROW.get(char, char)
        for char in text
    )


_NARROW = {"，": ",", "．": ".", "。": "."}


def _in_myriads(text: str) -> Decimal | None:
    found = _MYRIAD.search(text)
    if found is None:
        return None
    whole = _decimal(found[1], None)
    rest = _decimal(found[3], 0) if found[3] else Decimal(0)
    if whole is None:
        return None
    return whole * _MYRIAD_VALUE[found[2]] + (rest or 0)


def _decimal(number: str, exponent: int | None) -> Decimal | None:
    marks = [char for char in number if not char.isdigit()]
    if not marks:
        return _positive(number)
    last = marks[-1]
    whole, _, fraction = number.rpartition(last)
    several_kinds = len(set(marks)) > 1
    is_group = (
        (not several_kinds and len(marks) > 1)
        or (several_kinds and marks.count(last) > 1)
        or (not several_kinds and _is_single_group(whole, fraction, exponent))
    )
    digits = "".join(char for char in whole if char.isdigit())
    return _positive(f"{digits}{fraction}" if is_group else f"{digits}.{fraction}")


def _is_single_group(whole: str, fraction: str, exponent: int | None) -> bool:
    if len(fraction) != _GROUP_DIGITS or whole.startswith("0"):
        return False
    return exponent != _GROUP_DIGITS and len(whole) <= _GROUP_DIGITS


def _positive(number: str) -> Decimal | None:
    try:
        amount = Decimal(number)
    except InvalidOperation:
        return None
    return amount if 0 < amount < Decimal(10) ** 12 else None
