"""Which stretches of a page people see, and which are scripts and comments.

The page is gone through once, as far as anybody asks, and never copied as a whole.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator

#: All that changes what the bytes behind it are, and the first headings on the way.
_MARK = re.compile(rb"<(?:[sS][cC][rR][iI][pP][tT]|!--|[hH]1(?=[\s>]))")
_SCRIPT_END = re.compile(rb"</[sS][cC][rR][iI][pP][tT]")
_COMMENT, _COMMENT_END = b"<!--", b"-->"
_HEADING_LENGTH = 3
_HEADINGS_MAX = 5


class Stretches:
    """Where a page's scripts and comments lie; all else is seen.

    A comment or a script that nothing ends goes on to the end of the page.
    """

    def __init__(self, page: bytes) -> None:
        self._page = page
        #: Everything before it is told apart.
        self._reached = 0
        self._seen_from: list[int] = [0]
        self._seen_to: list[int] = []
        self._scripts: list[tuple[int, int]] = []
        self._headings: list[int] = []

    def between(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Where each seen stretch between `start` and `stop` begins and ends, in order."""
        stop = min(stop, len(self._page))
        place = max(0, bisect_right(self._seen_from, start) - 1) if self._seen_from else 0
        while True:
            while place >= len(self._seen_to) and self._go_on():
                pass
            if place >= len(self._seen_to) or self._seen_from[place] >= stop:
                return
            begin, end = max(start, self._seen_from[place]), min(stop, self._seen_to[place])
            if begin < end:
                yield begin, end
            place += 1

    def seen(self, start: int, stop: int) -> bytes:
        """What is seen between `start` and `stop`, in one piece."""
        return b"".join([self._page[begin:end] for begin, end in self.between(start, stop)])

    def is_seen(self, place: int) -> bool:
        """Whether `place` lies outside of scripts and comments."""
        return next(self.between(place, place + 1), None) is not None

    def headings(self) -> Iterator[int]:
        """Where the first few seen headings of the first rank begin."""
        for number in range(_HEADINGS_MAX):
            while number >= len(self._headings) and self._go_on():
                pass
            if number >= len(self._headings):
                return
            yield self._headings[number]

    def script_around(self, place: int) -> tuple[int, int] | None:
        """Where the script that holds `place` begins, behind its name, and ends; None outside."""
        while self._reached <= place and self._go_on():
            pass
        number = bisect_right(self._scripts, (place, len(self._page))) - 1
        if number < 0 or self._scripts[number][1] <= place:
            return None
        return self._scripts[number]

    def _go_on(self) -> bool:
        """Tell the next stretch from what hides behind it; False at the end of the page."""
        page, size = self._page, len(self._page)
        if self._reached > size:
            return False
        mark = _MARK.search(page, self._reached)
        while mark is not None and mark.end() - mark.start() == _HEADING_LENGTH:
            self._headings.append(mark.start())
            mark = _MARK.search(page, mark.end())
        if mark is None:
            self._seen_to.append(size)
            self._reached = size + 1
            return True
        self._seen_to.append(mark.start())
        if mark.group() == _COMMENT:
            # `<!-->` is a whole comment too.
            stop = page.find(_COMMENT_END, mark.start() + 2)
            after = stop + len(_COMMENT_END) if stop >= 0 else 0
        else:
            ended = _SCRIPT_END.search(page, mark.end())
            self._scripts.append((mark.end(), ended.start() if ended else size))
            after = page.find(b">", ended.end()) + 1 if ended else 0
        self._reached = after or size + 1
        if after:
            self._seen_from.append(after)
        return True
