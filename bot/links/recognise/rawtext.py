"""Where scripts and styles end, whose text is no markup."""

import re

from bot.links.recognise.seek import find

_ENDS = {
    b"/script": re.compile(rb"</[sS][cC][rR][iI][pP][tT]"),
    b"/style": re.compile(rb"</[sS][tT][yY][lL][eE]"),
}
_CLOSING = b"</"
_MISSES_MAX = 100


def closing_of(name: bytes, page: bytes, begin: int) -> int:
    """Where the tag `name` (`/script` or `/style`) stands that ends what is open at `begin`; or -1.

    Few tags are closed in most scripts, so each is looked at; most names are in lower case.
    """
    place, size = find(page, _CLOSING, begin), len(name)
    for _ in range(_MISSES_MAX):
        behind = place + 1
        if place < 0 or page.startswith(name, behind):
            return place
        if page[behind : behind + size].lower() == name:
            return place
        place = find(page, _CLOSING, behind)
    found = _ENDS[name].search(page, place) if place >= 0 else None
    return found.start() if found else -1
