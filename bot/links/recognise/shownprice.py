"""The price that a page shows to people: a guess for previews and a check on the other sources."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache

from selectolax.lexbor import LexborHTMLParser, LexborNode

from bot.links.recognise.builds import build_of, elements_around
from bot.links.recognise.facts import PageFacts
from bot.links.recognise.nodes import heading_of, names_of, remove_all, short_text
from bot.links.recognise.places import STRUCK, STRUCK_SCORE, Places
from bot.links.recognise.pricewords import PART_WORDS, calls_it_old, without_price_words
from bot.links.recognise.shopwords import (
    CURRENT_NAME,
    OLD_NAME,
    OTHER_NAME,
    OVERLAY,
    PRICE_NAMES,
)

_SELECTOR = 'h1, [class*="price" i], [id*="price" i]'
#: Slower, so only where the first finds nothing.
_OTHER_SELECTOR = ", ".join(
    ["h1", *(f'[{attribute}*="{name}" i]' for name in PRICE_NAMES for attribute in ("class", "id"))]
)
#: Fewer letters are a currency.
_WORDS_MIN = 4
#: Names that mean a price and nothing else.
_PLAIN_NAMES = tuple(name for name in PRICE_NAMES if name not in ("amount", "prec"))
_CANDIDATES_MAX = 60
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
_SCORE_MIN = 3.0
_STANDS_OUT_SCORE = 5.0
_MARKED_SCORE = 4.0
_RIVAL_GAP = 2.5
_RIVALS_OF_LISTING = 5
_ALIKE_OF_LISTING = 4
_ALIKE_BESIDE = 3
#: Where there is nothing else, so many alike are a list if they all differ.
_DIFFERENT_ALONE = 3
#: So many elements lie between two prices of one product at most.
_NEXT_TO = 4
_STRUCK_NAME = "price-was"
_PART_NAME = "per-month"
_UNSEEN_SCORE = 0.0


@dataclass(frozen=True, slots=True)
class _Candidate:
    element: LexborNode
    amount: Decimal
    sign: str | None
    score: float
    is_current: bool
    is_struck: bool = False
    #: Among other products, or in another part of the page than the product's own.
    is_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class ShownPrices:
    """The amounts that a page shows as prices, each with the score of its best place.

    `current` are those that stand somewhere without being struck out or named an old price,
    `struck` those that stand nowhere else, each with the current ones that stand next to it.
    """

    scores: dict[Decimal, float] = field(default_factory=dict)
    signs: dict[Decimal, str] = field(default_factory=dict)
    current: set[Decimal] = field(default_factory=set)
    struck: dict[Decimal, set[Decimal]] = field(default_factory=dict)
    #: Where they stand, in the page's order.
    found: tuple[_Candidate, ...] = ()
    #: The cards of other products.
    cards: tuple[LexborNode, ...] = ()

    @classmethod
    def of(cls, amount: Decimal, sign: str | None) -> "ShownPrices":
        """One price, found by other means."""
        return cls({amount: _SCORE_MIN}, {amount: sign} if sign else {}, {amount})

    @property
    def best(self) -> Decimal | None:
        """The most likely price of the page's product, None when nothing looks like one."""
        # `max` keeps the first of equals: the one nearest to the top.
        amount = max(self.scores, key=lambda amount: self.scores[amount], default=None)
        return amount if amount is not None and self.scores[amount] >= _SCORE_MIN else None

    @property
    def stands_out(self) -> bool:
        """Whether the best amount looks like a price even where nothing else names a shop."""
        best = self.best
        return best is not None and best in self.signs and self.scores[best] >= _STANDS_OUT_SCORE

    @property
    def is_marked(self) -> bool:
        """Whether the best amount looks like a price where something else names a shop."""
        best = self.best
        return best is not None and best in self.signs and self.scores[best] >= _MARKED_SCORE

    @property
    def is_listing(self) -> bool:
        """Whether so many amounts stand side by side that the page is rather a list."""
        if self.best is None:
            return False
        best = next((one for one in self.found if one.amount == self.best and one.is_current), None)
        if best is None:
            return False
        # What is built as the cards of others are, and is none itself, is not one of them.
        by_build = _by_build(one for one in self.found if best.is_elsewhere or not one.is_elsewhere)
        alike = by_build.pop(build_of(best.element))
        if len(alike) >= _ALIKE_OF_LISTING and (len(set(alike)) > 1 or best.is_elsewhere):
            return True
        least = _DIFFERENT_ALONE if len(set(alike)) == len(alike) else _ALIKE_OF_LISTING
        if len(alike) == len(self.found) >= least:
            return True
        # Cards that are built otherwise than the best are a list beside the product.
        lists = (amounts for amounts in by_build.values() if len(set(amounts)) >= _ALIKE_BESIDE)
        beside = {amount for amounts in lists for amount in amounts}
        floor = self.scores[self.best] - _RIVAL_GAP
        rivals = {amount for amount in self.current - beside if self.scores[amount] >= floor}
        return len(rivals) >= _RIVALS_OF_LISTING

    @property
    def listed(self) -> frozenset[Decimal]:
        """The amounts that stand in a list of other products, all of them built alike."""
        by_build = _by_build(one for one in self.found if one.is_elsewhere)
        lists = (amounts for amounts in by_build.values() if len(amounts) >= _ALIKE_OF_LISTING)
        return frozenset(amount for amounts in lists for amount in amounts)

    @property
    def elsewhere(self) -> frozenset[Decimal]:
        """The amounts that stand nowhere but among other products or in other parts."""
        here = {one.amount for one in self.found if not one.is_elsewhere}
        return frozenset(one.amount for one in self.found if one.amount not in here)

    def remove_cards(self) -> None:
        """Take the cards of other products out of the tree."""
        remove_all(self.cards)

    def lead_over(self, amount: Decimal) -> float:
        """By how much the best amount outdoes `amount`; 0 when that is the best itself."""
        if self.best is None:
            return 0.0
        return self.scores[self.best] - self.scores.get(amount, _UNSEEN_SCORE)


