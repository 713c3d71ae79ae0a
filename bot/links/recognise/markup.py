"""The parts of a page that need no tree: scripts, meta and link tags, the title, the language.

Everything works on UTF-8 bytes, of which only small pieces are ever decoded, and each part is
cut out when it is first asked for. All searches are linear in the page's length, also in a page
made to slow them down.
"""

import html
import re
from collections.abc import Iterator

import msgspec

from bot.links.recognise.attributes import attributes_at, is_plain
from bot.links.recognise.blocks import json_ld_blocks
from bot.links.recognise.seek import find
from bot.links.recognise.stretches import Stretches
from wallet_core.once import once

_HEAD_END = re.compile(rb"<(?=[/bB])(?:/(?:head|HEAD)\s*>|(?:body|BODY)[\s>])")
#: The tags of a head that are read, told apart by their names' first letters.
_HEAD_TAG = re.compile(
    rb"<(?=[mMlLtThH])"
    rb"(?:[mM][eE][tT][aA]\s|[lL][iI][nN][kK]\s|[tT][iI][tT][lL][eE]\b|[hH][tT][mM][lL]\s)"
)
#: Marks that join or part the letters beside them and are not seen themselves.
_JOINER = re.compile(r"(?<=[^\x00-\u02ff])[\u200c\u200d](?=[^\x00-\u02ff])")
_NAME_LENGTH = 4
#: What the head of a page has, if it is whole.
_META = re.compile(rb"<[mM][eE][tT][aA]\s")
_TITLE_TAG = re.compile(rb"<[tT][iI][tT][lL][eE]")
#: Tags that may say something of a product; those for browsers are passed over.
_TELLING_KEY = re.compile(r"(?:og|product|twitter|book):|price|currency|availab|description")
_MAY_TELL = (b"og:", b"product:", b"twitter:", b"book:", b"rice", b"urrency", b"vailab",
             b"escription")  # fmt: skip
#: As most are written, from behind their name to their end.
_PLAIN_META = re.compile(
    rb"[ \n\r\t]*+(?:property|name)=\"([^\"]*+)\"[ \n\r\t]++content=\"([^\"]*+)\"[ \n\r\t]*+/?"
)
_TELLING_LINK = re.compile(rb"[^<>]{0,500}?(?:canonical|alternate|api\.w\.org)")
_TELLING_LINKS = frozenset({"canonical", "alternate", "https://api.w.org/"})
_TITLE = re.compile(rb"[^<>]{0,300}>([^<]{0,2000})")
_HEADING = re.compile(rb"<[hH]1\b[^<>]{0,1000}>")
_WORD = re.compile(r"\w+")
_HEADING_END = re.compile(rb"</[hH]1")
_TAG = re.compile(r"<[^<>]{0,1000}>")
#: A drawing's title stands no farther behind where the drawing begins.
_DRAWING_BYTES = 500
#: Between the name of a page and that of its site.
_BETWEEN = re.compile(r"\s*[|»«]\s*|\s+[-–—:/]+\s+")
#: Shorter names stand in a text by chance.
_NAME_LENGTH_MIN = 6
#: Parts of a title that are looked for.
_PARTS_MAX = 4
_HEAD_TAGS_MAX = 400
_HEADING_BYTES_MAX = 1500
_BEFORE_HEADING_BYTES = 12_000
_BEHIND_HEADING_BYTES = 60_000
_BEHIND_HEADING_OF_PRICED_BYTES = 40_000
_WITHOUT_HEADING_BYTES = 120_000
_HEAD_BYTES_MAX = 1_000_000
_HEAD_ENDS_MAX = 20
#: So much of a page without a head is read as one.
_HEADLESS_BYTES = 200_000
_TITLE_LENGTH_MAX = 300


class Script(msgspec.Struct, frozen=True, gc=False):
    """An inline script: its opening tag's attributes in lower case, where it begins and ends."""

    tag: bytes
    begin: int
    end: int


