"""What a page shows of its product's stock: lines and buttons that say whether it is there."""

import re
from collections.abc import Iterator
from itertools import islice, takewhile

from selectolax.lexbor import LexborHTMLParser, LexborNode

from bot.links.recognise.facts import PageFacts
from bot.links.recognise.nodes import (
    ancestors,
    heading_of,
    is_named_hidden,
    is_styled_away,
    names_of,
    short_text,
    short_texts,
)
from bot.links.recognise.partnames import PartNames
from bot.links.recognise.saidstock import said_availability, says_gone, tells_when_back
from bot.links.recognise.shopsigns import puts_into_cart, said_by
from bot.links.recognise.shopwords import (
    CART_NAME,
    GONE_NAME,
    OFF_NAME,
    OTHER_CARD,
    OTHER_PLACE,
    OTHER_THAN_STOCK,
)
from bot.links.recognise.stocklabels import labelled_stock
from wallet_core.once import once

_LINES = (
    '[class*="stock" i], [id*="stock" i], [class*="avail" i], [id*="avail" i], '
    '[class*="sold" i], [class*="dispo" i], button'
)
_AVAILABILITY = '[id="availability" i], [class~="availability" i]'
_GONE = ("soldout", "sold_out", "sold-out", "sold out", "outofstock", "out_of_stock",
         "out-of-stock", "out of stock")  # fmt: skip
_GONE_IN_BYTES = tuple(words.encode() for words in _GONE)
#: Shops that are older say it in a picture.
_GONE_PICTURES = ", ".join(f'img[src*="{words}" i], img[alt*="{words}" i]' for words in _GONE)
#: What a size says of itself is not what the product says.
_CHOICES = frozenset({"option", "li", "label"})
#: They are not available on pages whose product is.
_PICTURES = r"imag|immagin|obraz|obráz|bild|photo|foto|video|изображ|фото|画像|图片|圖片|이미지"
_OF_PICTURES = re.compile(_PICTURES, re.IGNORECASE)
_OF_OTHER_THINGS = re.compile(
    rf"{_PICTURES}|pdf|review|preview|chat|deliver|pick ?up|store|versand|abhol|livraison|magasin",
    re.IGNORECASE,
)
#: Shopify's own themes have the badge in every price, and show it in one that is called so.
_BADGE, _BADGE_SHOWN = "price__badge-sold-out", "price--sold-out"
_WINDOW_CHARS = 2000
_SHORT_CHARS = 40
_TEXT_LENGTH_MAX = 80
_ELEMENTS_MAX = 160
_HEADINGS_MAX = 10
_ANCESTORS_MAX = 8
_DIGIT = re.compile(r"\d")


