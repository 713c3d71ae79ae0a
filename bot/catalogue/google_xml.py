"""A Google merchant feed in XML: RSS 2.0, RSS 1.0 or Atom 1.0 with attributes in `g:`.

The namespace is `http://base.google.com/ns/1.0`. An attribute there wins over an element of the
feed's own with the same name. What lies deeper, such as the price of shipping, is no attribute.
"""

from collections.abc import Iterator
from typing import BinaryIO

from bot.catalogue.google import ATTRIBUTES, google_item
from bot.catalogue.record import Found
from bot.catalogue.xml_events import Element, elements

_GOOGLE = "http://base.google.com/ns/1.0"
_ITEMS = frozenset({"item", "entry"})
_PRICES = frozenset({"price", "sale_price"})


def read_google_xml(
    file: BinaryIO, hosts: frozenset[str], charset: str | None = None
) -> Iterator[Found]:
    """The feed's items, as they come. Raises `UnreadableCatalogue`."""
    # By depth, since children are over before the element that they belong to.
    inside: dict[int, dict[str, tuple[bool, str]]] = {}
    for element in elements(file, charset):
        children = inside.pop(element.depth + 1, {})
        if element.local in _ITEMS:
            fields = {name: text for name, (_, text) in children.items()}
            yield google_item(fields, element.line, hosts)
        elif element.local in ATTRIBUTES and (text := _value(element)):
            known = inside.setdefault(element.depth, {})
            ours = element.namespace == _GOOGLE
            before = known.get(element.local)
            if before is None or (ours and not before[0]):
                known[element.local] = (ours, text)
            elif element.local in _PRICES and ours == before[0] and text != before[1]:
                # No price any more, so that the item is told of with both and left out.
                known[element.local] = (ours, f"{before[1]} and {text}")


def _value(element: Element) -> str:
    if element.local == "link" and "href" in element.attributes:
        kind = element.attributes.get("rel", "alternate")
        return element.attributes["href"] if kind == "alternate" else ""
    return element.text