class Markup:
    """A page (in UTF-8) in parts."""

    def __init__(self, page: bytes) -> None:
        self.page = page

    @once
    def stretches(self) -> Stretches:
        """What of the page is seen."""
        return Stretches(self.page)

    @once
    def json_ld(self) -> tuple[bytes, ...]:
        """What stands in the page's JSON-LD scripts, those in comments left out."""
        return tuple(json_ld_blocks(self.page))

    @once
    def head(self) -> bytes:
        """Where the page speaks of itself, without scripts, styles and comments."""
        stretches = self.stretches
        for count, ended in enumerate(_HEAD_END.finditer(self.page, 0, _HEAD_BYTES_MAX)):
            if count >= _HEAD_ENDS_MAX:
                break
            if stretches.is_seen(ended.start()):
                head = stretches.seen(0, ended.start())
                if _META.search(head) and _TITLE_TAG.search(head):
                    return head
                # Whatever ended the head, it ended too early.
        return stretches.seen(0, _HEADLESS_BYTES)

    @property
    def visible(self) -> bytes:
        """All but scripts, styles and comments."""
        return self.stretches.seen(0, len(self.page))

    def around_heading(self, *, is_priced: bool) -> bytes:
        """What people see around the first heading, or at the beginning of a page without one.

        What a page sells stands there, and a tree of megabytes would take long and fill memory.
        Where the page's data name the price, less has to be looked at.
        """
        place = self.heading_place
        if place < 0:
            # Lists of all brands, for one, may stand in front of what a page is about.
            start = max(0, self.name_place - _BEFORE_HEADING_BYTES)
            return self.stretches.seen_from(start, _WITHOUT_HEADING_BYTES)
        before = self.stretches.seen(max(0, place - _BEFORE_HEADING_BYTES), place)
        behind = _BEHIND_HEADING_OF_PRICED_BYTES if is_priced else _BEHIND_HEADING_BYTES
        return before + self.stretches.seen_from(place, behind)

    @once
    def title_parts(self) -> tuple[str, ...]:
        """What the title may call the page, beside the name of its site, longest first."""
        parts = sorted(_BETWEEN.split(self.title), key=len, reverse=True)
        return tuple(part for part in parts[:_PARTS_MAX] if len(part) >= _NAME_LENGTH_MIN)

    @once
    def name_place(self) -> int:
        """Where a page without a heading first names what its title does; 0 where it does not."""
        for part in self.title_parts:
            place = find(self.page, part.encode(), len(self.head))
            if place >= 0 and self.stretches.is_seen(place):
                return place
        return 0

    @once
    def _head_tags(self) -> dict[bytes, list[int]]:
        """Where the tags of the head that are read go on behind their names, by these names."""
        found: dict[bytes, list[int]] = {b"meta": [], b"link": [], b"titl": [], b"html": []}
        for tag in _HEAD_TAG.finditer(self.head):
            places = found[tag.group()[1 : 1 + _NAME_LENGTH].lower()]
            if len(places) < _HEAD_TAGS_MAX:
                places.append(tag.end())
        return found

    def script_around(self, place: int) -> Script | None:
        """The script that holds `place`; None outside of scripts."""
        inside = self.stretches.script_around(place)
        if inside is None:
            return None
        begin, end = inside
        behind_tag = find(self.page, b">", begin, end) + 1 or end
        return Script(self.page[begin:behind_tag].lower(), behind_tag, end)

    @once
    def metas(self) -> tuple[tuple[str, str], ...]:
        """(name, content) of the meta tags that may say something of a product."""
        return tuple(_metas(self.head, self._head_tags[b"meta"]))

    def head_holds(self, *words: bytes) -> bool:
        """Whether any of `words`, given in lower case, stands anywhere in the head."""
        head = self.head.lower()
        return any(word in head for word in words)

    @once
    def links(self) -> tuple[dict[str, str], ...]:
        """The attributes of the link tags that lead to other forms of the page."""
        return tuple(_links(self.head, self._head_tags[b"link"]))

    @once
    def title(self) -> str:
        """The page's title, in one line."""
        for place in self._head_tags[b"titl"]:
            found = _TITLE.match(self.head, place)
            if found:
                return one_line(html.unescape(text_of(found[1])))
        return self._late_title

    @property
    def _late_title(self) -> str:
        """A title behind what ended the head too early; those of drawings name a drawing."""
        tag = _TITLE_TAG.search(self.page)
        if tag is None or not self.stretches.is_seen(tag.start()):
            return ""
        if b"<svg" in self.page[max(0, tag.start() - _DRAWING_BYTES) : tag.start()]:
            return ""
        found = _TITLE.match(self.page, tag.end())
        return one_line(html.unescape(text_of(found[1]))) if found else ""

    @property
    def heading(self) -> str:
        """The text of the page's own heading, in one line."""
        return self._own_heading[0]

    @property
    def heading_place(self) -> int:
        """Where the page's own heading stands; -1 without one."""
        return self._own_heading[1]

    @once
    def _own_heading(self) -> tuple[str, int]:
        return _heading(self.page, self.stretches.headings(), self.title)

    @once
    def language(self) -> str:
        """The page's own language tag."""
        places = self._head_tags[b"html"]
        if not places:
            return ""
        return text_of(attributes_at(self.head, places[0])[0].get(b"lang", b""))


