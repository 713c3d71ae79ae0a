"""Microdata and RDFa Lite, turned into the same nodes that JSON-LD consists of.

No tree is built: only tags with these attributes are looked at, and where an item ends is found
by counting the tags of its name. That reads hundreds of kilobytes in a fraction of a millisecond.
"""

import html
import re
from dataclasses import dataclass
from functools import lru_cache

from bot.links.recognise.jsonld import Node
from bot.links.recognise.markup import (
    Attributes,
    Markup,
    attributes_at,
    text_of,
    without_tags,
)
from bot.links.recognise.values import ARTICLE_TYPES, PRODUCT_TYPES

_ELEMENTS_MAX = 3000
_COUNTED_AT_MOST = 4
_SLASH = ord("/")
_TEXT_BYTES_MAX = 2000
_LINKS = {"a": "href", "link": "href", "area": "href", "img": "src", "source": "src",
          "object": "data", "data": "value", "meter": "value", "time": "datetime"}  # fmt: skip
_VOID = frozenset({"meta", "link", "img", "input", "br", "hr", "source", "area", "base", "col"})
#: A property that lies in the page's own item may still be of something else.
_BESIDE = frozenset({"isrelatedto", "issimilarto", "isaccessoryorsparepartfor", "itemreviewed",
                     "itemlistelement", "item", "review", "reviews", "mentions"})  # fmt: skip
_TELLING_TYPES = PRODUCT_TYPES | ARTICLE_TYPES
_TYPE_NAME = re.compile(rb"[\"']?(?:https?://)?(?:schema\.org/|schema:)?([A-Za-z]{3,30})")
_CONTENT = re.compile(rb"\scontent\s{0,3}=\s{0,3}(?:\"([^\"<>]{0,900})\"|'([^'<>]{0,900})')")
_TAG_BYTES_MAX = 1000
_WANTED = (
    frozenset(
        [
            "name",
            "price",
            "pricecurrency",
            "lowprice",
            "highprice",
            "offers",
            "pricespecification",
            "pricetype",
            "availability",
            "sku",
            "mpn",
            "productid",
            "identifier",
            "gtin",
            "gtin8",
            "gtin12",
            "gtin13",
            "gtin14",
            "isbn",
            "ean",
            "upc",
            "barcode",
            "image",
            "url",
            "contenturl",
            "brand",
            "manufacturer",
            "seller",
            "model",
            "hasvariant",
            "isvariantof",
            "inventorylevel",
            "value",
            "valueaddedtaxincluded",
            "referencequantity",
            "mainentityofpage",
        ]
    )
    | _BESIDE
)
_TAG_NAME = re.compile(rb"<([A-Za-z][A-Za-z0-9-]{0,30})(?=[\s/>])")


@dataclass(frozen=True, slots=True)
class Syntax:
    """The attributes by which a syntax marks items, their types and their properties."""

    source: str
    scope: str
    kind: str
    name: str
    mark: re.Pattern[bytes]
    vocabulary: bytes


MICRODATA = Syntax(
    "microdata",
    scope="itemscope",
    kind="itemtype",
    name="itemprop",
    mark=re.compile(rb"item(?:[sS]cope\b|[pP]rop\s{0,3}=\s{0,3}[\"']?([^\"'<>]{1,100}))"),
    vocabulary=b"schema.org/",
)
RDFA = Syntax(
    "rdfa",
    scope="typeof",
    kind="typeof",
    name="property",
    mark=re.compile(rb"(?:typeof|property\s{0,3}=\s{0,3}[\"']?([^\"'<>]{1,100}))"),
    vocabulary=b"typeof=",
)


@dataclass(slots=True)
class _Element:
    name: str
    start: int
    end_of_tag: int
    attributes: Attributes


def item_nodes(markup: Markup, syntax: Syntax) -> list[Node]:
    """The items of a page that do not stand beside its topic, each with its properties inside.

    They are looked for from the first product or article on; a page without has none.
    """
    page = markup.page
    first = _first_telling(page, syntax)
    if first < 0:
        return []
    last = page.rfind(syntax.name.encode())
    visible = markup.stretches.seen(first, last + _TEXT_BYTES_MAX)
    return _Scanner(visible, syntax).nodes()


