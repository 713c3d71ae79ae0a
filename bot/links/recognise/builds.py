"""How elements of a tree are built and what stands around them, which tells cards of a list."""

from selectolax.lexbor import LexborNode

#: Elements that are looked at to tell whether two prices stand in cards of one list.
_BUILD_DEPTH = 3
_AROUND_MAX = 5


def build_of(element: LexborNode) -> tuple[str, ...]:
    """Tags and names of an element and the closest around it, which cards of a list share."""
    found: list[str] = []
    place: LexborNode | None = element
    while place is not None and len(found) < _BUILD_DEPTH:
        found.append(f"{place.tag} {place.attributes.get('class') or ''}")
        place = place.parent
    return tuple(found)


def elements_around(element: LexborNode) -> list[int]:
    """The closest elements around one, from the inside out."""
    found: list[int] = []
    place = element.parent
    while place is not None and len(found) < _AROUND_MAX:
        found.append(place.mem_id)
        place = place.parent
    return found
