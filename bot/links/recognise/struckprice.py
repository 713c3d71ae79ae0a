"""What a page strikes out is the price before a reduction, and what stands beside it the price.

Shops whose elements have names without meaning tell the two only by how they are drawn, and some
keep the one before in their data.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from selectolax.lexbor import LexborHTMLParser, LexborNode

from bot.links.recognise.amounts import read_amount
from bot.links.recognise.currencies import sign_in
from bot.links.recognise.facts import PageFacts
from bot.links.recognise.nodes import short_text
from bot.links.recognise.places import STRUCK, STRUCK_BY_STYLE
from bot.links.recognise.verdict import Verdict, doubt_of_shown

_STRUCK = ", ".join((*sorted(STRUCK), *STRUCK_BY_STYLE))
#: What one of them is told by, in markup.
_STRUCK_TAG = re.compile(rb"<(?:del|s)[\s>]")
_STRUCK_NAMES = (b"line-through", b"strike")
_STRUCK_MAX = 60
_TEXT_LENGTH_MAX = 30
#: The price to pay stands this close, and is not less than a tenth.
_AROUND_MAX = 3
_AROUND_LENGTH_MAX = 120
_BESIDE_MAX = 20
_LEAST_SHARE = 10


def reduced(verdict: Verdict, tree: LexborHTMLParser, facts: PageFacts) -> Verdict:
    """The same where the data keep a price that the page strikes out, with a doubt.

    The one lower amount beside it is the price then, and the one in the data the list price.
    """
    before = verdict.price
    if before is None or verdict.source == "page":
        return verdict
    price = _reduced_from(before, tree, facts)
    if price is None:
        return verdict
    return replace(
        verdict,
        price=price,
        source="page",
        list_price=before,
        list_price_source=verdict.source,
        doubts=(*verdict.doubts, doubt_of_shown(price, before)),
    )


def _reduced_from(price: Decimal, tree: LexborHTMLParser, facts: PageFacts) -> Decimal | None:
    """The one lower amount beside `price` where the page strikes that out; None otherwise.

    It counts only near the page's heading, and where `price` does not stand there once more.
    """
    for struck, amount in _struck(tree, facts):
        if amount == price:
            is_own = facts.behind_name.count(short_text(struck, _TEXT_LENGTH_MAX)) == 1
            return _lower_beside(struck, price) if is_own else None
    return None


def struck_beside(tree: LexborHTMLParser, facts: PageFacts) -> dict[Decimal, set[Decimal]]:
    """For amounts that the page shows, the higher ones that it strikes out beside them."""
    found: dict[Decimal, set[Decimal]] = {}
    for struck, amount in _struck(tree, facts):
        price = _lower_beside(struck, amount)
        if price is not None:
            found.setdefault(price, set()).add(amount)
    return found


def with_list_price(verdict: Verdict, before: dict[Decimal, set[Decimal]]) -> Verdict:
    """The same with the one amount that stands struck out beside its price, as `before` has it."""
    if verdict.price is None or verdict.list_price is not None:
        return verdict
    listed = before.get(verdict.price, set())
    return replace(verdict, list_price=min(listed)) if len(listed) == 1 else verdict


def _struck(tree: LexborHTMLParser, facts: PageFacts) -> Iterator[tuple[LexborNode, Decimal]]:
    """What is struck out on a page with a heading, and is an amount with a sign."""
    if not facts.heading or not _may_strike(facts.beside_name):
        return
    for struck in tree.css(_STRUCK)[:_STRUCK_MAX]:
        amount = _amount_in(struck)
        if amount is not None:
            yield struck, amount


def _may_strike(markup: bytes) -> bool:
    return any(name in markup for name in _STRUCK_NAMES) or bool(_STRUCK_TAG.search(markup))


def _lower_beside(struck: LexborNode, price: Decimal) -> Decimal | None:
    """The one amount, lower than `price`, in the closest element around that holds any."""
    place = struck.parent
    for _ in range(_AROUND_MAX):
        if place is None or not short_text(place, _AROUND_LENGTH_MAX):
            return None
        lower = {amount for amount in _amounts_in(place) if price / _LEAST_SHARE <= amount < price}
        if lower:
            return lower.pop() if len(lower) == 1 else None
        place = place.parent
    return None


def _amounts_in(place: LexborNode) -> set[Decimal]:
    """The amounts of short texts with a sign in `place`, those in elements of their own."""
    found: set[Decimal] = set()
    for count, element in enumerate(place.css("*")):
        if count >= _BESIDE_MAX:
            break
        amount = _amount_in(element)
        if amount is not None:
            found.add(amount)
    return found


def _amount_in(element: LexborNode) -> Decimal | None:
    """The amount in an element with a short text, where a sign stands with it."""
    text = short_text(element, _TEXT_LENGTH_MAX)
    return read_amount(text) if text and sign_in(text) is not None else None
