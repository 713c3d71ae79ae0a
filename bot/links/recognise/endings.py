"""Where elements end, by counting the opening and closing tags of their name, without a tree."""

import re
from functools import lru_cache
from itertools import accumulate, islice

from bot.links.recognise.seek import find

_SLASH = ord("/")
_DEEPER = {b"": 1, b"/": -1}
#: Most elements are small. In others all tags of a step are counted at once, and the steps grow.
_SMALL_BYTES = 3000
_FIRST_STEP_BYTES = 3000
#: An element that is asked about is counted through a little farther: most are small.
_AHEAD_BYTES = 8000
_FAR_BYTES = 16_000
_COUNTED_AT_MOST = 4
_COUNTED_IN_ANY_CASE = 50_000
VOID = frozenset({"meta", "link", "img", "input", "br", "hr", "source", "area", "base", "col"})


class Endings:
    """Finds out where elements end; what they cost in all is bounded.

    Items in items are counted through again, and a page's author may mean it so; what is asked
    beyond the bound counts as never ended.
    """

    def __init__(self, visible: bytes) -> None:
        self.visible = visible
        self.bytes_left = _COUNTED_AT_MOST * len(visible) + _COUNTED_IN_ANY_CASE


class Ending:
    """The end of an element of `name` whose opening tag ends at `begin`, known as far as asked."""

    __slots__ = ("_begin", "_counted", "_depth", "_endings", "_step", "_tags", "end")

    def __init__(self, endings: Endings, name: str, begin: int) -> None:
        self._endings = endings
        self._tags = _tags_named(name)
        self._begin = self._counted = begin
        self._depth, self._step = 1, _FIRST_STEP_BYTES
        #: Where the closing tag stands; 0 as long as that is not known.
        self.end = begin if name in VOID else 0

    def is_before(self, place: int, *, ahead: bool = True) -> bool:
        """Whether the element has ended when `place` comes.

        Not `ahead`: an element begins there that `pass_over` may spare counting through.
        """
        if not self.end and self._counted <= place:
            self._count(place + _AHEAD_BYTES if ahead else place)
        return 0 < self.end <= place

    def pass_over(self, inner: "Ending") -> None:
        """Spare counting through an element inside this one, of which the end is known."""
        if self._tags is not inner._tags or self.end or not inner.end:
            return
        # Whatever is counted goes up to a tag: here to the first one inside.
        inside = find(self._endings.visible, b"<", inner._begin)
        if self._counted < inside:
            self._count(inner._begin)
        if self._counted == inside and not self.end:
            self._counted = inner.end

    def seems_open(self, place: int) -> bool:
        """Whether `place` is so far behind that nothing may close the element at all."""
        return not self.end and place - self._begin > _FAR_BYTES

    def found(self) -> int:
        """Where the element ends; 0 when nothing closes it."""
        size, step = len(self._endings.visible), _AHEAD_BYTES
        while not self.end and self._counted < size and self._endings.bytes_left > 0:
            self._count(self._counted + step)
            step *= 2
        return self.end

    def _count(self, stop: int) -> None:
        visible = self._endings.visible
        if self._endings.bytes_left <= 0:
            return
        # No tag is cut in two.
        stop = find(visible, b"<", stop)
        stop = stop if stop >= 0 else len(visible)
        begin, self._counted = self._counted, stop
        place = self._count_singly(begin, stop) if begin == self._begin else begin
        while place < stop and not self.end:
            end = find(visible, b"<", place + self._step, stop)
            end = end if end >= 0 else stop
            self._count_at_once(place, end)
            place, self._step = end, 2 * self._step
        self._endings.bytes_left -= (self.end or stop) - begin

    def _count_singly(self, begin: int, stop: int) -> int:
        """Count tag by tag until the element ends or proves to be large; how far that went."""
        large = begin + _SMALL_BYTES
        for tag in self._tags.finditer(self._endings.visible, begin, stop):
            if tag.start() > large:
                return tag.start()
            self._depth += _DEEPER[tag[1]]
            if not self._depth:
                self.end = tag.start()
                break
        return stop

    def _count_at_once(self, begin: int, end: int) -> None:
        """Count all tags in a stretch, which is much quicker."""
        tags = self._tags.findall(self._endings.visible, begin, end)
        depths = list(accumulate(map(_DEEPER.__getitem__, tags), initial=self._depth))
        self._depth = depths[-1]
        if min(depths) <= 0:
            every = self._tags.finditer(self._endings.visible, begin, end)
            self.end = next(islice(every, depths.index(0) - 1, None)).start()


def closing_tag(visible: bytes, name: str, begin: int, stop: int) -> int:
    """Where the tag stands that closes an element of `name`, open at `begin`; 0 if none does."""
    depth = 1
    for tag in _tags_named(name).finditer(visible, begin, stop):
        if visible[tag.start() + 1] == _SLASH:
            depth -= 1
            if depth == 0:
                return tag.start()
        else:
            depth += 1
    return 0


@lru_cache(maxsize=256)
def _tags_named(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"<(/?)" + _in_any_case(name) + rb"(?=[\s/>])")


def _in_any_case(name: str) -> bytes:
    # A flag would keep the search from jumping from one `<` to the next.
    return b"".join(
        f"[{char}{char.upper()}]".encode() if char.isalpha() else re.escape(char.encode())
        for char in name
    )
