"""What a page's buttons and stock lines say, in any language that the word lists know."""

import re
from collections.abc import Iterator
from itertools import islice

from selectolax.lexbor import LexborHTMLParser, LexborNode

from bot.links.recognise.facts import PageFacts
from bot.links.recognise.nodes import is_styled_away, names_of, short_text
from bot.links.recognise.partnames import PartNames
from bot.links.recognise.saidstock import (
    in_lower_case,
    said_availability,
    says_gone,
    tells_when_back,
)
from bot.links.recognise.shopwords import (
    ADD_TO_CART,
    BUY,
    CART_ITSELF,
    CART_NAME,
    GONE_NAME,
    OFF_NAME,
    OTHER_CARD,
    OTHER_PLACE,
)
from bot.links.recognise.stocklabels import labelled_stock

_BUTTONS = (
    'button, input[type="submit"], input[type="button"], [class*="cart" i], [id*="cart" i], '
    '[class*="basket" i], [class*="buy" i], a[class*="btn" i], a[class*="button" i], '
    'img[src*="cart"], img[src*="buy"]'
)
_STOCK_LINES = (
    '[class*="stock" i], [id*="stock" i], [class*="avail" i], [id*="avail" i], '
    '[class*="sold" i], [class*="dispo" i], [class*="unavail" i], button'
)
_GONE = ("soldout", "sold_out", "sold-out", "sold out", "outofstock", "out_of_stock",
         "out-of-stock", "out of stock")  # fmt: skip
_GONE_IN_BYTES = tuple(words.encode() for words in _GONE)
#: Shops that are older say it in a picture.
_GONE_PICTURES = ", ".join(f'img[src*="{words}" i], img[alt*="{words}" i]' for words in _GONE)
#: Words for the cart that say by themselves that something is put into it, or only where it is.
_CART_NOUNS = tuple(word for word in ADD_TO_CART if word in CART_ITSELF)
_ADD_TO_CART_PLAIN = tuple(filter(str.isascii, ADD_TO_CART))
#: What a link to the cart begins with, in languages that have one word for into it and to it.
_GOES_TO_CART = (
    "przejdź", "idź", "перейти", "преминете", "přejít", "prejsť", "pojdi", "idi", "tovább",
    "gå ", "siirry", "mine ", "ir ", "aller", "vai ", "go to", "view", "naar ", "到", "去", "前往",
)  # fmt: skip
#: What a size says of itself is not what the product says.
_CHOICES = frozenset({"option", "li", "label"})
_SPOKEN = ("class", "id", "value", "title", "alt", "aria-label", "name")
#: As shop software names the button, in whatever language it speaks to people.
_CART_BUTTON = re.compile(
    rb"<(?:button|input)\s[^<>]{0,300}?\b(?:id|name|class)\s{0,2}=\s{0,2}[\"'][^\"'<>]{0,100}"
    rb"add[-_]?to[-_]?(?:cart|basket|bag)"
)
_WINDOW_CHARS = 2000
_SHORT_CHARS = 40
#: They are not available on pages whose product is.
_OF_OTHER_THINGS = re.compile(
    r"imag|immagin|obraz|obráz|bild|photo|foto|video|pdf|review|preview|chat|deliver|pick ?up|store"
    r"|versand|abhol|livraison|magasin|изображ|фото|画像|图片|圖片|이미지",
    re.IGNORECASE,
)
_NODES_MAX = 1500
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
    may_only_lead = any(map(said.__contains__, _CART_NOUNS))
    if _puts_into_cart(said) and (not may_only_lead or any(map(_is_bought, buttons))):
        return True
    plain = tree.css("button, a, input")[:_ELEMENTS_MAX]
    names = {_named(element) for element in (*buttons, *plain)}
    if not names.isdisjoint(BUY):
        return True
    if not _puts_into_cart("\n".join(names)):
        return False
    return any(_puts_into_cart(name) and not _leads_to_cart(name) for name in names)


def sells_either_way(tree: LexborHTMLParser) -> bool:
    """Whether people can buy at once, and put into a cart instead, as they can with one product."""
    named = {_named(element) for element in tree.css("button, a, input")[:_ELEMENTS_MAX]}
    into = (_bare(name) in CART_ITSELF or _puts_into_cart(name) for name in named - BUY)
    return not named.isdisjoint(BUY) and any(into)


def says_cart(tree: LexborHTMLParser) -> bool:
    """Whether a short text that stands by itself, a button or not, puts something into a cart."""
    said = (in_lower_case(text) for _, text in _short_texts(tree, _BUTTON_LENGTH_MAX))
    return any(_puts_into_cart(text) for text in said if not _leads_to_cart(text))


def is_switched_off(tree: LexborHTMLParser) -> bool:
    """Whether a button is there that cannot be pressed, and says that something is gone."""
    return any(
        says_gone(short_text(button, _SHORT_CHARS)) and _is_shown(button)
        for button in tree.css("button[disabled]")[:_ELEMENTS_MAX]
    )


