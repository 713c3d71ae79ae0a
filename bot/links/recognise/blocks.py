"""The JSON-LD scripts of a page, found by the rarest byte in their type.

`+` is one byte in some thousands of a page and has no other case, so one quick search finds the
type however it is written: most pages that name their price are done with before anything else has
gone through all of their bytes.
"""

from collections.abc import Iterator

from bot.links.recognise.rawtext import closing_of
from bot.links.recognise.seek import find, rfind

_RARE = b"+"
_BEFORE_RARE, _BEHIND_RARE = b"application/ld", b"json"
_NEXT_TO_RARE = b"jJ"
_LD_JSON = _BEFORE_RARE + _RARE + _BEHIND_RARE
_SCRIPT, _SCRIPT_END = b"<script", b"</script"
_COMMENT, _COMMENT_END = b"<!--", b"-->"
_BLOCKS_MAX = 60
_TAG_BYTES_MAX = 1000
_BYTES_LOOKED_BACK = 50_000
#: A page with more of the rare byte than this is searched for the word instead.
_RARE_MAX = 4000


def json_ld_blocks(page: bytes) -> Iterator[bytes]:
    """What stands in the JSON-LD scripts of `page`, those in comments and scripts left out."""
    position = 0
    for count, found in enumerate(_types(page)):
        if count >= _BLOCKS_MAX:
            return
        if found < position:
            continue
        tag = rfind(page, b"<", max(position, found - _TAG_BYTES_MAX), found)
        is_script = tag >= 0 and page[tag : tag + len(_SCRIPT)].lower() == _SCRIPT
        if not is_script or find(page, b">", tag, found) >= 0 or _is_hidden(page, position, tag):
            continue
        begin = find(page, b">", found) + 1
        if not begin:
            return
        ended = closing_of(b"/script", page, begin)
        position = ended if ended >= 0 else len(page)
        yield page[begin:position]


def _types(page: bytes) -> Iterator[int]:
    """Where the type of JSON-LD is named."""
    # Past the last the rarest byte stands in no type any more.
    size = len(page) - len(_BEHIND_RARE)
    place = find(page, _RARE, len(_BEFORE_RARE), size)
    for _ in range(_RARE_MAX):
        if place < 0:
            return
        if page[place + 1] in _NEXT_TO_RARE and page[place + 1 : place + 5].lower() == _BEHIND_RARE:
            start = place - len(_BEFORE_RARE)
            if page[start:place].lower() == _BEFORE_RARE:
                yield start
        place = find(page, _RARE, place + 1, size)
    place = find(page, _LD_JSON, place) if place >= 0 else -1
    while place >= 0:
        yield place
        place = find(page, _LD_JSON, place + 1)


def _is_hidden(page: bytes, seen: int, place: int) -> bool:
    """Whether `place` lies in a comment or a script; `seen` is a place before that does not."""
    start = max(seen, place - _BYTES_LOOKED_BACK)
    if _is_in_script(page, start, place):
        return True
    comment = rfind(page, _COMMENT, start, place)
    if comment < 0 or find(page, _COMMENT_END, comment, place) >= 0:
        return False
    # A script may hold the mark as a text of its own.
    return not _is_in_script(page, start, comment)


def _is_in_script(page: bytes, start: int, place: int) -> bool:
    closed = rfind(page, _SCRIPT_END, start, place)
    return rfind(page, _SCRIPT, max(start, closed), place) >= 0
