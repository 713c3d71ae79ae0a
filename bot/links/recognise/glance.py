"""A quick look at the prices around a page's heading, which often spares building its tree.

It only ever confirms: when what it sees is not plainly the price that the page's data name, the
tree is built and every price in the page is weighed.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from bot.links.recognise.amounts import read_amount
from bot.links.recognise.currencies import sign_in
from bot.links.recognise.endings import closing_tag
from bot.links.recognise.facts import PageFacts
from bot.links.recognise.markup import text_of, without_tags
from bot.links.recognise.seek import find, rfind
from bot.links.recognise.shopwords import OLD_NAME, OTHER_NAME
from bot.links.recognise.shownprice import ShownPrices

#: Behind its first letter, which may be large: a search for what never varies is quicker.
_PRICE = re.compile(rb"rice")
_P = b"pP"
_NAMES = re.compile(rb"\b(?:class|id)\s{0,2}=\s{0,2}[\"']([^\"'<>]{0,400})")
_TAG_NAME = re.compile(rb"<([A-Za-z][A-Za-z0-9]{0,20})\s")
#: Cents in an element of their own.
_PARTED = re.compile(r"(\D{0,5}\d[\d.,]{0,9}) (\d\d)(\D{0,5})")
_STRUCK = re.compile(rb"<(/?)(?:del|s|strike)[\s>]", re.IGNORECASE)
_WORD_LENGTH = 4
_NEAR_HEADING_BYTES = 12_000
_BEHIND_HEADING_BYTES = 50_000
#: More than one tag and one element take.
_MARGIN_BYTES = 3_000
_ELEMENT_BYTES_MAX = 1500
_STRUCK_BYTES_BACK = 300
_TAG_BYTES_MAX = 600
_TEXT_LENGTH_MAX = 60
#: A number among more letters, with no sign of a currency, is none: "in 3 instalments".
_LETTERS_MAX = 20
#: Prices of one product stand no farther apart.
_BESIDE_BYTES = 1500
_NAMED_MAX = 120


def glance(price: Decimal, exponent: int, facts: PageFacts) -> ShownPrices | None:
    """The prices shown where `price` is plainly the one to pay; None where it takes a closer look.

    Plainly: it is the first behind the heading that is not struck out, and no lower one stands
    beside it, as it would if it were the price before a reduction.
    """
    found: int | None = None
    struck: list[Decimal] = []
    signs: dict[Decimal, str] = {}
    for place, text, is_old in _named_prices(facts):
        if found is not None and place - found > _BESIDE_BYTES:
            break
        amount = read_amount(text, exponent=exponent, language=facts.language)
        if amount is None:
            continue
        if is_old:
            struck.append(amount)
            continue
        if amount < price or (found is None and amount != price):
            return None
        found = place if found is None else found
        sign = sign_in(text)
        if sign is not None and amount == price:
            signs.setdefault(amount, sign)
    if found is None:
        return None
    before = {amount: {price} for amount in struck if amount > price}
    return ShownPrices({price: 1.0}, signs, {price}, before)


def _named_prices(facts: PageFacts) -> Iterator[tuple[int, str, bool]]:
    """Place and text of elements named like prices, and whether it was the price before."""
    position = 0
    for around, match in islice(_price_words(facts), _NAMED_MAX):
        if match.start() < position or around[match.start() - 1] not in _P:
            continue  # The same tag again, or another word.
        start = rfind(around, b"<", max(position, match.start() - _TAG_BYTES_MAX), match.start())
        named = _TAG_NAME.match(around, start) if start >= 0 else None
        begin = find(around, b">", start) + 1 if named else 0
        if named is None or begin <= match.end():
            continue  # It stands in the page's text.
        position = begin
        names = " ".join(map(text_of, _NAMES.findall(around, start, begin)))
        if "price" not in names.lower():
            continue
        end = closing_tag(around, named[1].decode(), begin, begin + _ELEMENT_BYTES_MAX)
        text = without_tags(_STRUCK_WHOLE.sub(b" ", around[begin:end])) if end else ""
        if not _may_be_price(text):
            continue
        parted = _PARTED.fullmatch(text)
        if parted is not None:
            # Its parts are no prices by themselves.
            text, position = f"{parted[1]}.{parted[2]}{parted[3]}", end
        is_old = OLD_NAME.are_in(names) or _is_struck(around, start)
        if is_old or not OTHER_NAME.are_in(names):
            yield match.start(), text, is_old


def _price_words(facts: PageFacts) -> Iterator[tuple[bytes, re.Match[bytes]]]:
    """Where prices are named behind the page's heading, and the markup around it.

    On most pages that is close by, so what is farther on is gone through only if it is asked for.
    """
    place, begin = facts.markup.heading_place, 0
    if place < 0:
        return
    for stop in (_NEAR_HEADING_BYTES, _BEHIND_HEADING_BYTES):
        around = facts.markup.stretches.seen(place, place + stop)
        is_last = stop == _BEHIND_HEADING_BYTES
        # An element that goes on behind a piece is read in the next.
        end = len(around) if is_last else max(0, len(around) - _MARGIN_BYTES)
        for match in _PRICE.finditer(around, begin, end):
            yield around, match
        begin = max(0, end - _WORD_LENGTH + 1)


def _may_be_price(text: str) -> bool:
    """Whether a text is that short, and has a currency's sign if it is made of letters mostly."""
    if not text or len(text) > _TEXT_LENGTH_MAX:
        return False
    return sum(map(str.isalpha, text)) <= _LETTERS_MAX or sign_in(text) is not None


_STRUCK_WHOLE = re.compile(
    rb"<(del|s|strike)\b[^<>]{0,200}>.{0,300}?</\1>", re.IGNORECASE | re.DOTALL
)


def _is_struck(around: bytes, start: int) -> bool:
    """Whether the last tag for struck text in front of `start` is an open one."""
    tags = [m[1] for m in _STRUCK.finditer(around, max(0, start - _STRUCK_BYTES_BACK), start + 8)]
    return bool(tags) and not tags[-1]
