"""An element that shows a price: its text, and what its names and the words beside it say of it."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import islice

from selectolax.lexbor import LexborNode

from bot.links.recognise.nodes import (
    all_names_in,
    ancestors,
    element_beside,
    names_of,
    short_text,
)
from bot.links.recognise.places import STRUCK, STRUCK_SCORE, Places
from bot.links.recognise.pricewords import PART_WORDS, calls_it_old, without_price_words
from bot.links.recognise.shopwords import CURRENT_NAME, OLD_NAME, OTHER_NAME, PRICE_NAMES

#: Fewer letters are a currency.
_WORDS_MIN = 4
#: Names that mean a price and nothing else.
_PLAIN_NAMES = tuple(name for name in PRICE_NAMES if name not in ("amount", "prec"))
_TEXT_LENGTH_MAX = 60
_CENTS_DIGITS = 2
_DIGIT = re.compile(r"\d")
#: Texts of two elements are parted by a blank; some shops have one for each part of a number.
_MARK_APART = re.compile(r"(?<=\d) ([.,'’]) (?=\d)")
_MAYBE_CENTS = re.compile(r"\d[.,]?\s[.,]?\s?\d\d(?!\d)")
#: More than one number, with more than marks and blanks between them.
_SEVERAL = re.compile(r"\d\s?[^\d\s.,'’][^\d]*\d")
_INSIDE_MAX = 20
_CELLS, _LABEL_CELLS, _CELL_DEPTH = ("td", "dd"), ("td", "th", "dt"), 4
_NOT_SHOWN = frozenset({"script", "style", "template", "noscript", "input", "form", "meta"})
_STRUCK_NAME = "price-was"
_PART_NAME = "per-month"
#: What is sold by the unit is paid by it; only where the text names a measure is it another price.
_BY_THE_UNIT = re.compile(r"(?:/|\bper) ?(?:unit|item|each)\b", re.IGNORECASE)
_UNIT_NAMES = re.compile(r"per[-_]?unit|unit[-_]?price", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PricedElement:
    """An amount that an element shows, and how likely it is the price of the page's product.

    `is_current`: neither struck out nor named an old price, as what `is_struck` is.
    """

    element: LexborNode
    amount: Decimal
    sign: str | None
    score: float
    is_current: bool
    is_struck: bool = False
    #: Among other products, or in another part of the page than the product's own.
    is_elsewhere: bool = False


def read_price(element: LexborNode, places: Places) -> PricedElement | None:
    """What `element` shows; None where that is no single amount, or one of something else."""
    if element.tag in _NOT_SHOWN or _DIGIT.search(element.text()) is None:
        return None
    text = _price_text(element)
    if _DIGIT.search(text) is None:
        return None
    amount, sign = places.amount_in(text)
    names = all_names_in(element.attributes)
    if amount is None or (sign is None and not _is_plainly_price(names)):
        return None
    of_sign = sum(map(str.isalpha, sign or ""))
    words = sum(map(str.isalpha, text)) - of_sign
    place, is_elsewhere = places.score(element)
    # What words beside its sign say of a price matters where it may be the page's own.
    is_told = not is_elsewhere and words > 1
    if _is_in_old_price(element) or (is_told and calls_it_old(text)) or _is_in_old_row(element):
        names = f"{names} {_STRUCK_NAME}"
    elif is_told and PART_WORDS.search(text) is not None:
        names = f"{names} {_PART_NAME}"
    if "nit" in names and (one := _BY_THE_UNIT.search(text)) is not None:
        names = _UNIT_NAMES.sub("price", names)
        words -= sum(map(str.isalpha, one.group()))
    score = _name_score(names) + (2.0 if sign else 0.0) + place
    # A price stands by itself; the more words around the number, the less it is one.
    if words >= _WORDS_MIN:
        words = max(0, sum(map(str.isalpha, without_price_words(text))) - of_sign)
    is_current = score > STRUCK_SCORE and not OTHER_NAME.are_in(names)
    is_old = place <= STRUCK_SCORE or (place >= 0 and OLD_NAME.are_in(names))
    score -= min(words, 30) * 0.1
    return PricedElement(element, amount, sign, score, is_current, is_old, is_elsewhere)


def _is_in_old_price(element: LexborNode) -> bool:
    """Whether the element around this one is named as the price before a reduction."""
    around = element.parent
    if around is None:
        return False
    names = names_of(around)
    return "rice" in names and OLD_NAME.are_in(names) and OTHER_NAME.are_in(names)


def _is_in_old_row(element: LexborNode) -> bool:
    """Whether it stands in a table whose cell in front calls it the price before a reduction."""
    around = (element, *islice(ancestors(element), _CELL_DEPTH))
    cell = next((place for place in around if place.tag in _CELLS), None)
    label = element_beside(cell, after=False) if cell is not None else None
    if label is None or label.tag not in _LABEL_CELLS:
        return False
    return calls_it_old(short_text(label, _TEXT_LENGTH_MAX))


def _price_text(element: LexborNode) -> str:
    # An element that is struck out itself is read, and judged by its place.
    inside = frozenset() if element.tag in STRUCK else STRUCK
    text = short_text(element, _TEXT_LENGTH_MAX, without=inside)
    if _SEVERAL.search(text) is not None:
        old = _old_inside(element)
        text = short_text(element, _TEXT_LENGTH_MAX, without=inside, but=old) if old else text
    if " . " in text or " , " in text:
        text = _MARK_APART.sub(r"\1", text)
    return _with_cents(element, text) if _MAYBE_CENTS.search(text) else text


def _old_inside(element: LexborNode) -> set[int]:
    """The elements inside that are named as the price before a reduction, or drawn as one."""
    return {
        inside.mem_id
        for inside in element.css("[class], [style]")[:_INSIDE_MAX]
        if inside.mem_id != element.mem_id
        and (
            OLD_NAME.are_in(names_of(inside))
            or "line-through" in (inside.attributes.get("style") or "")
        )
    }


def _with_cents(element: LexborNode, text: str) -> str:
    """`12` and a small `99` behind it are 12.99."""
    for small in element.css('sup, [class*="cent" i], [class*="decimal" i], [class*="fraction" i]'):
        cents = short_text(small, _CENTS_DIGITS + 2).strip(" .,")
        if len(cents) == _CENTS_DIGITS and cents.isdigit():
            head, found, tail = text.rpartition(cents)
            whole = head.rstrip(" .,")
            if found and whole[-1:].isdigit():
                return f"{whole}.{cents}{tail}"
    return text


@lru_cache(maxsize=512)
def _is_plainly_price(names: str) -> bool:
    """Whether it is named a price, and not only an amount, which may be one of pieces."""
    lowered = names.lower()
    return any(name in lowered for name in _PLAIN_NAMES)


@lru_cache(maxsize=512)
def _name_score(names: str) -> float:
    score = 1.5 if _is_plainly_price(names) else 0.5
    if CURRENT_NAME.are_in(names):
        score += 1.0
    if OTHER_NAME.are_in(names):
        score -= 3.0
    return score
