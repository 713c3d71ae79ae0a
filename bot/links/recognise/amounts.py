"""Numbers that mean money: machine fields and what people read, in all digits and groupings."""

import re
from decimal import Decimal, InvalidOperation

from bot.links.recognise.multiples import in_multiples
from bot.links.recognise.numerals import decimal_mark, western

_MACHINE = re.compile(r"\d{1,12}(?:\.\d{1,6})?", re.ASCII)
_NUMBER = re.compile(
    # Groups that blanks part; the head of such a number is never long.
    r"(?<![\d.,'٫])(\d{1,3}(?: \d{3}(?!\d)){1,4}(?:[.,٫]\d{1,6})?)(?!\d)"
    r"|(\d{1,18}(?:[.,'٫]\d{1,18}){0,8})"
)
#: `-20%` beside a price, and the years in names of currencies that are gone.
_NO_AMOUNT = re.compile(
    r"[-+]?\d{1,3}(?:[.,]\d{1,2})? ?%|% ?\d{1,3}\b"
    r"|\(?\b(?:1[5-9]|20)\d\d\.? ?(?:-|[^\W\d]{1,4}) ?(?:1[5-9]|20)\d\d\b\)?"
    r"|\((?:1[5-9]|20)\d\d\)(?=\D*$)"
)
_BLANK_BEFORE_CENTS = re.compile(r"(?<=\d) (?=[.,]\d\d(?!\d))")
_SIGN_AS_POINT = re.compile(r"(\d{1,9}) ?[€$£] ?(\d\d)(?!\d)")
#: `$229` and a small `99` behind it.
_CENTS_APART = re.compile(r"[€$£] ?(\d{1,4}) (\d\d)")
_NEGATIVE = re.compile(
    r"-[^\w\s]{0,3} ?(?:[^\W\d]{1,3}[^\w\s]{0,2})? ?\d|\D{0,6}\d[\d.,'٫ ]{0,24}(?<![.,])-"
)
#: Where a shop names a price with and without tax, people pay the one with it.
_WITH_TAX = re.compile(
    r"(?:税込|含税|含稅|ttc|tvac"
    r"|(?:inc|ink)[a-z]{0,6}\.? ?(?:vat|tax|gst|moms|mva|mwst|btw)[a-z.]{0,6})",
    re.IGNORECASE,
)
#: CLDR's Toki Pona alone parts groups of two digits by blanks.
_GROUPS_BY_TWO = "tok"
_TWO_BY_TWO = re.compile(r"(?<!\d)\d{1,2}(?: \d\d)+(?!\d)")
_TAX_WINDOW_CHARS = 8
#: Between the lowest and the highest price of a range.
_RANGE = re.compile(r" ?[-~] ?(?=\D{0,4}\d)")
_RANGE_LENGTH_MAX = 40
_RANGE_ENDS = 2
_GROUP_DIGITS = 3
_LAKH_DIGITS = 2
_CENTS_DIGITS = 2
_TEXT_LENGTH_MAX = 120
_AMOUNT_MAX = Decimal(10) ** 12


def machine_amount(raw: object) -> Decimal | None:
    """A price field meant for machines (`.` is the decimal point), None unless above zero.

    A field that a page's author filled with text for people is read as such.
    """
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int | Decimal):
        amount = Decimal(raw)
    elif isinstance(raw, float):
        # The shortest digits that mean this float are those that the page's author wrote.
        amount = Decimal(repr(raw))
    elif isinstance(raw, str):
        text = raw.strip()
        if _MACHINE.fullmatch(text) is None:
            return read_amount(text)
        amount = Decimal(text)
    else:
        return None
    return amount if amount.is_finite() and 0 < amount < _AMOUNT_MAX else None


def is_machine_text(text: str) -> bool:
    """Whether it is nothing but a number, as a price field for machines should be."""
    return _MACHINE.fullmatch(text.strip()) is not None