class ShownStock:
    """Reads the stock of the product that a page is about, and no other's."""

    def __init__(self, tree: LexborHTMLParser, facts: PageFacts) -> None:
        self._tree = tree
        self._facts = facts

    @once
    def _own(self) -> dict[int, str]:
        """The elements around the page's heading, with their names.

        They are no other part of the page, whatever they are called. Nodes are not kept: the tree
        frees those that others take out of it.
        """
        heading = heading_of(self._tree.css("h1")[:_HEADINGS_MAX], self._facts.heading)
        return {place.mem_id: names_of(place) for place in _with_ancestors(heading)}

    def availability(self, *, is_priced: bool) -> str | None:
        """What the page's visible stock lines say of its product; None when they are silent.

        Where no line is named as one, what stands behind the page's heading is read: a label with
        what it says, or a short text that the product is gone, if nothing puts it into a cart. Of
        what has a price only that it is gone is found out in every case.
        """
        if any(map(GONE_NAME.are_in, self._own.values())):
            return "OutOfStock"
        lines = [
            (element, short_text(element, _TEXT_LENGTH_MAX))
            for element in self._tree.css(_LINES)[:_ELEMENTS_MAX]
        ]
        # Most pages say nothing of the kind anywhere, which is told at once.
        said = "\n".join(text for _, text in lines)
        may_be_gone, may_be_told = says_gone(said), tells_when_back(said)
        for element, text in lines:
            if not text:
                continue
            says_so = (may_be_gone and says_gone(text) and _OF_PICTURES.search(text) is None) or (
                may_be_told and element.tag == "button" and tells_when_back(text)
            )
            if says_so and self._is_shown(element):
                return "OutOfStock"
            if _is_named_gone(element, text) and self._is_shown(element, OTHER_THAN_STOCK):
                return "OutOfStock"
        behind = self._facts.behind_name[:_WINDOW_CHARS]
        told = labelled_stock(behind)
        if told is None and self._seems_gone(behind) and not self.can_be_bought():
            return "OutOfStock"
        if told is not None or is_priced:
            return told
        is_there = any(
            said_availability(text) == "InStock" and self._is_shown(element)
            for element, text in lines
        )
        return "InStock" if is_there or self.can_be_bought() else None

    def can_be_bought(self) -> bool:
        """Whether a button that is not switched off puts the product into the cart."""
        found = self._tree.css('button, input[type="submit"]')[:_ELEMENTS_MAX]
        return any(
            _is_open_cart_button(element) and self._is_shown(element, OTHER_CARD)
            for element in found
        )

    def is_switched_off(self) -> bool:
        """Whether one button is there that buys nothing now.

        It cannot be pressed and says that something is gone, or it offers to tell when that is
        back. In a list there are several.
        """
        buttons = self._tree.css("button")[:_ELEMENTS_MAX]
        return sum(_buys_nothing_now(each) and self._is_shown(each) for each in buttons) == 1

    def is_plainly_gone(self) -> bool:
        """Whether an element that is named after availability says, in a sentence, that it is gone.

        Nothing else has to name a product then: a page that is to be read has no such element.
        """
        return any(
            says_gone(short_text(element, _TEXT_LENGTH_MAX)) and self._is_shown(element)
            for element in self._tree.css(_AVAILABILITY)[:_ELEMENTS_MAX]
        )

    def _seems_gone(self, behind: str) -> bool:
        """Whether a picture, or a text that stands by itself, says that the product is gone."""
        beside = self._facts.beside_name.lower()
        if any(map(beside.__contains__, _GONE_IN_BYTES)) and any(
            map(self._is_shown, self._tree.css(_GONE_PICTURES)[:_ELEMENTS_MAX])
        ):
            return True
        return says_gone(behind) and self._one_text_says_gone()

    def _one_text_says_gone(self) -> bool:
        """Whether one short text that stands by itself says that the product is gone.

        Several say it of sizes, or of other products.
        """
        places = 0
        for node, text in short_texts(self._tree, _SHORT_CHARS):
            if says_gone(text) and _OF_OTHER_THINGS.search(text) is None:
                around = node.parent
                if around is not None and around.tag not in _CHOICES and self._is_shown(around):
                    places += 1
        return places == 1

    def _is_shown(self, element: LexborNode, elsewhere: PartNames = OTHER_PLACE) -> bool:
        """Whether it is seen, and stands in no other part of the page."""
        waits_for = ""
        for place in _with_ancestors(element):
            names = names_of(place)
            if is_styled_away(place) or is_named_hidden(names):
                return False
            if place.mem_id not in self._own and elsewhere.are_in(names):
                return False
            if _BADGE in names:
                waits_for = _BADGE_SHOWN
            elif waits_for in names:
                waits_for = ""
        return not waits_for


def _is_open_cart_button(element: LexborNode) -> bool:
    """Whether it is named as a button that puts into the cart, says so, and can be pressed."""
    attributes = element.attributes
    if "disabled" in attributes or attributes.get("aria-disabled") == "true":
        return False
    names = names_of(element)
    if not CART_NAME.are_in(f"{names} {attributes.get('name') or ''}") or OFF_NAME.are_in(names):
        return False
    said = said_by(element, short_text(element, _TEXT_LENGTH_MAX)).lower()
    return puts_into_cart(said) and not says_gone(said)


def _buys_nothing_now(button: LexborNode) -> bool:
    text = short_text(button, _SHORT_CHARS)
    return tells_when_back(text) or ("disabled" in button.attributes and says_gone(text))


def _is_named_gone(element: LexborNode, text: str) -> bool:
    """Whether its class says that the product is gone; numbers beside it are of something else."""
    return GONE_NAME.are_in(names_of(element)) and not _DIGIT.search(text)


def _with_ancestors(element: LexborNode | None) -> Iterator[LexborNode]:
    """The element itself and the closest around it, up to the page's body."""
    around = islice(ancestors(element), _ANCESTORS_MAX - 1)
    places = () if element is None else (element, *around)
    return takewhile(lambda place: place.tag not in {"body", "html"}, places)
