"""The parts of a page that need no tree: scripts, meta and link tags, the title, the language.

Everything works on UTF-8 bytes, of which only small pieces are ever decoded, and each part is
cut out when it is first asked for. All searches are linear in the page's length, also in a page
made to slow them down.
"""

import html
import re
from collections.abc import Iterator
from functools import cached_property

import msgspec

_SCRIPT, _SCRIPT_END = b"<script", b"</script"
_COMMENT, _COMMENT_END = b"<!--", b"-->"
_LD_JSON = b"application/ld+json"
_HEAD_END = re.compile(rb"</(?:head|HEAD)\s*>|<(?:body|BODY)[\s>]")
_META = re.compile(rb"<(?:meta|META|Meta)\s")
#: Tags that may say something of a product; those for browsers are passed over.
_TELLING_META = re.compile(
    rb"[^<>]{0,1000}?(?:property|name|PROPERTY|NAME)\s{0,3}=\s{0,3}[\"']?\s{0,3}"
    rb"(?:(?:og|product|twitter|book):|[pP]rice|[cC]urrency|[aA]vailab|[dD]escription)"
)
_LINK = re.compile(rb"<(?:link|LINK)\s(?=[^<>]{0,500}?(?:canonical|alternate|api\.w\.org))")
_TELLING_LINKS = frozenset({"canonical", "alternate", "https://api.w.org/"})
_ATTRIBUTE = re.compile(
    rb"([A-Za-z_:@][\w:.\-]{0,60})"
    rb"(?:\s*+=\s*+(?:\"([^\"]{0,5000})\"|'([^']{0,5000})'|([^\s\"'>]{0,2000})))?"
)
#: A tag from behind its name to its end; what is quoted may hold the mark that ends it.
_INSIDE = re.compile(rb"(?:[^\"'<>]++|\"[^\"]{0,5000}+\"|'[^']{0,5000}+'|[\"'])*+")
_TITLE = re.compile(rb"<(?:title|TITLE|Title)\b[^<>]{0,300}>([^<]{0,2000})")
_HTML_TAG = re.compile(rb"<(?:html|HTML)\s")
_HEADING = re.compile(rb"<[hH]1\b[^<>]{0,1000}>")
_HEADING_END = re.compile(rb"</[hH]1")
_TAG = re.compile(r"<[^<>]{0,1000}>")
_BLANKS = re.compile(r"\s+")
_METAS_MAX = 400
_LINKS_MAX = 400
_BLOCKS_MAX = 60
_BYTES_LOOKED_BACK = 50_000
_TAG_BYTES_MAX = 1000
_HEADING_BYTES_MAX = 1500
_HEADINGS_MAX = 5
_BEFORE_HEADING_BYTES = 40_000
_BEHIND_HEADING_BYTES = 120_000
_HEAD_BYTES_MAX = 200_000
_TITLE_LENGTH_MAX = 300

Attributes = dict[str, str]


class Script(msgspec.Struct, frozen=True, gc=False):
    """An inline script: its opening tag's attributes as written, and what stands in it."""

    tag: bytes
    body: bytes


class Markup:
    """A page (in UTF-8) in parts."""

    def __init__(self, page: bytes) -> None:
        self.page = page

    @cached_property
    def json_ld(self) -> tuple[bytes, ...]:
        """What stands in the page's JSON-LD scripts, those in comments left out."""
        return tuple(_json_ld(self.page))

    @cached_property
    def head(self) -> bytes:
        """Where the page speaks of itself, without scripts and comments."""
        end = _HEAD_END.search(self.page, 0, _HEAD_BYTES_MAX)
        head = without_scripts(self.page[: end.start() if end else _HEAD_BYTES_MAX])
        if _META.search(head) is None:
            # Whatever ended the head, it ended too early.
            return without_scripts(self.page[:_HEAD_BYTES_MAX])
        return head

    @cached_property
    def visible(self) -> bytes:
        """All but scripts and comments."""
        return without_scripts(self.page)

    @cached_property
    def around_heading(self) -> bytes:
        """What people see around the first heading; of a page that is not huge, all of it.

        What a page sells stands there, and a tree of megabytes would take long and fill memory.
        """
        page, place = self.page, max(0, self.heading_place)
        if len(page) <= _BEFORE_HEADING_BYTES + _BEHIND_HEADING_BYTES:
            return self.visible
        start = max(0, place - _BEFORE_HEADING_BYTES)
        piece = page[start : place + _BEHIND_HEADING_BYTES]
        closing, opening = piece.find(_SCRIPT_END), piece.find(_SCRIPT)
        if start and closing >= 0 and (opening < 0 or closing < opening):
            piece = piece[closing:]  # It was cut inside a script.
        return without_scripts(piece)

    def scripts_with(self, needle: bytes) -> Iterator[Script]:
        """The inline scripts in which `needle` stands, without those of JSON-LD."""
        if needle in self.page:
            yield from _scripts(self.page, needle)

    @cached_property
    def metas(self) -> tuple[tuple[str, str], ...]:
        """(name, content) of the meta tags that may say something of a product."""
        return tuple(_metas(self.head))

    @cached_property
    def links(self) -> tuple[Attributes, ...]:
        """The attributes of the link tags that lead to other forms of the page."""
        return tuple(_links(self.head))

    @cached_property
    def title(self) -> str:
        """The page's title, in one line."""
        found = _TITLE.search(self.head)
        return one_line(html.unescape(text_of(found[1]))) if found else ""

    @property
    def heading(self) -> str:
        """The text of the first heading, in one line."""
        return self._first_heading[0]

    @property
    def heading_place(self) -> int:
        """Where the first heading stands; -1 without one."""
        return self._first_heading[1]

    @cached_property
    def _first_heading(self) -> tuple[str, int]:
        return _heading(self.page)

    @cached_property
    def language(self) -> str:
        """The page's own language tag."""
        found = _HTML_TAG.search(self.head)
        return attributes_at(self.head, found.end())[0].get("lang", "") if found else ""


