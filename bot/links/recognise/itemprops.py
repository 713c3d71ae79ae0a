"""Microdata and RDFa Lite, turned into the same nodes that JSON-LD consists of.

No tree is built: only tags with these attributes are looked at, and where an item ends is found
by counting the tags of its name. That reads hundreds of kilobytes in a fraction of a millisecond.
"""

import html
import re
from bisect import bisect_left
from dataclasses import dataclass

from bot.links.recognise.jsonld import Node
from bot.links.recognise.markup import (
    Attributes,
    attributes_at,
    without_scripts,
    without_tags,
)
from bot.links.recognise.values import ARTICLE_TYPES, PRODUCT_TYPES

_ELEMENTS_MAX = 3000
_NAMES_MAX = 16
_TEXT_BYTES_MAX = 2000
_LINKS = {"a": "href", "link": "href", "area": "href", "img": "src", "source": "src",
          "object": "data", "data": "value", "meter": "value", "time": "datetime"}  # fmt: skip
_VOID = frozenset({"meta", "link", "img", "input", "br", "hr", "source", "area", "base", "col"})
#: A property that lies in the page's own item may still be of something else.
_BESIDE = frozenset({"isrelatedto", "issimilarto", "isaccessoryorsparepartfor", "itemreviewed",
                     "itemlistelement", "item", "review", "reviews", "mentions"})  # fmt: skip
_TELLING_TYPES = PRODUCT_TYPES | ARTICLE_TYPES
_TYPE_NAME = re.compile(rb"[\"']?(?:https?://)?(?:schema\.org/|schema:)?([A-Za-z]{3,30})")
_TAG_BYTES_MAX = 1000
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
    mark=re.compile(rb"item(?:[sS]cope|[pP]rop)\b"),
    vocabulary=b".org/",
)
RDFA = Syntax(
    "rdfa",
    scope="typeof",
    kind="typeof",
    name="property",
    mark=re.compile(rb"(?:typeof|property)\s*="),
    vocabulary=b"typeof=",
)


@dataclass(slots=True)
class _Element:
    name: str
    start: int
    end_of_tag: int
    attributes: Attributes


def item_nodes(page: bytes, syntax: Syntax) -> list[Node]:
    """The items of a page that do not stand beside its topic, each with its properties inside.

    They are looked for from the first product or article on; a page without has none.
    """
    first = _first_telling(page, syntax)
    if first < 0:
        return []
    last = page.rfind(syntax.name.encode())
    visible = without_scripts(page[first : last + _TEXT_BYTES_MAX])
    elements = _elements(visible, syntax)
    if not elements:
        return []
    ends = _Ends(visible, elements[0].start, elements[-1].end_of_tag)
    scopes: list[tuple[int, Node, bool]] = []
    found: list[Node] = []
    for element in elements:
        while scopes and scopes[-1][0] <= element.start:
            scopes.pop()
        is_item = syntax.scope in element.attributes
        node: Node = {"@type": element.attributes.get(syntax.kind, "").split()}
        names = element.attributes.get(syntax.name, "").split()
        _, owner, is_beside = scopes[-1] if scopes else (0, None, False)
        if owner is not None and names:
            value: object = node if is_item else _value(visible, element)
            for name in names:
                _add(owner, name, value)
        if not is_item:
            continue
        is_beside = is_beside or any(_short(name) in _BESIDE for name in names)
        if "itemid" in element.attributes:
            node["@id"] = element.attributes["itemid"]
        if not is_beside:
            found.append(node)
        end = ends.of(element) or (scopes[-1][0] if scopes else len(visible))
        scopes.append((min(end, scopes[-1][0]) if scopes else end, node, is_beside))
    return found


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


def _elements(visible: bytes, syntax: Syntax) -> list[_Element]:
    elements: list[_Element] = []
    position = 0
    for mark in syntax.mark.finditer(visible):
        if mark.start() < position:
            continue  # The same tag again.
        start = visible.rfind(b"<", position, mark.start())
        named = _TAG_NAME.match(visible, start) if start >= 0 else None
        if named is None:
            continue
        attributes, end = attributes_at(visible, named.end())
        if end <= mark.start():
            continue  # It stands in the page's text.
        position = end
        if syntax.scope in attributes or syntax.name in attributes:
            name = named[1].decode("ascii").lower()
            elements.append(_Element(name, start, end, attributes))
            if len(elements) >= _ELEMENTS_MAX:
                break
    return elements


class _Ends:
    """Where elements end, by the opening and closing tags of each name, counted once a name.

    Only the stretch from `first` to `last` is looked at; behind it no item's property stands.
    """

    def __init__(self, visible: bytes, first: int, last: int) -> None:
        self._visible = visible
        self._first = first
        self._last = last
        self._by_name: dict[str, tuple[list[int], list[int]]] = {}

    def of(self, element: _Element) -> int:
        """Where `element` ends; 0 when nothing in the stretch closes it."""
        if element.name in _VOID:
            return element.end_of_tag
        if element.name not in self._by_name:
            if len(self._by_name) >= _NAMES_MAX:
                return 0
            self._by_name[element.name] = self._matched(element.name)
        starts, ends = self._by_name[element.name]
        at = bisect_left(starts, element.start)
        return ends[at] if at < len(starts) and starts[at] == element.start else 0

    def _matched(self, name: str) -> tuple[list[int], list[int]]:
        tag = re.compile(rb"<(/?)" + _in_any_case(name) + rb"(?=[\s/>])")
        ends: dict[int, int] = {}
        opened: list[int] = []
        for match in tag.finditer(self._visible, self._first, self._last):
            if not match[1]:
                ends[match.start()] = 0
                opened.append(match.start())
            elif opened:
                ends[opened.pop()] = match.start()
        return list(ends), list(ends.values())


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
    inside = visible[begin : begin + _TEXT_BYTES_MAX] if begin else b""
    return without_tags(_up_to_end(inside, element.name))


def _up_to_end(inside: bytes, name: str) -> bytes:
    """What stands before the tag that closes an element of `name`; nothing if it is far away."""
    depth = 1
    for match in re.finditer(rb"<(/?)" + re.escape(name.encode()) + rb"(?=[\s/>])", inside, re.IGNORECASE):
        depth += -1 if match[1] else 1
        if depth == 0:
            return inside[: match.start()]
    return b""