def availability_shown(tree: LexborHTMLParser, facts: PageFacts, *, is_priced: bool) -> str | None:
    """What the page's visible stock lines say of its product; None when they are silent.

    Where no line is named as one, what stands behind the page's heading is read: a label with what
    it says, or a short text that the product is gone, if nothing puts it into a cart. Of what has
    a price only that it is gone is found out in every case.
    """
    if _is_around_gone(tree):
        return "OutOfStock"
    lines = [
        (element, short_text(element, _TEXT_LENGTH_MAX))
        for element in tree.css(_STOCK_LINES)[:_ELEMENTS_MAX]
    ]
    # Most pages say nothing of the kind anywhere, which is told at once.
    said = "\n".join(text for _, text in lines)
    may_be_gone, may_be_told = says_gone(said), tells_when_back(said)
    for element, text in lines:
        is_gone = bool(text) and (
            (may_be_gone and says_gone(text))
            or _is_named_gone(element, text, may_be_told=may_be_told)
        )
        if is_gone and _is_shown(element):
            return "OutOfStock"
    behind = facts.behind_name[:_WINDOW_CHARS]
    told = labelled_stock(behind)
    if told is None and _seems_gone(tree, facts, behind) and not can_be_bought(tree):
        return "OutOfStock"
    if told is not None or is_priced:
        return told
    is_there = any(said_availability(text) == "InStock" and _is_shown(e) for e, text in lines)
    return "InStock" if is_there or can_be_bought(tree) else None


def can_be_bought(tree: LexborHTMLParser) -> bool:
    """Whether a button that is not switched off puts the page's own product into the cart."""
    found = tree.css('button, input[type="submit"]')[:_ELEMENTS_MAX]
    return any(
        _is_open_cart_button(element, short_text(element, _TEXT_LENGTH_MAX)) for element in found
    )


def _is_around_gone(tree: LexborHTMLParser) -> bool:
    """Whether an element around the page's heading is named after a product that is gone."""
    heading = tree.css_first("h1")
    names = (names_of(place) for place in _with_ancestors(heading)) if heading is not None else ()
    return any(map(GONE_NAME.are_in, names))


def _seems_gone(tree: LexborHTMLParser, facts: PageFacts, behind: str) -> bool:
    """Whether a picture, or a text that stands by itself, says that the product is gone."""
    beside = facts.beside_name.lower()
    if any(map(beside.__contains__, _GONE_IN_BYTES)) and any(
        map(_is_shown, tree.css(_GONE_PICTURES)[:_ELEMENTS_MAX])
    ):
        return True
    return says_gone(behind) and _one_text_says_gone(tree)


def _one_text_says_gone(tree: LexborHTMLParser) -> bool:
    """Whether one short text that stands by itself says that the product is gone.

    Several say it of sizes, or of other products.
    """
    places = 0
    for node, text in _short_texts(tree, _SHORT_CHARS):
        if says_gone(text) and _OF_OTHER_THINGS.search(text) is None:
            around = node.parent
            if around is not None and around.tag not in _CHOICES and _is_shown(around):
                places += 1
    return places == 1


def _short_texts(tree: LexborHTMLParser, length_max: int) -> Iterator[tuple[LexborNode, str]]:
    """The texts of at most so many characters that stand by themselves, near the page's top."""
    nodes = tree.body.traverse(include_text=True) if tree.body is not None else iter(())
    for node in islice(nodes, _NODES_MAX):
        text = (node.text_content or "").strip() if node.tag == "-text" else ""
        if 0 < len(text) <= length_max:
            yield node, text


def _is_bought(element: LexborNode) -> bool:
    """Whether a button puts something into a cart, and does not only lead to it."""
    text = short_text(element, _TEXT_LENGTH_MAX)
    if element.tag == "img" and _bare(element.attributes.get("alt") or "") in CART_ITSELF:
        return False
    leads = element.tag == "a" and _bare(text) in CART_ITSELF
    return _puts_into_cart(_said(element, "" if leads else text).lower())


def _leads_to_cart(lowered: str) -> bool:
    return lowered.startswith(_GOES_TO_CART) or _bare(lowered) in CART_ITSELF


def _bare(text: str) -> str:
    """A text in lower case without the numbers and brackets around it."""
    return text.lower().strip(" \u00a00123456789()[]{}:-")


def _is_open_cart_button(element: LexborNode, text: str) -> bool:
    attributes = element.attributes
    if "disabled" in attributes or attributes.get("aria-disabled") == "true":
        return False
    names = names_of(element)
    if not CART_NAME.are_in(f"{names} {attributes.get('name') or ''}"):
        return False
    said = _said(element, text).lower()
    if not _puts_into_cart(said) or OFF_NAME.are_in(names) or says_gone(said):
        return False
    return _is_shown(element, OTHER_CARD)


def _is_named_gone(element: LexborNode, text: str, *, may_be_told: bool) -> bool:
    """Whether its class says that the product is gone, or it offers to tell when it is back."""
    if may_be_told and tells_when_back(text):
        return element.tag == "button"
    return GONE_NAME.are_in(names_of(element)) and not _DIGIT.search(text)


def _named(element: LexborNode) -> str:
    """What stands on a button or a link, in lower case; empty when it is long."""
    text = short_text(element, _BUTTON_LENGTH_MAX) or (element.attributes.get("value") or "")
    return in_lower_case(text[:_TEXT_LENGTH_MAX]).strip(" !>»›→")


def _puts_into_cart(lowered: str) -> bool:
    words = _ADD_TO_CART_PLAIN if lowered.isascii() else ADD_TO_CART
    return any(map(lowered.__contains__, words))


def _said(element: LexborNode, text: str) -> str:
    attributes = element.attributes
    spoken = [(attributes.get(name) or "")[:_TEXT_LENGTH_MAX] for name in _SPOKEN]
    return " ".join((*spoken, text)).replace("_", "-")


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
