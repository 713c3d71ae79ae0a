"""How sure a field is: by the source it came from, and by what the other sources say of it."""

from bot.links.recognise.sighting import Clue
from bot.links.recognise.values import squeezed

#: How often a source that stands alone is right, as far as real pages have shown.
_ALONE = {"shop-api": 0.97, "json-ld": 0.95, "microdata": 0.92, "rdfa": 0.9, "shop-data": 0.85,
          "opengraph": 0.85, "oembed": 0.8, "meta": 0.75, "page": 0.5}  # fmt: skip
#: A fact that nobody states and the page only suggests.
_BETWEEN_THE_LINES = 0.4
_AGREEMENT = 0.5
_CONTRADICTION = 0.6


def confidence_of(field: str, value: object, source: str, clues: list[Clue]) -> float:
    """From 0 to 1: what `source` is worth, halved doubts for each source that agrees."""
    sure = _ALONE[source]
    if field == "availability" and source == "page":
        sure = _BETWEEN_THE_LINES
    for clue in clues:
        other: object = getattr(clue, field, None)
        if other is None or clue.source == source:
            continue
        if _same(value, other):
            sure = 1 - (1 - sure) * _AGREEMENT
        elif field != "image":
            sure *= _CONTRADICTION
    return round(sure, 2)


def _same(one: object, other: object) -> bool:
    if one == other:
        return True
    if isinstance(one, str) and isinstance(other, str):
        first, second = squeezed(one), squeezed(other)
        return first in second or second in first
    return False
