"""Microdata and RDFa Lite, turned into the same nodes that JSON-LD consists of."""

from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from bot.links.recognise.jsonld import Node
from bot.links.recognise.nodes import short_text

_PROPERTIES_MAX = 3000
_DEPTH_MAX = 80
_TEXT_LENGTH_MAX = 500
_LINKS = {"a": "href", "link": "href", "area": "href", "img": "src", "source": "src",
          "object": "data", "data": "value", "meter": "value", "time": "datetime"}  # fmt: skip
_BESIDE = frozenset({"isrelatedto", "issimilarto", "isaccessoryorsparepartfor", "itemreviewed",
                     "itemlistelement", "review", "mentions"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Syntax:
    """The attributes by which a syntax marks items, their types and their properties."""

    source: str
    scope: str
    kind: str
    name: str


MICRODATA = Syntax("microdata", scope="itemscope", kind="itemtype", name="itemprop")
RDFA = Syntax("rdfa", scope="typeof", kind="typeof", name="property")


def item_nodes(tree: LexborHTMLParser, syntax: Syntax) -> list[Node]:
    """The items of a page that do not stand beside its topic, each with its properties inside."""
    items: dict[int, Node] = {}
    inner: set[int] = set()
    found = tree.css(f"[{syntax.scope}], [{syntax.name}]")[:_PROPERTIES_MAX]
    # An element that matches both halves of the selector comes twice.
    for element in {element.mem_id: element for element in found}.values():
        attributes = element.attributes
        is_item = syntax.scope in attributes
        if is_item:
            items[element.mem_id] = {"@type": (attributes.get(syntax.kind) or "").split()}
        names = (attributes.get(syntax.name) or "").split()
        if not names:
            continue
        owner, owner_id = _owner(element, items)
        if owner is None:
            continue
        value: object = items[element.mem_id] if is_item else _value(element, attributes)
        for name in names:
            _add(owner, name, value)
        if is_item and (owner_id in inner or _is_beside(names)):
            inner.add(element.mem_id)
    return [node for mem_id, node in items.items() if mem_id not in inner]


def _is_beside(names: list[str]) -> bool:
    return any(name.rpartition(":")[2].rpartition("/")[2].lower() in _BESIDE for name in names)


def _owner(element: LexborNode, items: dict[int, Node]) -> tuple[Node | None, int]:
    parent = element.parent
    for _ in range(_DEPTH_MAX):
        if parent is None:
            break
        if parent.mem_id in items:
            return items[parent.mem_id], parent.mem_id
        parent = parent.parent
    return None, 0


def _add(owner: Node, name: str, value: object) -> None:
    known = owner.get(name)
    if known is None:
        owner[name] = value
    elif isinstance(known, list):
        known.append(value)
    else:
        owner[name] = [known, value]


def _value(element: LexborNode, attributes: dict[str, str | None]) -> str:
    if "content" in attributes:
        return attributes["content"] or ""
    link = _LINKS.get(element.tag or "")
    if link and attributes.get(link):
        return attributes[link] or ""
    return short_text(element, _TEXT_LENGTH_MAX)