def shown_prices(
    tree: LexborHTMLParser, facts: PageFacts, *, with_cards: bool = False
) -> ShownPrices:
    """Every amount that stands in an element named like a price, scored by name and place.

    Where nothing but the page names its price, cards of other products are told `with_cards`.
    """
    found, cards = _candidates(tree, _SELECTOR, facts, with_cards=with_cards)
    if not found:
        found, cards = _candidates(tree, _OTHER_SELECTOR, facts, with_cards=with_cards)
    shown = ShownPrices(found=tuple(found), cards=tuple(cards))
    for candidate in found:
        known = shown.scores.get(candidate.amount, candidate.score)
        shown.scores[candidate.amount] = max(known, candidate.score)
        if candidate.is_current:
            shown.current.add(candidate.amount)
        if candidate.sign:
            shown.signs.setdefault(candidate.amount, candidate.sign)
    repeats = _repeats([candidate for candidate in found if not candidate.is_elsewhere])
    for amount in shown.scores:
        shown.scores[amount] += min(max(repeats[amount] - 1, 0), 2) * 0.5
    for place, candidate in enumerate(found):
        if candidate.is_struck and candidate.amount not in shown.current:
            others = found[max(0, place - _NEXT_TO) : place + _NEXT_TO + 1]
            shown.struck.setdefault(candidate.amount, set()).update(_beside(candidate, others))
    return shown


def _repeats(found: list[_Candidate]) -> Counter[Decimal]:
    """In how many places each amount stands.

    Elements inside of each other are one place, and so are those that are built alike: cards.
    """
    repeats = Counter(candidate.amount for candidate in found)
    often = {amount for amount, count in repeats.items() if count >= _ALIKE_BESIDE}
    known: dict[Decimal, set[int]] = {}
    builds: set[tuple[Decimal, tuple[str, ...]]] = set()
    for candidate in found:
        if repeats[candidate.amount] > 1:
            same = known.setdefault(candidate.amount, set())
            is_counted = not same.isdisjoint(elements_around(candidate.element))
            same.add(candidate.element.mem_id)
            if not is_counted and candidate.amount in often:
                build = (candidate.amount, build_of(candidate.element))
                is_counted = build in builds
                builds.add(build)
            repeats[candidate.amount] -= is_counted
    return repeats


def _beside(struck: _Candidate, others: list[_Candidate]) -> set[Decimal]:
    """The current amounts among `others` that share the closest element around `struck`."""
    current = {other.amount: elements_around(other.element) for other in others if other.is_current}
    for element in elements_around(struck.element):
        inside = {amount for amount, around in current.items() if element in around}
        if inside:
            return inside
    return set()


def _by_build(found: Iterable[_Candidate]) -> dict[tuple[str, ...], list[Decimal]]:
    """The amounts of elements that are built alike."""
    by_build: dict[tuple[str, ...], list[Decimal]] = {}
    for one in found:
        by_build.setdefault(build_of(one.element), []).append(one.amount)
    return by_build