class _Scanner:
    """Goes through the tags with a syntax's attributes, keeping track of the items it is in."""

    def __init__(self, visible: bytes, syntax: Syntax) -> None:
        self._visible = visible
        self._syntax = syntax
        self._ends = _Ends(visible)
        #: The items around the current place, the innermost last: where each ends, and it.
        self._around: list[tuple[int, Node]] = []
        self._position = 0

    def nodes(self) -> list[Node]:
        """The items, save those that stand beside the page's topic."""
        found: list[Node] = []
        for count, mark in enumerate(self._syntax.mark.finditer(self._visible)):
            if count >= _ELEMENTS_MAX:
                break
            if mark.start() >= self._position and (mark[1] is None or _is_wanted(mark[1])):
                element = self._plain(mark) or self._element(mark.start())
                node = self._read(element) if element is not None else None
                if node is not None:
                    found.append(node)
        return found

    def _plain(self, mark: re.Match[bytes]) -> _Element | None:
        """The tag around `mark` when it is a property with its content beside it, as most are.

        Only what it is asked for is read of such a tag; None for all others.
        """
        if mark[1] is None:
            return None
        start = self._visible.rfind(b"<", self._position, mark.start())
        end = self._visible.find(b">", mark.end(), mark.end() + _TAG_BYTES_MAX)
        named = _TAG_NAME.match(self._visible, start) if 0 <= start < end else None
        if named is None or self._visible.find(b">", start, mark.start()) >= 0:
            return None
        tag = self._visible[start:end]
        content = _CONTENT.search(tag)
        if content is None or self._syntax.scope.encode() in tag.lower():
            return None
        self._position = end
        value = text_of(content[1] if content[1] is not None else content[2])
        attributes = {self._syntax.name: text_of(mark[1]), "content": value}
        return _Element(named[1].decode("ascii").lower(), start, end, attributes)

    def _element(self, place: int) -> _Element | None:
        """The tag around `place`; None where that stands in the page's text."""
        start = self._visible.rfind(b"<", self._position, place)
        named = _TAG_NAME.match(self._visible, start) if start >= 0 else None
        if named is None:
            return None
        attributes, end = attributes_at(self._visible, named.end())
        if end <= place:
            return None
        self._position = end
        return _Element(named[1].decode("ascii").lower(), start, end, attributes)

    def _read(self, element: _Element) -> Node | None:
        """Take a tag into account; the item that it begins, if it is one of the topic's."""
        while self._around and self._around[-1][0] <= element.start:
            self._around.pop()
        attributes = element.attributes
        is_item = self._syntax.scope in attributes
        names = attributes.get(self._syntax.name, "").split()
        if is_item and any(_short(name) in _BESIDE for name in names):
            # Nothing in it is about the page's product.
            self._position = max(self._position, self._ends.of(element))
            return None
        node: Node | None = None
        if is_item:
            node = {"@type": attributes.get(self._syntax.kind, "").split()}
            if "itemid" in attributes:
                node["@id"] = attributes["itemid"]
        if self._around and names:
            value: object = node if is_item else _value(self._visible, element)
            for name in names:
                _add(self._around[-1][1], name, value)
        if node is not None:
            self._around.append((self._end(element), node))
        return node

    def _end(self, element: _Element) -> int:
        outer = self._around[-1][0] if self._around else len(self._visible)
        return min(self._ends.of(element) or outer, outer)


@lru_cache(maxsize=512)
def _is_wanted(names: bytes) -> bool:
    """Whether a property is one that anybody asks for; the texts of reviews are not."""
    return any(_short(name.decode("ascii", "replace")) in _WANTED for name in names.split())


def _first_telling(page: bytes, syntax: Syntax) -> int:
    """Where the first tag stands whose type says what the page is about; -1 without."""
    mark = syntax.vocabulary
    position = page.find(mark)
    while position >= 0:
        begin = position + len(mark)
        name = _TYPE_NAME.match(page, begin)
        if name is not None and name[1].decode().lower() in _TELLING_TYPES:
            tag = page.rfind(b"<", max(0, position - _TAG_BYTES_MAX), position)
            if tag >= 0 and syntax.kind.encode() in page[tag:begin].lower():
                return tag
        position = page.find(mark, begin)
    return -1


class _Ends:
    """Where elements end, by counting the opening and closing tags of their name."""

    def __init__(self, visible: bytes) -> None:
        self._visible = visible
        # Items in items are counted through again; a page's author may mean it so.
        self._bytes_left = _COUNTED_AT_MOST * len(visible)

    def of(self, element: _Element) -> int:
        """Where `element` ends; 0 when nothing closes it."""
        if element.name in _VOID:
            return element.end_of_tag
        if self._bytes_left <= 0:
            return 0
        begin = element.end_of_tag
        end = closing_tag(self._visible, element.name, begin, len(self._visible))
        self._bytes_left -= (end or len(self._visible)) - begin
        return end


def closing_tag(visible: bytes, name: str, begin: int, stop: int) -> int:
    """Where the tag stands that closes an element of `name`, open at `begin`; 0 if none does."""
    depth = 1
    for match in _tags_named(name).finditer(visible, begin, stop):
        if visible[match.start() + 1] == _SLASH:
            depth -= 1
            if depth == 0:
                return match.start()
        else:
            depth += 1
    return 0


@lru_cache(maxsize=256)
def _tags_named(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"</?" + _in_any_case(name) + rb"(?=[\s/>])")


def _in_any_case(name: str) -> bytes:
    # A flag would keep the search from jumping from one `<` to the next.
    return b"".join(
        f"[{char}{char.upper()}]".encode() if char.isalpha() else re.escape(char.encode())
        for char in name
    )


def _add(owner: Node, name: str, value: object) -> None:
    known = owner.get(name)
    if known is None:
        owner[name] = value
    elif isinstance(known, list):
        known.append(value)
    else:
        owner[name] = [known, value]


def _short(name: str) -> str:
    return name.rpartition(":")[2].rpartition("/")[2].lower()


def _value(visible: bytes, element: _Element) -> str:
    attributes = element.attributes
    if "content" in attributes:
        return html.unescape(attributes["content"])
    link = _LINKS.get(element.name)
    if link and attributes.get(link):
        return html.unescape(attributes[link])
    if element.name in _VOID:
        return ""
    # What the tag still holds behind its attributes ends with it.
    begin = visible.find(b">", element.end_of_tag) + 1
    end = closing_tag(visible, element.name, begin, begin + _TEXT_BYTES_MAX) if begin else 0
    return without_tags(visible[begin:end])