def text_of(piece: bytes) -> str:
    """A piece of the page as text; what is broken in it is replaced."""
    return piece.decode("utf-8", "replace")


def without_tags(piece: bytes) -> str:
    """The text of a small piece of markup, in one line of at most 300 characters."""
    return one_line(_untagged(piece))


def all_text(piece: bytes) -> str:
    """The whole text of a piece of markup, its blanks as single ones."""
    return " ".join(_untagged(piece).split())


def _untagged(piece: bytes) -> str:
    text = text_of(piece)
    if "<" in text:
        text = _TAG.sub(" ", text)
    return html.unescape(text)


def one_line(text: str) -> str:
    """`text` in one line of at most 300 characters, without control characters.

    Joiners between letters stay: Persian, Indian and Sinhala words are misspelt without them.
    """
    flat = " ".join(text.split())
    if not flat.isprintable():
        kept = {joiner.start() for joiner in _JOINER.finditer(flat)}
        flat = "".join(c for place, c in enumerate(flat) if c.isprintable() or place in kept)
    return flat[:_TITLE_LENGTH_MAX].strip()


def _metas(head: bytes, places: list[int]) -> Iterator[tuple[str, str]]:
    for place in places:
        tag = head[place : find(head, b">", place)]
        if is_plain(tag) and not any(map(tag.__contains__, _MAY_TELL)):
            continue
        plain = _PLAIN_META.fullmatch(tag)
        if plain is not None:
            named, written = [plain[1]], plain[2]
        else:
            attributes, _ = attributes_at(head, place)
            named = [attributes.get(b"property", b""), attributes.get(b"name", b"")]
            written = attributes.get(b"content", b"")
        content = text_of(written).strip()
        if content:
            for key in named:
                name = text_of(key).strip().lower()
                if _TELLING_KEY.match(name):
                    yield name, html.unescape(content)


def _links(head: bytes, places: list[int]) -> Iterator[dict[str, str]]:
    for place in places:
        if _TELLING_LINK.match(head, place) is not None:
            attributes, _ = attributes_at(head, place)
            link = {text_of(name): text_of(value) for name, value in attributes.items()}
            if link.get("rel", "").lower() in _TELLING_LINKS:
                yield link


def _heading(page: bytes, places: Iterator[int], title: str) -> tuple[str, int]:
    """The first heading of the first rank, or the one that says most of the page's title.

    Many a site has its own name or a greeting in a heading too. One that the title begins with
    spares looking for others.
    """
    wanted = title.casefold()
    words = set(_WORD.findall(wanted))
    best, best_place, best_likeness = "", -1, -1
    for place in places:
        text = _heading_at(page, place)
        if not text:
            continue
        own = text.casefold()
        if not best and (not wanted or wanted.startswith(own)):
            return text, place
        likeness = sum(map(len, words.intersection(_WORD.findall(own))))
        if likeness > best_likeness:
            best, best_place, best_likeness = text, place, likeness
    return best, best_place


def _heading_at(page: bytes, place: int) -> str:
    start = _HEADING.match(page, place)
    if start is None:
        return ""
    inside = page[start.end() : start.end() + _HEADING_BYTES_MAX]
    end = _HEADING_END.search(inside)
    return without_tags(inside[: end.start()] if end else inside)
