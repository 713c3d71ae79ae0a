"""What the elements around a price say about it: the product's own, another's, or struck out."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from selectolax.lexbor import LexborNode

from bot.links.recognise.amounts import read_amount, read_lowest
from bot.links.recognise.currencies import currency_of_sign, sign_in
from bot.links.recognise.facts import PageFacts
from bot.links.recognise.nodes import all_names_in, element_beside, is_hidden
from bot.links.recognise.shopwords import OTHER_PLACE, PRODUCT_PLACE
from bot.links.recognise.tree import RENAMED
from bot.links.recognise.values import leads_away
from wallet_core.money import exponent_of

STRUCK = frozenset({"del", "s", "strike", f"{RENAMED}s", f"{RENAMED}strike"})
#: What a price that is struck out scores, and less.
STRUCK_SCORE = -4.0
#: The same by style, and by the classes that people give it.
STRUCK_BY_STYLE = (
    '[style*="line-through"]', '[class*="line-through"]', '[class*="linethrough" i]',
    '[class*="strike" i]',
)  # fmt: skip
_BARE_PLACES = frozenset({"footer", "nav", "aside", "header", "select", "option"})
_TOP = frozenset({"body", "html"})
_ANCESTORS_MAX = 12
_CARD_TAGS = frozenset({"li", "article"})
_PRICES = '[class*="price" i], [id*="price" i]'
_PICTURE_LINKS = "a[href] img, h2 a[href], h3 a[href], h4 a[href], a[href] h2, a[href] h3"
_NAME_LINKS = "h2 a[href], h3 a[href], h4 a[href]"
_LINKS_MAX = 10
#: Cards are not larger than so many elements around a price.
_CARD_DEPTH = 6
#: Digits inside of letters are a code, not an amount.
_CODED = re.compile(r"[A-Za-z][0-9]+[A-Za-z]")
_PICTURE_FILE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif|svg)(?:[?#]|$)", re.IGNORECASE)


@dataclass(slots=True)
class _Place:
    """What an element says of the prices in it, and the element around it."""

    around: LexborNode | None
    around_id: int
    struck: bool = False
    other: bool = False
    linked: bool = False
    product: bool = False
    hidden: bool = False
    #: One of several alike, each with a link to a page of its own: another product's.
    card: bool = False


class Places:
    """What elements and texts of a page say of its prices, each looked at once."""

    def __init__(self, facts: PageFacts, own: frozenset[int], *, with_cards: bool = False) -> None:
        """`own` are the elements around the page's heading, which no other product has.

        Cards of other products are told, which takes its time, only `with_cards`.
        """
        self._facts = facts
        self._own = own
        self._with_cards = with_cards
        self._known: dict[int, _Place] = {}
        self._read: dict[str, tuple[Decimal | None, str | None]] = {}
        #: The cards of other products that were come across.
        self.cards: list[LexborNode] = []

    def amount_in(self, text: str) -> tuple[Decimal | None, str | None]:
        """The amount and the currency sign in a text; the same text stands in several elements."""
        known, facts = self._read.get(text), self._facts
        if known is None and _CODED.search(text) is not None:
            known = self._read[text] = (None, None)
        if known is None:
            sign = sign_in(text)
            currency = currency_of_sign(sign, facts.regions) if sign else None
            exponent = exponent_of(currency) if currency else None
            amount = read_amount(text, exponent=exponent, language=facts.language)
            if amount is None and sign is not None:
                amount = read_lowest(text, exponent=exponent, language=facts.language)
            known = self._read[text] = (amount, sign)
        return known

    def score(self, element: LexborNode) -> tuple[float, bool]:
        """How likely the place of `element` is that of the product's own price.

        Also whether an element around it is named as another part of the page.
        """
        hidden = 0
        good = bad = linked = False
        place: LexborNode | None = element
        place_id = element.mem_id
        for depth in range(_ANCESTORS_MAX):
            seen = self._known.get(place_id)
            if seen is None:
                if place is None or place.tag in _TOP:
                    break
                seen = self._known[place_id] = _look(place, self._facts)
                if place_id in self._own:
                    seen.other = False
                elif self._with_cards and depth < _CARD_DEPTH and _is_card(place, self._facts):
                    seen.card = True
                    self.cards.append(place)
            if seen.struck:
                return 2 * STRUCK_SCORE, bad
            bad = bad or seen.other
            linked = linked or seen.linked or seen.card
            good = good or seen.product
            hidden += seen.hidden
            place, place_id = seen.around, seen.around_id
        return good - 2.0 * hidden - 3.0 * bad - 4.0 * linked, bad or linked


def _look(place: LexborNode, facts: PageFacts) -> _Place:
    around = place.parent
    seen = _Place(around, around.mem_id if around is not None else 0)
    tag = place.tag
    if tag in STRUCK:
        seen.struck = True
        return seen
    attributes = place.attributes
    names = all_names_in(attributes) if attributes else ""
    seen.other = tag in _BARE_PLACES or _is_other_place(names)
    seen.linked = tag == "a" and _leads_elsewhere(attributes.get("href") or "", facts)
    seen.product = _is_product_place(names)
    seen.hidden = bool(attributes) and is_hidden(attributes)
    seen.struck = "line-through" in (attributes.get("style") or "")
    return seen


def _is_card(place: LexborNode, facts: PageFacts) -> bool:
    """Whether `place`, which holds a price, is another product's, alone or beside others alike."""
    name = _first_name(place)
    if not name and place.tag not in _CARD_TAGS:
        return False
    both = (element_beside(place, after=True), element_beside(place, after=False))
    alike = [
        beside
        for beside in both
        if beside is not None and beside.tag == place.tag and _first_name(beside) == name
    ]
    if not _links_elsewhere(place, facts):
        return False
    if not alike:
        return _is_named_elsewhere(place, facts)
    return any(
        beside.css_first(_PRICES) is not None and _links_elsewhere(beside, facts)
        for beside in alike
    )


def _is_named_elsewhere(place: LexborNode, facts: PageFacts) -> bool:
    """Whether its picture and its name, a heading, both lead to one other page."""
    pictured = {_target(each.parent) for each in place.css("a[href] > img")[:_LINKS_MAX]}
    named = {_target(link) for link in place.css(_NAME_LINKS)[:_LINKS_MAX]}
    both = pictured & named
    return len(both) == 1 and _leads_elsewhere(both.pop(), facts)


def _target(link: LexborNode | None) -> str:
    return (link.attributes.get("href") or "") if link is not None else ""


def _first_name(element: LexborNode) -> str:
    """The first of its classes; those behind it number it, or place it."""
    return (element.attributes.get("class") or "").strip().partition(" ")[0]


def _links_elsewhere(place: LexborNode, facts: PageFacts) -> bool:
    """Whether a picture or a name in it leads to another page."""
    picture = place.css_first(_PICTURE_LINKS)
    link = picture if picture is None or picture.tag == "a" else picture.parent
    while link is not None and link.tag != "a":
        link = link.parent
    target = (link.attributes.get("href") or "") if link is not None else ""
    return not _PICTURE_FILE.search(target) and _leads_elsewhere(target, facts)


def _leads_elsewhere(href: str, facts: PageFacts) -> bool:
    """Whether a link leads to another page: the price on it is what that one sells."""
    target = href.strip()
    if not target or target.startswith("#"):
        return False
    return leads_away(target, facts.url, facts.path)


@lru_cache(maxsize=512)
def _is_other_place(names: str) -> bool:
    return OTHER_PLACE.are_in(names)


@lru_cache(maxsize=512)
def _is_product_place(names: str) -> bool:
    return PRODUCT_PLACE.are_in(names)
