"""Which stretches of a page people see, and which are scripts, styles and comments.

The page is gone through once, as far as anybody asks, and never copied as a whole.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from bot.links.recognise.rawtext import closing_of
from bot.links.recognise.seek import find, rfind

#: All that changes what the bytes behind it are, and the first headings on the way. Most tags are
#: ruled out by their first two letters, so the first is only looked at again behind the second.
_MARK = re.compile(
    rb"<[sS!hH](?:[cC](?<=[sS][cC])[rR][iI][pP][tT]|[tT](?<=[sS][tT])[yY][lL][eE](?=[\s>])"
    rb"|-(?<=!-)-|1(?<=[hH]1)(?=[\s>]))"
)
#: What may begin a script or a style.
_MAY_BEGIN_TEXT = re.compile(rb"<[sS](?:[cC]|[tT][yY])")
_MARK_BYTES_MAX = 8
_COMMENT, _COMMENT_END = b"<!--", b"-->"
_SCRIPT_END = b"</script"
#: By its length each mark is told from the others.
_HEADING_LENGTH, _COMMENT_LENGTH, _STYLE_LENGTH = 3, 4, 6
_COMMENT_END_LENGTH = 3
_HEADINGS_MAX = 5
_STEP_BYTES = 32_768
_FAR_BYTES = 30_000
_SHORTLY_BYTES = 8_000
_LARGE_BYTES = 500
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
        if not begins:
            return b""
        begins[0] = max(start, begins[0])
        ends[len(begins) - 1] = min(stop, ends[len(begins) - 1])
        page = memoryview(self._page)
        return b"".join([page[begin:end] for begin, end in zip(begins, ends, strict=False)])

    def seen_far(self, start: int, stop: int) -> bytes:
        """The same as `seen`, but what lies far before `start` is not gone through for it.

        What is found out is kept until the page is gone through up to there.
        """
        if start - self._reached > self._far_bytes:
            begin = self._behind_script(start)
            if begin is not None:
                begin = start if self._is_behind_comment(begin, start) else begin
                known = self._ahead.setdefault(begin, Stretches(self._page, begin))
                return known.seen(start, stop)
        return self.seen(start, stop)

    def _behind_script(self, place: int) -> int | None:
        """Behind the last script before `place`; None where that may not be seen.

        A script's closing tag ends the script that it stands in, but a comment or a style can hold
        one.
        """
        page = self._page
        closed = rfind(page, _SCRIPT_END, self._reached, place)
        begin = find(page, b">", closed, place) + 1 if closed >= 0 else 0
        if not begin:
            return None
        start = max(0, closed - _AROUND_SCRIPT_BYTES_MAX)
        for opened, ended in _AROUND_SCRIPTS:
            around = rfind(page, opened, start, closed)
            # `<!-->` is a whole comment.
            if around >= 0 and find(page, ended, around + 2, closed) < 0:
                return None
        return begin

    def _is_behind_comment(self, begin: int, place: int) -> bool:
        """Whether `place`, with a comment shortly before it, is seen if `begin` is.

        In a page full of comments that is told quicker than by going through them all. False also
        where it cannot be told so.
        """
        page = self._page
        comment = rfind(page, _COMMENT, max(begin, place - _SHORTLY_BYTES), place)
        return (
            comment >= 0
            and find(page, _COMMENT_END, comment + 2, place) >= 0
            and _MAY_BEGIN_TEXT.search(page, begin, place + 3) is None
        )

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
        while self._ahead and self._reached < place:
            begin = min(self._ahead)
            if begin > place:
                break
            known = self._ahead.pop(begin)
            self._go_to(begin)
            if self._reached == begin:
                self._join(known)
        self._go_to(place)

    def _go_to(self, place: int) -> None:
        place = min(place, len(self._page))
        while self._reached < place:
            self._go_on(place)

    def _go_on(self, place: int) -> None:
        """Tell stretches apart up to `place`, or up to the end of a large one that is not seen."""
        page, reached = self._page, self._reached
        seen_to, seen_from = self._seen_to.append, self._seen_from.append
        for mark in _MARK.finditer(page, reached, place + _MARK_BYTES_MAX):
            begin, end = mark.span()
            if begin < reached:
                continue  # A comment or a script holds it.
            if begin >= place:
                break
            length = end - begin
            if length == _HEADING_LENGTH:
                self._headings.append(begin)
                continue
            seen_to(begin)
            if length == _COMMENT_LENGTH:
                # `<!-->` is a whole comment too.
                ended = find(page, _COMMENT_END, begin + 2)
                reached = ended + _COMMENT_END_LENGTH if ended >= 0 else len(page)
            else:
                closed = closing_of(b"/style" if length == _STYLE_LENGTH else b"/script", page, end)
                if length != _STYLE_LENGTH:
                    self._scripts.append((end, closed if closed >= 0 else len(page)))
                reached = find(page, b">", closed) + 1 if closed >= 0 else 0
                reached = reached or len(page)
            seen_from(reached)
            if reached - begin > _LARGE_BYTES:
                # A new search begins behind it rather than inside.
                self._reached = reached
                return
        self._reached = max(reached, place)

    def _join(self, known: "Stretches") -> None:
        """Take over what is known behind the place reached."""
        self._seen_to += known._seen_to
        self._seen_from += known._seen_from[1:]
        self._scripts += known._scripts
        self._headings += known._headings
        self._reached = known._reached
