"""Where scripts and styles end, whose text is no markup."""

import re

_ENDS = {
    b"/script": re.compile(rb"</[sS][cC][rR][iI][pP][tT]"),
    b"/style": re.compile(rb"</[sS][tT][yY][lL][eE]"),
}
_SLASH = b"/"
_MISSES_MAX = 40


def closing_of(name: bytes, page: bytes, begin: int) -> int:
    """Where the tag `name` (`/script` or `/style`) stands that ends what is open at `begin`; or -1.

    In most scripts `<` is rare, and a search for one byte is far quicker than one for a word.
    Most names are in lower case, and most other marks have no slash behind them.
    """
    place, size = page.find(b"<", begin), len(name)
    for _ in range(_MISSES_MAX):
        behind = place + 1
        if place < 0 or page.startswith(name, behind):
            return place
        if page[behind : behind + 1] == _SLASH and page[behind : behind + size].lower() == name:
            return place
        place = page.find(b"<", behind)
    found = _ENDS[name].search(page, place) if place >= 0 else None
    return found.start() if found else -1
