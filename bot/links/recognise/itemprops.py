"""Microdata and RDFa Lite, turned into the same nodes that JSON-LD consists of.

No tree is built: only tags with these attributes are looked at, and where an item ends is found
by counting the tags of its name. That reads hundreds of kilobytes in a fraction of a millisecond.
"""

import html
import re
from dataclasses import dataclass
from functools import lru_cache

from bot.links.recognise.attributes import Attributes, attributes_at
from bot.links.recognise.endings import VOID, Ending, Endings, closing_tag
from bot.links.recognise.facts import PageFacts
from bot.links.recognise.itemnames import is_wanted, leads_astray, names_in
from bot.links.recognise.jsonld import Node
from bot.links.recognise.markup import text_of, without_tags
from bot.links.recognise.seek import find, rfind
from bot.links.recognise.values import ARTICLE_TYPES, PRODUCT_TYPES, types_of

_ELEMENTS_MAX = 3000
_TEXT_BYTES_MAX = 2000
#: Items inside of so many others are nobody's properties.
_DEPTH_MAX = 12
_LINKS = {"a": b"href", "link": b"href", "area": b"href", "img": b"src", "source": b"src",
          "object": b"data", "data": b"value", "meter": b"value", "time": b"datetime"}  # fmt: skip
_TELLING_TYPES = PRODUCT_TYPES | ARTICLE_TYPES
_TYPE_NAME = re.compile(rb"[\"']?(?:https?://)?(?:schema\.org/|schema:)?([A-Za-z]{3,30})")
_TAG_BYTES_MAX = 1000
_PICTURE = b"image"
#: Words that are spelled in one way only, whatever the charset.
_PLAIN_WORDS = re.compile(r"[A-Za-z0-9 ]{5,}")
_TAG_NAME = re.compile(rb"<([A-Za-z][A-Za-z0-9-]{0,30})(?=[\s/>])")


@dataclass(frozen=True, slots=True)
class Syntax:
    """The attributes by which a syntax marks items, their types and their properties."""

    source: str
    scope: bytes
    kind: bytes
    name: bytes
    mark: re.Pattern[bytes]
    vocabulary: bytes
    script_name: bytes


MICRODATA = Syntax(
    "microdata",
    scope=b"itemscope",
    kind=b"itemtype",
    name=b"itemprop",
    mark=re.compile(rb"item(?:[sS]cope\b|[pP]rop\s{0,3}=\s{0,3}[\"']?([^\"'<>]{1,100}))"),
    vocabulary=b"schema.org/",
    script_name=b"itemProp",
)
RDFA = Syntax(
    "rdfa",
    scope=b"typeof",
    kind=b"typeof",
    name=b"property",
    mark=re.compile(rb"(?:typeof|property\s{0,3}=\s{0,3}[\"']?([^\"'<>]{1,100}))"),
    vocabulary=b"typeof=",
    script_name=b"property",
)


@dataclass(slots=True)
class _Element:
    name: str
    end_of_tag: int
    attributes: Attributes


def item_nodes(facts: PageFacts, syntax: Syntax) -> list[Node]:
    """The items of a page that do not stand beside its topic, each with its properties inside.

    They are looked for from the first product or article on; a page without has none. Behind a
    priced product that is called as the page is, and not named again, nothing is looked for.
    """
    markup, page = facts.markup, facts.markup.page
    first = _first_telling(page, syntax)
    if first < 0:
        return []
    last = rfind(page, syntax.name)
    if last < first:
        # Some frameworks write the names of attributes as scripts call them.
        last = rfind(page, syntax.script_name)
    visible = markup.stretches.seen_far(first, last + _TEXT_BYTES_MAX)
    return _Scanner(visible, syntax, facts).nodes()


