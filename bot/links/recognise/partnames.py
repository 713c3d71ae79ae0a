"""Words that are looked for inside of class names and ids, in any case."""

import re

_LITERAL = re.compile(r"[a-z-]+")


class PartNames:
    """Words that tell what an element is when its class or id holds one of them.

    Most are plain and looked for as such, which takes a tenth of the time of one large regular
    expression; `pattern` holds those that need more. All are in lower case.
    """

    __slots__ = ("_pattern", "_plain")

    def __init__(self, plain: str, pattern: str = "") -> None:
        self._plain = tuple(plain.split())
        if not all(map(_LITERAL.fullmatch, self._plain)):
            raise ValueError(f"Not all of these are plain words: {plain}")
        self._pattern = re.compile(pattern) if pattern else None

    def are_in(self, names: str) -> bool:
        """Whether one of the words stands in `names`."""
        lowered = names.lower()
        for word in self._plain:
            if word in lowered:
                return True
        return self._pattern is not None and self._pattern.search(lowered) is not None
