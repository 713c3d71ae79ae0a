"""Which stretches of a page people see, and which are scripts, styles and comments.

The page is gone through once, as far as anybody asks, and never copied as a whole.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from bot.links.recognise.rawtext import closing_of

#: All that changes what the bytes behind it are, and the first headings on the way. Most tags are
#: ruled out by their first letter.
_MARK = re.compile(
    rb"<(?=[sS!hH])(?:[sS](?:[cC][rR][iI][pP][tT]|[tT][yY][lL][eE](?=[\s>]))|!--|[hH]1(?=[\s>]))"
)
_MARK_BYTES_MAX = 8
_COMMENT, _COMMENT_END = b"<!--", b"-->"
_SCRIPT_END = b"</script"
#: By its length each mark is told from the others.
_HEADING_LENGTH, _COMMENT_LENGTH, _STYLE_LENGTH = 3, 4, 6
_HEADINGS_MAX = 5
_STEP_BYTES = 32_768
_FAR_BYTES = 30_000
_AROUND_SCRIPTS = ((_COMMENT, _COMMENT_END), (b"<style", b"</style"))
#: Nobody comments out more than this together with a script.
_AROUND_SCRIPT_BYTES_MAX = 50_000
#: So many times as much as is looked for is gone through for it.
_UNSEEN_AT_MOST = 6


class Stretches:
    """Where a page's scripts, styles and comments lie; all else is seen.

    One that nothing ends goes on to the end of the page.
    """

    def __init__(self, page: bytes, begin: int = 0, *, far_bytes: int = _FAR_BYTES) -> None:
        self._page = page
        self._far_bytes = far_bytes
        #: Everything before it is told apart; nobody asks for what is before `begin`.
        self._reached = begin
        #: Where seen stretches begin and end; the last may not have ended yet.
        self._seen_from: list[int] = [begin]
        self._seen_to: list[int] = []
        self._scripts: list[tuple[int, int]] = []
        self._headings: list[int] = []
        #: What is known already of places farther on, by where it begins.
        self._ahead: dict[int, Stretches] = {}

    def seen(self, start: int, stop: int) -> bytes:
        """What is seen between `start` and `stop`, in one piece."""
        stop = min(stop, len(self._page))
        self._reach(stop)
        first = max(0, bisect_right(self._seen_from, start) - 1)
        begins = self._seen_from[first : bisect_left(self._seen_from, stop)]
        ends = [*self._seen_to[first : first + len(begins)], stop]
        page = memoryview(self._page)
        return b"".join(
            page[max(start, begin) : min(stop, end)]
            for begin, end in zip(begins, ends, strict=False)
        )

    def seen_far(self, start: int, stop: int) -> bytes:
        """The same as `seen`, but what lies far before `start` is not gone through for it.

        What is found out is kept until the page is gone through up to there.
        """
        if start - self._reached > self._far_bytes:
            begin = self._behind_script(start)
            if begin is not None:
                known = self._ahead.setdefault(begin, Stretches(self._page, begin))
                return known.seen(start, stop)
        return self.seen(start, stop)

    def _behind_script(self, place: int) -> int | None:
        """Behind the last script before `place`; None where that may not be seen.

        A script's closing tag ends the script that it stands in, but a comment or a style can hold
        one.
        """
        page = self._page
        closed = page.rfind(_SCRIPT_END, self._reached, place)
        begin = page.find(b">", closed, place) + 1 if closed >= 0 else 0
        if not begin:
            return None
        start = max(0, closed - _AROUND_SCRIPT_BYTES_MAX)
        for opened, ended in _AROUND_SCRIPTS:
            around = page.rfind(opened, start, closed)
            # `<!-->` is a whole comment.
            if around >= 0 and page.find(ended, around + 2, closed) < 0:
                return None
        return begin

    def seen_from(self, start: int, bytes_max: int) -> bytes:
        """What is seen from `start` on, but no more than `bytes_max` bytes of it."""
        pieces: list[bytes] = []
        found, farthest = 0, min(len(self._page), start + _UNSEEN_AT_MOST * bytes_max)
        while start < farthest and found < bytes_max:
            stop = min(start + _STEP_BYTES, farthest)
            pieces.append(self.seen(start, stop)[: bytes_max - found])
            found += len(pieces[-1])
            start = stop
        return b"".join(pieces)

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
            if reached in self._ahead:
                reached = self._join(self._ahead.pop(reached))
        self._reached = reached

    def _join(self, known: "Stretches") -> int:
        """Take over what is known behind the place reached; the place that is reached by that."""
        self._seen_to += known._seen_to
        self._seen_from += known._seen_from[1:]
        self._scripts += known._scripts
        self._headings += known._headings
        return known._reached
