"""Reading small pieces of a page's tree at a bounded cost."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

from selectolax.lexbor import LexborHTMLParser, LexborNode

from bot.links.recognise.markup import one_line

#: By these attributes tests find an element; Wix names what themes style by the last.
NAMES_FOR_TESTS = (
    "data-testid", "data-test-id", "data-test", "data-qa", "data-cy", "data-automation-id",
    "data-hook",
)  # fmt: skip
_HIDING = frozenset({"hidden", "hide", "is-hidden", "u-hidden", "js-hidden", "ng-hide", "d-none"})
_HIDING_SOMEWHERE = frozenset({"d-none"})
_SHOWN_ELSEWHERE = ("-block", "-flex", "-inline", "-grid", "-table")
_FOR_TESTS = frozenset(NAMES_FOR_TESTS)
_NODES_MAX = 60
_DEPTH_MAX = 200
_TEXTS_MAX = 1500
_BLANKS_MAX = 3


def short_text(
    element: LexborNode,
    length_max: int,
    *,
    without: frozenset[str] = frozenset(),
    but: Collection[int] = (),
) -> str:
    """The text in `element` in one line; empty when it is longer than `length_max` characters.

    Text directly or one level below the tags `without`, and that inside of the elements `but`,
    given by their ids, is left out. An element with more than sixty nodes inside counts as too
    long, so that a page cannot make this slow.
    """
    parts: list[str] = []
    length = 0
    for count, node in enumerate(element.traverse(include_text=True)):
        if count > _NODES_MAX:
            return ""
        if node.tag != "-text" or _is_inside(node, without):
            continue
        if but and is_within(node, but):
            continue
        part = node.text_content or ""
        length += len(part.strip())
        if length > length_max:
            return ""
        parts.append(part)
    return " ".join(" ".join(parts).split())


def short_texts(tree: LexborHTMLParser, length_max: int) -> Iterator[tuple[LexborNode, str]]:
    """The texts of at most so many characters that stand by themselves, near the page's top."""
    nodes = tree.body.traverse(include_text=True) if tree.body is not None else iter(())
    for node in islice(nodes, _TEXTS_MAX):
        text = (node.text_content or "").strip() if node.tag == "-text" else ""
        if 0 < len(text) <= length_max:
            yield node, text


def ancestors(element: LexborNode | None) -> Iterator[LexborNode]:
    """The elements around one, from the inside out."""
    place = element.parent if element is not None else None
    while place is not None:
        yield place
        place = place.parent


def element_beside(place: LexborNode, *, after: bool) -> LexborNode | None:
    """The element next to `place`, which blanks may part from it."""
    beside = place.next if after else place.prev
    for _ in range(_BLANKS_MAX):
        if beside is None or not (beside.tag or "-").startswith("-"):
            return beside
        beside = beside.next if after else beside.prev
    return None


def heading_of(headings: Sequence[LexborNode], text: str) -> LexborNode | None:
    """The heading of the page's product: the one with this text, or else the first."""
    own = (one for one in headings if one_line(one.text(separator=" ")) == text)
    return next(own, headings[0] if headings else None)


def remove_all(elements: Sequence[LexborNode]) -> None:
    """Take elements out of their tree; those inside of others go with them.

    What goes with another is not touched any more: the tree frees it.
    """
    ids = {element.mem_id for element in elements}
    outermost = [element for element in elements if not is_within(element, ids)]
    for element in {element.mem_id: element for element in outermost}.values():
        element.decompose()


def names_of(element: LexborNode) -> str:
    """The element's classes and id, as written."""
    return names_in(element.attributes)


def names_in(attributes: Mapping[str, str | None]) -> str:
    """The classes and the id in an element's attributes, as written."""
    return f"{attributes.get('class') or ''} {attributes.get('id') or ''}"


def all_names_in(attributes: Mapping[str, str | None]) -> str:
    """The same with the element's names for tests.

    Where a page's classes are made by a machine, these are the names that people gave.
    """
    names = names_in(attributes)
    if _FOR_TESTS.isdisjoint(attributes):
        return names
    return " ".join([names, *(attributes[name] or "" for name in _FOR_TESTS & attributes.keys())])


def is_styled_away(element: LexborNode) -> bool:
    """Whether the element's own style or attributes hide it."""
    return is_hidden(element.attributes)


def is_named_hidden(names: str) -> bool:
    """Whether one of an element's classes, as style sheets of many shops have them, hides it.

    One that hides it on small screens only comes with another that shows it.
    """
    classes = _HIDING.intersection(names.split())
    if classes != _HIDING_SOMEWHERE:
        return bool(classes)
    return not any(shown in names for shown in _SHOWN_ELSEWHERE)


def is_hidden(attributes: Mapping[str, str | None]) -> bool:
    """The same by an element's attributes."""
    if "hidden" in attributes:
        return True
    style = attributes.get("style")
    return bool(style) and "display:none" in (style or "").replace(" ", "")


def is_within(element: LexborNode, ids: Collection[int]) -> bool:
    """Whether an element around this one is among `ids`; far down in a tree always."""
    if not ids:
        return False
    for depth, place in enumerate(ancestors(element)):
        if place.mem_id in ids or depth >= _DEPTH_MAX:
            return True
    return False


def _is_inside(node: LexborNode, tags: frozenset[str]) -> bool:
    if not tags:
        return False
    parent = node.parent
    if parent is None or parent.tag in tags:
        return parent is not None
    above = parent.parent
    return above is not None and above.tag in tags
