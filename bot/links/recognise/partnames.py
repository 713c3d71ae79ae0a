"""Words that are looked for inside of class names and ids, in any case."""

import re

_LITERAL = re.compile(r"[a-z-]+")
#: They hold one of the words and mean nothing of the kind: how a thing is laid out, coloured or
#: pointed at, as the classes of widespread style sheets say, and other words of English.
_LOOK_ALIKES = (
    "relative", "orange", "pointer", "wrapper-", "paper-", "super-", "upper-", "before:", "origin-",
    "font-regular", "text-regular", "body-regular", "fa-regular", "community", "private", "activat",
    "elevat", "reservat", "innovat", "accessib", "another", "mother", "forbidden", "taxonomy",
    "syntax", "textile", "versatile",
)  # fmt: skip


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
                return self._are_surely_in(lowered)
        return self._pattern is not None and self._pattern.search(lowered) is not None

    def _are_surely_in(self, lowered: str) -> bool:
        """The same where a plain word was seen, which may be a part of one that only looks so."""
        for look_alike in _LOOK_ALIKES:
            if look_alike in lowered:
                lowered = lowered.replace(look_alike, " ")
        if any(map(lowered.__contains__, self._plain)):
            return True
        return self._pattern is not None and self._pattern.search(lowered) is not None
