"""The parts of a page that need no tree: scripts, meta and link tags, the title, the language.

Everything works on UTF-8 bytes, of which only small pieces are ever decoded. All searches are
linear in the page's length, also in a page made to slow them down.
"""

import html
import re
from collections.abc import Iterator

import msgspec

_STARTS = (b"<script", b"<style", b"<!--")
_ENDS = {b"<script": b"</script", b"<style": b"</style", b"<!--": b"-->"}
_META = re.compile(rb"<[mM][eE][tT][aA][\s/]")
_LINK = re.compile(rb"<[lL][iI][nN][kK]\s")
_ATTRIBUTE = re.compile(
    rb"\s*+/?\s*+([A-Za-z_:@][\w:.\-]{0,60})"
    rb"(?:\s*+=\s*+(?:\"([^\"]{0,5000})\"|'([^']{0,5000})'|([^\s\"'>]{0,2000})))?"
)
_TITLE = re.compile(rb"<[tT][iI][tT][lL][eE]\b[^<>]{0,300}>([^<]{0,2000})")
_HTML_TAG = re.compile(rb"<[hH][tT][mM][lL]\s")
_HEADING = re.compile(rb"<[hH]1\b[^<>]{0,1000}>")
_HEADING_END = re.compile(rb"</[hH]1")
_TAG = re.compile(r"<[^<>]{0,1000}>")
_BLANKS = re.compile(r"\s+")
_METAS_MAX = 400
_LINKS_MAX = 400
_ATTRIBUTES_MAX = 40
_HEADING_BYTES_MAX = 1500
_TITLE_LENGTH_MAX = 300
_SCRIPTS_MAX = 500

Attributes = dict[str, str]


class Script(msgspec.Struct, frozen=True, gc=False):
    """An inline script: its opening tag's attributes as written, and what stands in it."""

    tag: bytes
    body: bytes


class Markup(msgspec.Struct, frozen=True):
    """A page in parts: `visible` is all but its scripts, styles and comments.

    `metas` are (name, content) pairs, `links` the attributes of its link tags.
    """

    visible: bytes
    json_ld: tuple[bytes, ...]
    scripts: tuple[Script, ...]
    metas: tuple[tuple[str, str], ...]
    links: tuple[Attributes, ...]
    title: str
    heading: str
    language: str


def read_markup(page: bytes) -> Markup:
    """Cut a page (in UTF-8) into its parts."""
    kept: list[bytes] = []
    json_ld: list[bytes] = []
    scripts: list[Script] = []
    for kind, part in _parts(page):
        if kind == b"":
            kept.append(part)
        elif kind == b"<script":
            tag, _, body = part.partition(b">")
            if b"ld+json" in tag.lower():
                json_ld.append(body)
            elif body and len(scripts) < _SCRIPTS_MAX:
                scripts.append(Script(tag, body))
    visible = b"".join(kept)
    title = _TITLE.search(visible)
    tag_start = _HTML_TAG.search(visible)
    return Markup(
        visible=visible,
        json_ld=tuple(json_ld),
        scripts=tuple(scripts),
        metas=tuple(_metas(visible)),
        links=tuple(_links(visible)),
        title=one_line(html.unescape(text_of(title[1]))) if title else "",
        heading=_heading(visible),
        language=attributes_at(visible, tag_start.end())[0].get("lang", "") if tag_start else "",
    )


def attributes_at(page: bytes, position: int) -> tuple[Attributes, int]:
    """The attributes of the tag whose name ends at `position`, and where they end."""
    attributes: Attributes = {}
    while (found := _ATTRIBUTE.match(page, position)) and len(attributes) < _ATTRIBUTES_MAX:
        value = found[2] or found[3] or found[4] or b""
        attributes.setdefault(found[1].decode("ascii", "replace").lower(), text_of(value))
        position = found.end()
    return attributes, position


def text_of(piece: bytes) -> str:
    """A piece of the page as text; what is broken in it is replaced."""
    return piece.decode("utf-8", "replace")


def without_tags(piece: bytes) -> str:
    """The text of a small piece of markup, in one line."""
    return one_line(html.unescape(_TAG.sub(" ", text_of(piece))))


def one_line(text: str) -> str:
    """`text` in one line of at most 300 characters, without control characters."""
    flat = _BLANKS.sub(" ", text)
    if not flat.isprintable():
        flat = "".join(char for char in flat if char.isprintable())
    return flat[:_TITLE_LENGTH_MAX].strip()


def _parts(page: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The page's stretches in order: what starts each (nothing for what people see), and it."""
    lowered = page.lower()
    upcoming = {start: lowered.find(start) for start in _STARTS}
    position = 0
    while True:
        nearest = min(
            (start for start in _STARTS if upcoming[start] >= 0),
            key=lambda start: upcoming[start],
            default=None,
        )
        if nearest is None:
            yield b"", page[position:]
            return
        begin = upcoming[nearest]
        yield b"", page[position:begin]
        end = lowered.find(_ENDS[nearest], begin + len(nearest) - (nearest == b"<!--") * 2)
        stop = len(page) if end < 0 else end
        yield nearest, page[begin + len(nearest) : stop]
        # The rest of the closing tag is harmless where people see it.
        position = stop + (len(_ENDS[nearest]) if end >= 0 else 0)
        if end >= 0 and nearest != b"<!--":
            position = (lowered.find(b">", position) + 1) or len(page)
        for start in _STARTS:
            if 0 <= upcoming[start] < position:
                upcoming[start] = lowered.find(start, position)


def _metas(visible: bytes) -> Iterator[tuple[str, str]]:
    for count, meta in enumerate(_META.finditer(visible)):
        if count >= _METAS_MAX:
            return
        attributes, _ = attributes_at(visible, meta.end())
        content = attributes.get("content", "").strip()
        if content:
            for key in ("property", "name"):
                if key in attributes:
                    yield attributes[key].strip().lower(), html.unescape(content)


def _links(visible: bytes) -> Iterator[Attributes]:
    for count, link in enumerate(_LINK.finditer(visible)):
        if count >= _LINKS_MAX:
            return
        attributes, _ = attributes_at(visible, link.end())
        if attributes.get("rel", "").lower() in _TELLING_LINKS:
            yield attributes


_TELLING_LINKS = frozenset({"canonical", "alternate", "https://api.w.org/"})


def _heading(visible: bytes) -> str:
    start = _HEADING.search(visible)
    if start is None:
        return ""
    inside = visible[start.end() : start.end() + _HEADING_BYTES_MAX]
    end = _HEADING_END.search(inside)
    return without_tags(inside[: end.start()] if end else inside)
