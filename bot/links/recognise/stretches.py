"""Which stretches of a page people see, and which are scripts, styles and comments.

The page is gone through once, as far as anybody asks, and never copied as a whole.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator

from bot.links.recognise.rawtext import closing_of

#: All that changes what the bytes behind it are, and the first headings on the way.
_MARK = re.compile(
    rb"<(?:[sS](?:[cC][rR][iI][pP][tT]|[tT][yY][lL][eE](?=[\s>]))|!--|[hH]1(?=[\s>]))"
)
_MARK_BYTES_MAX = 8
_COMMENT_END = b"-->"
#: By its length each mark is told from the others.
_HEADING_LENGTH, _COMMENT_LENGTH, _STYLE_LENGTH = 3, 4, 6
_HEADINGS_MAX = 5
_STEP_BYTES = 32_768


class Stretches:
    """Where a page's scripts, styles and comments lie; all else is seen.

    One that nothing ends goes on to the end of the page.
    """

    def __init__(self, page: bytes) -> None:
        self._page = page
        #: Everything before it is told apart.
        self._reached = 0
        #: Where seen stretches begin and end; the last may not have ended yet.
        self._seen_from: list[int] = [0]
        self._seen_to: list[int] = []
        self._scripts: list[tuple[int, int]] = []
        self._headings: list[int] = []

    def seen(self, start: int, stop: int) -> bytes:
        """What is seen between `start` and `stop`, in one piece."""
        stop = min(stop, len(self._page))
        self._reach(stop)
        pieces: list[bytes] = []
        for number in range(max(0, bisect_right(self._seen_from, start) - 1), len(self._seen_from)):
            begin = self._seen_from[number]
            if begin >= stop:
                break
            end = self._seen_to[number] if number < len(self._seen_to) else stop
            pieces.append(self._page[max(start, begin) : min(stop, end)])
        return b"".join(pieces) if len(pieces) != 1 else pieces[0]

    def is_seen(self, place: int) -> bool:
        """Whether `place` lies outside of scripts, styles and comments."""
        self._reach(place + 1)
        number = bisect_right(self._seen_from, place) - 1
        return number >= len(self._seen_to) or place < self._seen_to[number]

    def headings(self) -> Iterator[int]:
        """Where the first few seen headings of the first rank begin."""
        for number in range(_HEADINGS_MAX):
            while number >= len(self._headings) and self._reached < len(self._page):
                self._reach(self._reached + _STEP_BYTES)
            if number >= len(self._headings):
                return
            yield self._headings[number]

    def script_around(self, place: int) -> tuple[int, int] | None:
        """Where the script that holds `place` begins, behind its name, and ends; None outside."""
        self._reach(place + 1)
        number = bisect_right(self._scripts, (place, len(self._page))) - 1
        if number < 0 or self._scripts[number][1] <= place:
            return None
        return self._scripts[number]

    def _reach(self, place: int) -> None:
        """Tell stretches apart up to `place` at least."""
        if self._reached >= place:
            return
        page, reached, place = self._page, self._reached, min(place, len(self._page))
        search, stop = _MARK.search, place + _MARK_BYTES_MAX
        while reached < place:
            mark = search(page, reached, stop)
            if mark is None:
                reached = place
                break
            begin, end = mark.span()
            if end - begin == _HEADING_LENGTH:
                self._headings.append(begin)
                reached = end
                continue
            self._seen_to.append(begin)
            if end - begin == _COMMENT_LENGTH:
                # `<!-->` is a whole comment too.
                closed = page.find(_COMMENT_END, begin + 2)
                reached = closed + len(_COMMENT_END) if closed >= 0 else len(page)
            else:
                is_style = end - begin == _STYLE_LENGTH
                closed = closing_of(b"/style" if is_style else b"/script", page, end)
                if not is_style:
                    self._scripts.append((end, closed if closed >= 0 else len(page)))
                reached = page.find(b">", closed) + 1 if closed >= 0 else 0
                reached = reached or len(page)
            self._seen_from.append(reached)
        self._reached = reached