def read_amount(text: str, *, exponent: int | None = None, language: str = "") -> Decimal | None:
    """The one price in `text` that people read; None when there is none, or more than one.

    `exponent` is the currency's, where it is known: it decides whether `19.900` is nearly
    twenty or nearly twenty thousand. `language` is the page's tag (`de-CH`), which decides where
    the exponent leaves it open. Amounts below zero, such as a discount, are no prices.
    """
    if len(text) > _TEXT_LENGTH_MAX:
        return None
    plain = western(text)
    if "%" in plain or "(" in plain or "-" in plain:
        plain = _NO_AMOUNT.sub(" ", plain)
    if language[:3] == _GROUPS_BY_TWO:
        plain = _TWO_BY_TWO.sub(lambda number: number.group().replace(" ", ""), plain)
    plain = plain.strip()
    if "-" in plain and (
        _NEGATIVE.fullmatch(plain) or (plain.startswith("-") and _NEGATIVE.match(plain))
    ):
        return None
    mark = decimal_mark(language)
    multiple = in_multiples(plain, lambda number: _decimal(number, None, mark))
    if multiple is not None:
        return multiple if 0 < multiple < _AMOUNT_MAX else None
    parted = _SIGN_AS_POINT.search(plain)
    if parted is not None and sum(map(str.isdigit, plain)) == len(parted[1] + parted[2]):
        return _positive(f"{parted[1]}.{parted[2]}")
    apart = _CENTS_APART.fullmatch(plain)
    if apart is not None:
        return _positive(f"{apart[1]}.{apart[2]}")
    plain = _BLANK_BEFORE_CENTS.sub("", plain)
    found = [
        (match, _decimal(match.group().replace(" ", ""), exponent, mark))
        for match in _NUMBER.finditer(plain)
    ]
    amounts = {amount for _, amount in found}
    if len(amounts) == 1:
        return amounts.pop()
    return _with_tax(plain, found)


def read_lowest(text: str, *, exponent: int | None = None, language: str = "") -> Decimal | None:
    """The lower of two prices in a text that is nothing but a range, `£49.00 - £70.00`."""
    parts = _RANGE.split(western(text)) if len(text) <= _RANGE_LENGTH_MAX else []
    if len(parts) != _RANGE_ENDS:
        return None
    low, high = (read_amount(part, exponent=exponent, language=language) for part in parts)
    return low if low is not None and high is not None and low < high else None


def western_digits(text: str) -> str:
    """`text` with the digits and separators of every script made plain."""
    return western(text)


def _with_tax(text: str, found: list[tuple[re.Match[str], Decimal | None]]) -> Decimal | None:
    """The only amount beside the words for “with tax”."""
    words = _WITH_TAX.search(text)
    if words is None or not found:
        return None
    behind = [a for m, a in found if 0 <= m.start() - words.end() <= _TAX_WINDOW_CHARS]
    before = [a for m, a in found if 0 <= words.start() - m.end() <= _TAX_WINDOW_CHARS]
    return behind[0] if behind else (before[-1] if before else None)


def _decimal(number: str, exponent: int | None, mark: str | None) -> Decimal | None:
    """One number, whose marks are points, commas, apostrophes or the Arabic decimal mark."""
    if "'" in number:
        if not _are_groups(re.split(r"[.,٫]", number)[0].split("'")):
            return None
        number = number.replace("'", "")
    if "٫" in number:
        whole, _, fraction = number.rpartition("٫")
        return _positive(f"{_digits(whole)}.{fraction}")
    point, comma = number.count("."), number.count(",")
    if not point and not comma:
        return _positive(number)
    if point and comma:
        last = max(".,", key=number.rfind)
        if number.count(last) > 1:
            return None
        whole, _, fraction = number.rpartition(last)
        return _positive(f"{_digits(whole)}.{fraction}")
    separator = "." if point else ","
    if point + comma > 1:
        return _repeated(number.split(separator))
    whole, _, fraction = number.partition(separator)
    if _is_group(whole, fraction, separator, exponent, mark):
        return _positive(whole + fraction)
    return _positive(f"{whole}.{fraction}")


def _repeated(parts: list[str]) -> Decimal | None:
    """`1.234.567`, `12,34,567`, and the sloppy `1.299.00`; None for dates and versions."""
    if _are_groups(parts):
        return _positive("".join(parts))
    if len(parts[-1]) == _CENTS_DIGITS and _are_groups(parts[:-1]):
        return _positive(f"{''.join(parts[:-1])}.{parts[-1]}")
    return None


def _are_groups(parts: list[str]) -> bool:
    head, *middle = parts
    if not middle:
        return True
    *inner, last = middle
    in_threes = all(len(part) == _GROUP_DIGITS for part in inner)
    in_lakhs = all(len(part) == _LAKH_DIGITS for part in inner)
    return len(head) <= _GROUP_DIGITS and len(last) == _GROUP_DIGITS and (in_threes or in_lakhs)


def _is_group(
    whole: str, fraction: str, separator: str, exponent: int | None, mark: str | None
) -> bool:
    if len(fraction) != _GROUP_DIGITS or whole.startswith("0") or len(whole) > _GROUP_DIGITS:
        return False
    if exponent != _GROUP_DIGITS:
        return True
    return separator != (mark or separator)


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _positive(number: str) -> Decimal | None:
    try:
        amount = Decimal(number)
    except InvalidOperation:
        return None
    return amount if 0 < amount < _AMOUNT_MAX else None
