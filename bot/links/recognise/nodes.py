"""Reading small pieces of a page's tree at a bounded cost."""

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
    attributes = element.attributes
    return f"{attributes.get('class') or ''} {attributes.get('id') or ''}"


def is_styled_away(element: LexborNode) -> bool:
    """Whether the element's own style or attributes hide it."""
    attributes = element.attributes
    return "hidden" in attributes or "display:none" in (attributes.get("style") or "").replace(
        " ", ""
    )


def _is_inside(node: LexborNode, tags: frozenset[str]) -> bool:
    if not tags:
        return False
    parent = node.parent
    if parent is None or parent.tag in tags:
        return parent is not None
    above = parent.parent
    return above is not None and above.tag in tags
