"""Reading small pieces of a page's tree at a bounded cost."""

from collections.abc import Mapping

from selectolax.lexbor import LexborNode

_NODES_MAX = 60


def short_text(
    element: LexborNode, length_max: int, *, without: frozenset[str] = frozenset()
) -> str:
    """The text in `element` in one line; empty when it is longer than `length_max` characters.

    Text directly or one level below the tags `without` is left out. An element with more than
    sixty nodes inside counts as too long, so that a page cannot make this slow.
    """
    parts: list[str] = []
    length = 0
    for count, node in enumerate(element.traverse(include_text=True)):
        if count > _NODES_MAX:
            return ""
        if node.tag != "-text" or _is_inside(node, without):
            continue
        part = node.text_content or ""
        length += len(part.strip())
        if length > length_max:
            return ""
        parts.append(part)
    return " ".join(" ".join(parts).split())


def names_of(element: LexborNode) -> str:
    """The element's classes and id, as written."""
    return names_in(element.attributes)


def names_in(attributes: Mapping[str, str | None]) -> str:
    """The classes and the id in an element's attributes, as written."""
    return f"{attributes.get('class') or ''} {attributes.get('id') or ''}"


def is_styled_away(element: LexborNode) -> bool:
    """Whether the element's own style or attributes hide it."""
    return is_hidden(element.attributes)


def is_hidden(attributes: Mapping[str, str | None]) -> bool:
    """The same by an element's attributes."""
    if "hidden" in attributes:
        return True
    style = attributes.get("style")
    return bool(style) and "display:none" in (style or "").replace(" ", "")


def _is_inside(node: LexborNode, tags: frozenset[str]) -> bool:
    if not tags:
        return False
    parent = node.parent
    if parent is None or parent.tag in tags:
        return parent is not None
    above = parent.parent
    return above is not None and above.tag in tags
