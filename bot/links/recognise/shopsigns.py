"""What a page puts into a cart or sells at once, by what its buttons say in any known language."""

import re
from collections.abc import Sequence

from selectolax.lexbor import LexborHTMLParser, LexborNode

from bot.links.recognise.nodes import is_within, short_text, short_texts
from bot.links.recognise.saidstock import in_lower_case
from bot.links.recognise.shopwords import (
    ADD_TO_CART,
    BUY,
    CART_ITSELF,
)

_BUTTONS = (
    'button, input[type="submit"], input[type="button"], [class*="cart" i], [id*="cart" i], '
    '[class*="basket" i], [class*="buy" i], a[class*="btn" i], a[class*="button" i], '
    'img[src*="cart"], img[src*="buy"]'
)
#: Words for the cart that say by themselves that something is put into it, or only where it is.
_CART_NOUNS = tuple(word for word in ADD_TO_CART if word in CART_ITSELF)
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
_TEXT_LENGTH_MAX = 80


def has_cart_button(page: bytes) -> bool:
    """Whether a button anywhere in a page, far from its heading too, is named after a cart."""
    return _CART_BUTTON.search(page) is not None


def sells(tree: LexborHTMLParser, cards: Sequence[LexborNode] = ()) -> bool:
    """Whether something on the page puts a product into a cart or buys it at once.

    What stands in the `cards` of other products does so with those.
    """
    others = frozenset(card.mem_id for card in cards)
    buttons = [
        button for button in tree.css(_BUTTONS)[:_ELEMENTS_MAX] if not is_within(button, others)
    ]
    said = "\n".join(
        said_by(element, short_text(element, _TEXT_LENGTH_MAX)) for element in buttons
    ).lower()
    may_only_lead = any(map(said.__contains__, _CART_NOUNS))
    if puts_into_cart(said) and (not may_only_lead or any(map(_is_bought, buttons))):
        return True
    plain = tree.css("button, a, input")[:_ELEMENTS_MAX]
    names = {_named(one) for one in (*buttons, *plain) if not is_within(one, others)}
    if not names.isdisjoint(BUY):
        return True
    if not puts_into_cart("\n".join(names)):
        return False
    return any(puts_into_cart(name) and not _leads_to_cart(name) for name in names)


def sells_either_way(tree: LexborHTMLParser) -> bool:
    """Whether people can buy at once, and put into a cart instead, as they can with one product."""
    named = {_named(element) for element in tree.css("button, a, input")[:_ELEMENTS_MAX]}
    into = (_bare(name) in CART_ITSELF or puts_into_cart(name) for name in named - BUY)
    return not named.isdisjoint(BUY) and any(into)


def says_cart(tree: LexborHTMLParser) -> bool:
    """Whether a short text that stands by itself, a button or not, puts something into a cart."""
    said = (in_lower_case(text) for _, text in short_texts(tree, _BUTTON_LENGTH_MAX))
    return any(puts_into_cart(text) for text in said if not _leads_to_cart(text))


def _is_bought(element: LexborNode) -> bool:
    """Whether a button puts something into a cart, and does not only lead to it."""
    text = short_text(element, _TEXT_LENGTH_MAX)
    if element.tag == "img" and _bare(element.attributes.get("alt") or "") in CART_ITSELF:
        return False
    leads = element.tag == "a" and _bare(text) in CART_ITSELF
    return puts_into_cart(said_by(element, "" if leads else text).lower())


def _leads_to_cart(lowered: str) -> bool:
    return lowered.startswith(_GOES_TO_CART) or _bare(lowered) in CART_ITSELF


def _bare(text: str) -> str:
    """A text in lower case without the numbers and brackets around it."""
    return text.lower().strip(" \u00a00123456789()[]{}:-")


def _named(element: LexborNode) -> str:
    """What stands on a button or a link, in lower case; empty when it is long."""
    text = short_text(element, _BUTTON_LENGTH_MAX) or (element.attributes.get("value") or "")
    return in_lower_case(text[:_TEXT_LENGTH_MAX]).strip(" !>»›→")


def puts_into_cart(lowered: str) -> bool:
    """Whether a text in lower case says that something is put into a cart."""
    words = _ADD_TO_CART_PLAIN if lowered.isascii() else ADD_TO_CART
    return any(map(lowered.__contains__, words))


def said_by(element: LexborNode, text: str) -> str:
    """All that a button says: its `text`, and what its attributes say to people and scripts."""
    attributes = element.attributes
    spoken = [(attributes.get(name) or "")[:_TEXT_LENGTH_MAX] for name in _SPOKEN]
    return " ".join((*spoken, text)).replace("_", "-")
