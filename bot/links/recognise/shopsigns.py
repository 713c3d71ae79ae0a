"""What a page's buttons and stock lines say, in any language that the word lists know."""

from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from bot.links.recognise.nodes import is_styled_away, names_of, short_text
from bot.links.recognise.shopwords import ADD_TO_CART, OTHER_PLACE, SOLD_OUT

_BUTTONS = (
    'button, input[type="submit"], input[type="button"], [class*="cart" i], [id*="cart" i], '
    '[class*="basket" i], [class*="buy" i], a[class*="btn" i], a[class*="button" i], '
    'img[src*="cart"], img[src*="buy"]'
)
_STOCK_LINES = (
    '[class*="stock" i], [id*="stock" i], [class*="avail" i], [id*="avail" i], '
    '[class*="sold" i], [class*="dispo" i], [class*="unavail" i], button'
)
_SPOKEN = ("class", "id", "value", "title", "alt", "aria-label", "name")
_ELEMENTS_MAX = 300
_TEXT_LENGTH_MAX = 80
_ANCESTORS_MAX = 8


def sells(tree: LexborHTMLParser) -> bool:
    """Whether something on the page puts a product into a cart or buys it at once."""
    said = "\n".join(_said(element) for element in tree.css(_BUTTONS)[:_ELEMENTS_MAX]).lower()
    return any(words in said for words in ADD_TO_CART)


def availability_shown(tree: LexborHTMLParser) -> str | None:
    """What the page's visible stock lines say of its product; None when they are silent."""
    for element in tree.css(_STOCK_LINES)[:_ELEMENTS_MAX]:
        text = short_text(element, _TEXT_LENGTH_MAX)
        if text and _is_gone(text) and _is_shown(element):
            return "OutOfStock"
    return None


def _is_gone(text: str) -> bool:
    lowered = text.lower()
    return any(words in lowered for words in SOLD_OUT)


def _said(element: LexborNode) -> str:
    attributes = element.attributes
    spoken = [(attributes.get(name) or "")[:_TEXT_LENGTH_MAX] for name in _SPOKEN]
    return " ".join((*spoken, short_text(element, _TEXT_LENGTH_MAX)))


def _is_shown(element: LexborNode) -> bool:
    for place in _with_ancestors(element):
        names = names_of(place)
        if is_styled_away(place) or "hidden" in names.split() or OTHER_PLACE.search(names):
            return False
    return True


def _with_ancestors(element: LexborNode) -> Iterator[LexborNode]:
    place: LexborNode | None = element
    for _ in range(_ANCESTORS_MAX):
        if place is None or place.tag in {"body", "html"}:
            return
        yield place
        place = place.parent
