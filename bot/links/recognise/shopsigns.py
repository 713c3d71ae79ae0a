"""What a page's buttons and stock lines say, in any language that the word lists know."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from bot.links.recognise.nodes import is_styled_away, names_of, short_text
from bot.links.recognise.partnames import PartNames
from bot.links.recognise.shopwords import (
    ADD_TO_CART,
    BUY,
    CART_NAME,
    GONE_NAME,
    OFF_NAME,
    OTHER_CARD,
    OTHER_PLACE,
    SOLD_OUT,
    TELL_ME_WHEN_BACK,
)

_BUTTONS = (
    'button, input[type="submit"], input[type="button"], [class*="cart" i], [id*="cart" i], '
    '[class*="basket" i], [class*="buy" i], a[class*="btn" i], a[class*="button" i], '
    'img[src*="cart"], img[src*="buy"]'
)
_STOCK_LINES = (
    '[class*="stock" i], [id*="stock" i], [class*="avail" i], [id*="avail" i], '
    '[class*="sold" i], [class*="dispo" i], [class*="unavail" i], button'
)
_SOLD_OUT_PLAIN = tuple(filter(str.isascii, SOLD_OUT))
_ADD_TO_CART_PLAIN = tuple(filter(str.isascii, ADD_TO_CART))
#: What a link to the cart begins with, in languages that have one word for into it and to it.
_GOES_TO_CART = (
    "przejdź", "idź", "перейти", "преминете", "přejít", "prejsť", "pojdi", "idi", "tovább",
    "gå ", "siirry", "mine ", "ir ", "aller", "vai ", "go to", "view", "naar ", "到", "去", "前往",
)  # fmt: skip
_SPOKEN = ("class", "id", "value", "title", "alt", "aria-label", "name")
#: As shop software names the button, in whatever language it speaks to people.
_CART_BUTTON = re.compile(
    rb"<(?:button|input)\s[^<>]{0,300}?\b(?:id|name|class)\s{0,2}=\s{0,2}[\"'][^\"'<>]{0,100}"
    rb"add[-_]?to[-_]?(?:cart|basket|bag)"
)
_ELEMENTS_MAX = 160
_BUTTON_LENGTH_MAX = 24
_DIGIT = re.compile(r"\d")
_TEXT_LENGTH_MAX = 80
_ANCESTORS_MAX = 8


def has_cart_button(page: bytes) -> bool:
    """Whether a button anywhere in a page, far from its heading too, is named after a cart."""
    return _CART_BUTTON.search(page) is not None


def sells(tree: LexborHTMLParser) -> bool:
    """Whether something on the page puts a product into a cart or buys it at once."""
    buttons = tree.css(_BUTTONS)[:_ELEMENTS_MAX]
    said = "\n".join(
        _said(element, short_text(element, _TEXT_LENGTH_MAX)) for element in buttons
    ).lower()
    if _puts_into_cart(said):
        return True
    plain = tree.css("button, a, input")[:_ELEMENTS_MAX]
    names = {_named(element) for element in (*buttons, *plain)}
    if not names.isdisjoint(BUY):
        return True
    return _puts_into_cart("\n".join(n for n in names if not n.startswith(_GOES_TO_CART)))


def availability_shown(tree: LexborHTMLParser) -> str | None:
    """What the page's visible stock lines say of its product; None when they are silent."""
    bought = False
    lines = [
        (element, short_text(element, _TEXT_LENGTH_MAX))
        for element in tree.css(_STOCK_LINES)[:_ELEMENTS_MAX]
    ]
    # Most pages say nothing of the kind anywhere, which is told at once.
    said = "\n".join(text for _, text in lines)
    may_be_gone, may_be_told = _is_gone(said), _tells_when_back(said)
    for element, text in lines:
        is_gone = bool(text) and (
            (may_be_gone and _is_gone(text))
            or _is_named_gone(element, text, may_be_told=may_be_told)
        )
        if is_gone and _is_shown(element):
            return "OutOfStock"
        bought = bought or (element.tag == "button" and _is_open_cart_button(element, text))
    return "InStock" if bought else None


def can_be_bought(tree: LexborHTMLParser) -> bool:
    """Whether a button that is not switched off puts the page's own product into the cart."""
    found = tree.css('button, input[type="submit"]')[:_ELEMENTS_MAX]
    return any(
        _is_open_cart_button(element, short_text(element, _TEXT_LENGTH_MAX)) for element in found
    )


def _is_open_cart_button(element: LexborNode, text: str) -> bool:
    attributes = element.attributes
    if "disabled" in attributes or attributes.get("aria-disabled") == "true":
        return False
    names = names_of(element)
    if not CART_NAME.are_in(f"{names} {attributes.get('name') or ''}"):
        return False
    said = _said(element, text).lower()
    if not _puts_into_cart(said) or OFF_NAME.are_in(names) or _is_gone(said):
        return False
    return _is_shown(element, OTHER_CARD)


def _is_named_gone(element: LexborNode, text: str, *, may_be_told: bool) -> bool:
    """Whether its class says that the product is gone, or it offers to tell when it is back."""
    if may_be_told and _tells_when_back(text):
        return element.tag == "button"
    return GONE_NAME.are_in(names_of(element)) and not _DIGIT.search(text)


def _tells_when_back(text: str) -> bool:
    lowered = text.lower()
    return any(words in lowered for words in TELL_ME_WHEN_BACK)


def _named(element: LexborNode) -> str:
    """What stands on a button or a link, in lower case; empty when it is long."""
    text = short_text(element, _BUTTON_LENGTH_MAX) or (element.attributes.get("value") or "")
    return text[:_TEXT_LENGTH_MAX].lower().strip(" !>»›→")


def _is_gone(text: str) -> bool:
    lowered = text.lower()
    # Most words are in scripts that a text in plain letters cannot hold.
    words = _SOLD_OUT_PLAIN if lowered.isascii() else SOLD_OUT
    return any(word in lowered for word in words)


def _puts_into_cart(lowered: str) -> bool:
    words = _ADD_TO_CART_PLAIN if lowered.isascii() else ADD_TO_CART
    return any(word in lowered for word in words)


def _said(element: LexborNode, text: str) -> str:
    attributes = element.attributes
    spoken = [(attributes.get(name) or "")[:_TEXT_LENGTH_MAX] for name in _SPOKEN]
    return " ".join((*spoken, text))


def _is_shown(element: LexborNode, elsewhere: PartNames = OTHER_PLACE) -> bool:
    for place in _with_ancestors(element):
        names = names_of(place)
        if is_styled_away(place) or "hidden" in names.split() or elsewhere.are_in(names):
            return False
    return True


def _with_ancestors(element: LexborNode) -> Iterator[LexborNode]:
    place: LexborNode | None = element
    for _ in range(_ANCESTORS_MAX):
        if place is None or place.tag in {"body", "html"}:
            return
        yield place
        place = place.parent