class _Scanner:
    """Goes through the tags with a syntax's attributes, keeping track of the items it is in."""

    def __init__(self, visible: bytes, syntax: Syntax, facts: PageFacts) -> None:
        self._facts = facts
        self._visible = visible
        self._syntax = syntax
        self._endings = Endings(visible)
        #: The items around the current place, the innermost last: where each ends, and it.
        self._around: list[tuple[Ending, Node]] = []
        self._position = 0
        self._first_ended = False

    def nodes(self) -> list[Node]:
        """The items, save those that stand beside the page's topic."""
        found: list[Node] = []
        for count, mark in enumerate(self._syntax.mark.finditer(self._visible)):
            if count >= _ELEMENTS_MAX:
                break
            place, written = mark.start(), mark[1]
            if place < self._position or not (written is None or self._wants(written)):
                continue
            element = self._element(place)
            if element is None:
                continue
            self._position = element.end_of_tag
            begins_item = self._syntax.scope in element.attributes
            is_inside = self._leave(element.end_of_tag, ahead=not begins_item)
            if found and not is_inside and not self._first_ended:
                self._first_ended = True
                if self._is_done(found[0]):
                    break
            if begins_item:
                node = self._begin(element)
                if node is not None:
                    found.append(node)
            elif is_inside:
                names = names_in(element.attributes.get(self._syntax.name, b""))
                self._note(names, _value(self._visible, element))
        return found

    def _wants(self, written: bytes) -> bool:
        """Whether a property is asked for: of pictures one, and not where all around have it."""
        if written == _PICTURE and self._around:
            return not all("image" in node for _, node in self._around)
        return is_wanted(written)

    def _element(self, place: int) -> _Element | None:
        """The tag around `place`; None where that stands in the page's text."""
        visible = self._visible
        start = rfind(visible, b"<", self._position, place)
        if start < 0:
            return None
        named = _TAG_NAME.match(visible, start)
        if named is None:
            return None
        attributes, end = attributes_at(visible, named.end())
        return _Element(_lowered(named[1]), end, attributes) if end > place else None

    def _begin(self, element: _Element) -> Node | None:
        """Enter the item that a tag begins; None where that is none of the topic's."""
        place, attributes = element.end_of_tag, element.attributes
        names = names_in(attributes.get(self._syntax.name, b""))
        types = names_in(attributes.get(self._syntax.kind, b""))
        ending = Ending(self._endings, element.name, place)
        if leads_astray(names, types) or len(self._around) >= _DEPTH_MAX:
            self._position = max(self._position, ending.found())
            if self._around:
                self._around[-1][0].pass_over(ending)
            return None
        node: Node = {"@type": list(types)}
        if b"itemid" in attributes:
            node["@id"] = text_of(attributes[b"itemid"])
        if self._around:
            self._note(names, node)
        self._around.append((ending, node))
        return node

    def _is_done(self, item: Node) -> bool:
        """Whether `item`, which has ended, is the page's product beyond doubt."""
        name = item.get("name")
        if not isinstance(name, str) or types_of(item).isdisjoint(PRODUCT_TYPES):
            return False
        offers = item.get("offers")
        listed = offers if isinstance(offers, list) else [offers]
        if not any(isinstance(offer, dict) and "price" in offer for offer in listed):
            return False
        # Another item of that name would be a variant, perhaps at a price of its own.
        plain = max(_PLAIN_WORDS.findall(name), key=len, default="")
        if not plain or find(self._visible, plain.encode(), self._position) >= 0:
            return False
        return self._facts.is_called(name)

    def _note(self, names: tuple[str, ...], value: object) -> None:
        """Add a property to the innermost item."""
        owner = self._around[-1][1]
        for name in names:
            _add(owner, name, value)

    def _leave(self, place: int, *, ahead: bool) -> bool:
        """Leave the items that have ended before `place`; whether there are others around it.

        For `ahead` see `Ending.is_before`.
        """
        around = self._around
        while around:
            if around[-1][0].is_before(place, ahead=ahead):
                ended, _ = around.pop()
                if around:
                    around[-1][0].pass_over(ended)
                continue
            if around[-1][0].seems_open(place):
                # Nothing may ever close it, but what is around it.
                for depth, (ending, _) in enumerate(around[:-1]):
                    if ending.is_before(place):
                        del around[depth:]
                        break
            return bool(around)
        return False


@lru_cache(maxsize=128)
def _lowered(name: bytes) -> str:
    return name.decode("ascii").lower()


def _first_telling(page: bytes, syntax: Syntax) -> int:
    """Where the first tag stands whose type says what the page is about; -1 without."""
    mark = syntax.vocabulary
    position = find(page, mark)
    while position >= 0:
        begin = position + len(mark)
        name = _TYPE_NAME.match(page, begin)
        if name is not None and name[1].decode().lower() in _TELLING_TYPES:
            tag = rfind(page, b"<", max(0, position - _TAG_BYTES_MAX), position)
            if tag >= 0 and syntax.kind in page[tag:begin].lower():
                return tag
        position = find(page, mark, begin)
    return -1


def _add(owner: Node, name: str, value: object) -> None:
    known = owner.get(name)
    if known is None:
        owner[name] = value
    elif isinstance(known, list):
        known.append(value)
    else:
        owner[name] = [known, value]


def _value(visible: bytes, element: _Element) -> str:
    attributes = element.attributes
    content = attributes.get(b"content")
    if content is None and element.name in _LINKS:
        content = attributes.get(_LINKS[element.name]) or None
    if content is not None:
        return html.unescape(text_of(content))
    if element.name in VOID:
        return ""
    # What the tag still holds behind its attributes ends with it.
    begin = find(visible, b">", element.end_of_tag) + 1
    end = closing_tag(visible, element.name, begin, begin + _TEXT_BYTES_MAX) if begin else 0
    return without_tags(visible[begin:end])
