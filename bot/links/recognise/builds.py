"""How elements of a tree are built and what stands around them, which tells cards of a list."""

from itertools import islice

from selectolax.lexbor import LexborNode

from bot.links.recognise.nodes import ancestors

#: Elements that are looked at to tell whether two prices stand in cards of one list.
_BUILD_DEPTH = 3
_AROUND_MAX = 5


def build_of(element: LexborNode) -> tuple[str, ...]:
    """Tags and names of an element and the closest around it, which cards of a list share."""
    built = (element, *islice(ancestors(element), _BUILD_DEPTH - 1))
    return tuple([f"{place.tag} {place.attributes.get('class') or ''}" for place in built])


def elements_around(element: LexborNode) -> list[int]:
    """The closest elements around one, from the inside out."""
    return [place.mem_id for place in islice(ancestors(element), _AROUND_MAX)]
