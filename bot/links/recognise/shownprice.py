"""The price that a page shows to people: a guess for previews and a check on the other sources."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import takewhile

from selectolax.lexbor import LexborHTMLParser, LexborNode

from bot.links.recognise.builds import build_of, elements_around
from bot.links.recognise.facts import PageFacts
from bot.links.recognise.nodes import NAMES_FOR_TESTS, ancestors, heading_of, names_of, remove_all
from bot.links.recognise.places import Places
from bot.links.recognise.pricedelements import PricedElement, read_price
from bot.links.recognise.shopwords import OVERLAY, PRICE_NAMES

_SELECTOR = 'h1, [class*="price" i], [id*="price" i]'
#: Slower, so only where the first finds nothing.
_OTHER_SELECTOR = ", ".join(
    ["h1", *(f'[{attribute}*="{name}" i]' for name in PRICE_NAMES for attribute in ("class", "id"))]
)
#: Where neither finds any.
_TESTED_SELECTOR = ", ".join(
    ["h1", *(f'[{attribute}*="price" i]' for attribute in NAMES_FOR_TESTS)]
)
_CANDIDATES_MAX = 60
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
_UNSEEN_SCORE = 0.0


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
    found: tuple[PricedElement, ...] = ()
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
    for selector in (_OTHER_SELECTOR, _TESTED_SELECTOR):
        if not found:
            found, cards = _candidates(tree, selector, facts, with_cards=with_cards)
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


def _repeats(found: list[PricedElement]) -> Counter[Decimal]:
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


def _beside(struck: PricedElement, others: list[PricedElement]) -> set[Decimal]:
    """The current amounts among `others` that share the closest element around `struck`."""
    current = {other.amount: elements_around(other.element) for other in others if other.is_current}
    for element in elements_around(struck.element):
        inside = {amount for amount, around in current.items() if element in around}
        if inside:
            return inside
    return set()


def _by_build(found: Iterable[PricedElement]) -> dict[tuple[str, ...], list[Decimal]]:
    """The amounts of elements that are built alike."""
    by_build: dict[tuple[str, ...], list[Decimal]] = {}
    for one in found:
        by_build.setdefault(build_of(one.element), []).append(one.amount)
    return by_build


def _candidates(
    tree: LexborHTMLParser, selector: str, facts: PageFacts, *, with_cards: bool
) -> tuple[list[PricedElement], list[LexborNode]]:
    """The amounts in elements that `selector` finds, and the cards of other products there."""
    found: list[PricedElement] = []
    seen_heading = False
    since_heading = 0
    matches = tree.css(selector)[:_CANDIDATES_MAX]
    # An element that matches by class and by id comes twice.
    elements = list({match.mem_id: match for match in matches}.values())
    heading = heading_of([each for each in elements if each.tag == "h1"], facts.heading)
    if with_cards and heading is not None and _is_in_overlay(heading):
        heading = None
    # What holds the page's heading is no other part of the page.
    own = frozenset(place.mem_id for place in ancestors(heading))
    places = Places(facts, own, with_cards=with_cards)
    for element in elements:
        if element.tag == "h1":
            if heading is not None and element.mem_id == heading.mem_id:
                seen_heading, since_heading = True, 0
            continue
        shown = read_price(element, places)
        if shown is None or (found and _is_part_of(found[-1], shown)):
            continue
        since_heading += not (found and _holds(found[-1], shown))
        nearness = max(0.0, 2.0 - 0.25 * since_heading) if seen_heading else 0.0
        found.append(replace(shown, score=shown.score + nearness))
    return found, places.cards


def _holds(outer: PricedElement, inner: PricedElement) -> bool:
    """Whether it is the same amount in an element inside: one price in one place."""
    return outer.amount == inner.amount and _is_inside(outer, inner)


def _is_part_of(whole: PricedElement, part: PricedElement) -> bool:
    """Whether it is a bare number inside of a price: its units or cents, in an own element."""
    if part.sign is not None or whole.sign is None or part.amount == whole.amount:
        return False
    return _is_inside(whole, part)


def _is_inside(outer: PricedElement, inner: PricedElement) -> bool:
    return outer.element.mem_id in elements_around(inner.element)


def _is_in_overlay(heading: LexborNode) -> bool:
    """Whether it stands in what opens above the page, where other products are shown."""
    inside = takewhile(lambda place: place.tag != "body", ancestors(heading))
    return any(OVERLAY.are_in(names_of(place)) for place in inside)