def _candidates(
    tree: LexborHTMLParser, selector: str, facts: PageFacts, *, with_cards: bool
) -> tuple[list[_Candidate], list[LexborNode]]:
    """The amounts in elements that `selector` finds, and the cards of other products there."""
    found: list[_Candidate] = []
    seen_heading = False
    since_heading = 0
    matches = tree.css(selector)[:_CANDIDATES_MAX]
    # An element that matches by class and by id comes twice.
    elements = list({match.mem_id: match for match in matches}.values())
    heading = heading_of([each for each in elements if each.tag == "h1"], facts.heading)
    if with_cards and heading is not None and _is_in_overlay(heading):
        heading = None
    places = Places(facts, _all_around(heading), with_cards=with_cards)
    for element in elements:
        if element.tag == "h1":
            if heading is not None and element.mem_id == heading.mem_id:
                seen_heading, since_heading = True, 0
            continue
        shown = _read(element, places)
        if shown is None:
            continue
        since_heading += not (found and _holds(found[-1], shown))
        nearness = max(0.0, 2.0 - 0.25 * since_heading) if seen_heading else 0.0
        found.append(replace(shown, score=shown.score + nearness))
    return found, places.cards


def _holds(outer: _Candidate, inner: _Candidate) -> bool:
    """Whether it is the same amount in an element inside: one price in one place."""
    is_same = outer.amount == inner.amount
    return is_same and outer.element.mem_id in elements_around(inner.element)


def _is_in_overlay(heading: LexborNode) -> bool:
    """Whether it stands in what opens above the page, where other products are shown."""
    place = heading.parent
    while place is not None and place.tag != "body":
        if OVERLAY.are_in(names_of(place)):
            return True
        place = place.parent
    return False


def _all_around(heading: LexborNode | None) -> frozenset[int]:
    """The elements that hold the page's heading: those are no other part of the page."""
    found: set[int] = set()
    place = heading.parent if heading is not None else None
    while place is not None:
        found.add(place.mem_id)
        place = place.parent
    return frozenset(found)


def _read(element: LexborNode, places: Places) -> _Candidate | None:
    if element.tag in _NOT_SHOWN or _DIGIT.search(element.text()) is None:
        return None
    text = _price_text(element)
    if _DIGIT.search(text) is None:
        return None
    amount, sign = places.amount_in(text)
    if amount is None or (sign is None and not _is_plainly_price(names_of(element))):
        return None
    of_sign = sum(map(str.isalpha, sign or ""))
    words = sum(map(str.isalpha, text)) - of_sign
    names = names_of(element)
    place, is_elsewhere = places.score(element)
    # What words beside its sign say of a price matters where it may be the page's own.
    is_told = not is_elsewhere and words > 1
    if _is_in_old_price(element) or (is_told and calls_it_old(text)) or _is_in_old_row(element):
        names = f"{names} {_STRUCK_NAME}"
    elif is_told and PART_WORDS.search(text) is not None:
        names = f"{names} {_PART_NAME}"
    score = _name_score(names) + (2.0 if sign else 0.0) + place
    # A price stands by itself; the more words around the number, the less it is one.
    if words >= _WORDS_MIN:
        words = max(0, sum(map(str.isalpha, without_price_words(text))) - of_sign)
    is_current = score > STRUCK_SCORE and not OTHER_NAME.are_in(names)
    is_old = place <= STRUCK_SCORE or (place >= 0 and OLD_NAME.are_in(names))
    score -= min(words, 30) * 0.1
    return _Candidate(element, amount, sign, score, is_current, is_old, is_elsewhere)


def _is_in_old_price(element: LexborNode) -> bool:
    """Whether the element around this one is named as the price before a reduction."""
    around = element.parent
    if around is None:
        return False
    names = names_of(around)
    return "rice" in names and OLD_NAME.are_in(names) and OTHER_NAME.are_in(names)


def _is_in_old_row(element: LexborNode) -> bool:
    """Whether it stands in a table whose cell in front calls it the price before a reduction."""
    place: LexborNode | None = element
    for _ in range(_CELL_DEPTH):
        if place is None or place.tag in _CELLS:
            break
        place = place.parent
    if place is None or place.tag not in _CELLS:
        return False
    label = place.prev
    while label is not None and label.tag not in _LABEL_CELLS:
        label = label.prev
    return label is not None and calls_it_old(short_text(label, _TEXT_LENGTH_MAX))


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
