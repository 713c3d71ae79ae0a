"""Single attributes of a tag, cut out without reading all the others."""

from enum import Enum


class Unsure(Enum):
    """A tag in which a plain search cannot tell; all of its attributes must be read."""

    UNSURE = 0


UNSURE = Unsure.UNSURE
_BLANKS = frozenset({b" ", b"\n", b"\t", b"\r"})
_BEHIND_NAME = _BLANKS | {b"=", b"/", b""}


def is_plain(tag: bytes) -> bool:
    """Whether nothing but double quotes quotes in `tag`, and each of them is closed."""
    return b"'" not in tag and not tag.count(b'"') % 2


class Attribute:
    """An attribute by its name in lower case, looked for in plain tags."""

    __slots__ = ("_written", "name")

    def __init__(self, name: bytes) -> None:
        self.name = name
        self._written = b" " + name + b'="'

    def of(self, tag: bytes) -> bytes | Unsure | None:
        """Its value in a plain `tag`; None without it."""
        begin = tag.find(self._written)
        if begin < 0:
            # It may be written in another way, or stand in the value of another.
            return UNSURE if self.name in tag.lower() else None
        begin += len(self._written)
        return tag[begin : tag.find(b'"', begin)]


def has_bare(tag: bytes, name: bytes) -> bool:
    """Whether a plain `tag` has the attribute `name` (in lower case); False where that is unsure.

    Its value does not matter.
    """
    before, _, behind = tag.partition(name)
    return before[-1:] in _BLANKS and behind[:1] in _BEHIND_NAME and not before.count(b'"') % 2