def without_scripts(page: bytes) -> bytes:
    """`page` without its scripts and comments."""
    return b"".join(part for kind, part in _parts(page) if not kind)


def attributes_at(page: bytes, position: int) -> tuple[Attributes, int]:
    """The attributes of the tag whose name ends at `position`, and where they end."""
    inside = _INSIDE.match(page, position, position + _TAG_BYTES_MAX * 10)
    end = inside.end() if inside else position
    attributes: Attributes = {}
    for name, *values in _ATTRIBUTE.findall(page, position, end):
        value = values[0] or values[1] or values[2]
        attributes.setdefault(name.decode("ascii", "replace").lower(), text_of(value))
    return attributes, end


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
    # Lowering takes as long as all the rest; a page that shouts does so throughout.
    find = page.find if _SCRIPT_END in page else page.lower().find
    position, size = 0, len(page)
    script, comment = find(_SCRIPT), find(_COMMENT)
    while script >= 0 or comment >= 0:
        is_script = script >= 0 and (comment < 0 or script < comment)
        if is_script:
            yield b"", page[position:script]
            begin = script + len(_SCRIPT)
            stop = find(_SCRIPT_END, begin)
            position = find(b">", stop) + 1 if stop >= 0 else 0
            yield _SCRIPT, page[begin : stop if stop >= 0 else size]
        else:
            yield b"", page[position:comment]
            # `<!-->` is a whole comment too.
            stop = find(_COMMENT_END, comment + 2)
            position = stop + len(_COMMENT_END) if stop >= 0 else 0
        if not position:
            return
        if 0 <= script < position:
            script = find(_SCRIPT, position)
        if 0 <= comment < position:
            comment = find(_COMMENT, position)
    yield b"", page[position:]


def _json_ld(page: bytes) -> Iterator[bytes]:
    position = 0
    for _ in range(_BLOCKS_MAX):
        found = page.find(_LD_JSON, position)
        if found < 0:
            return
        position = found + len(_LD_JSON)
        tag = page.rfind(b"<", max(0, found - _TAG_BYTES_MAX), found)
        is_script = tag >= 0 and page[tag : tag + len(_SCRIPT)].lower() == _SCRIPT
        if not is_script or page.find(b">", tag, found) >= 0 or _is_in_comment(page, tag):
            continue
        begin = page.find(b">", found) + 1
        end = _end_of_script(page, begin) if begin else 0
        if not begin:
            return
        yield page[begin:end]
        position = end


def _is_in_comment(page: bytes, place: int) -> bool:
    start = max(0, place - _BYTES_LOOKED_BACK)
    comment = page.rfind(_COMMENT, start, place)
    return comment >= 0 and page.find(_COMMENT_END, comment, place) < 0


def _end_of_script(page: bytes, begin: int) -> int:
    end = page.find(_SCRIPT_END, begin)
    if end < 0:
        end = page.find(_SCRIPT_END.upper(), begin)
    return end if end >= 0 else len(page)


def _scripts(page: bytes, needle: bytes) -> Iterator[Script]:
    for kind, part in _parts(page):
        if kind == _SCRIPT and needle in part:
            tag, _, body = part.partition(b">")
            if body and _LD_JSON not in tag:
                yield Script(tag, body)


def _metas(visible: bytes) -> Iterator[tuple[str, str]]:
    for count, meta in enumerate(_META.finditer(visible)):
        if count >= _METAS_MAX:
            return
        if _TELLING_META.match(visible, meta.end()) is None:
            continue
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


def _heading(page: bytes) -> tuple[str, int]:
    for count, start in enumerate(_HEADING.finditer(page)):
        if count >= _HEADINGS_MAX:
            break
        if _is_in_script(page, start.start()) or _is_in_comment(page, start.start()):
            continue
        inside = page[start.end() : start.end() + _HEADING_BYTES_MAX]
        end = _HEADING_END.search(inside)
        text = without_tags(inside[: end.start()] if end else inside)
        if text:
            return text, start.start()
    return "", -1


def _is_in_script(page: bytes, place: int) -> bool:
    start = max(0, place - _BYTES_LOOKED_BACK)
    return page.rfind(_SCRIPT, start, place) > page.rfind(_SCRIPT_END, start, place)
