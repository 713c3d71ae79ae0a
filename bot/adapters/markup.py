"""HTML that strangers wrote, taken apart into tags and words, in linear time whatever it is.

The standard library's parser needs minutes for some kilobytes of `<a <a <a`, and whatever builds a
tree opens each unclosed `<b>` anew in every block, which fills memory. Pieces are told as browsers
tell them (the HTML standard's tokens); nothing is built of them.
"""

import html
import re
from collections.abc import Iterator, Mapping

import msgspec

_TAG_NAME = re.compile(r"[A-Za-z][^\s/>]*+")
#: A name, and a value in quotes, or without, or behind a quote that is never closed.
_ATTRIBUTE = re.compile(
    r"[\s/]*+(?:([^\s/>][^\s/>=]*+)"
    r"(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s>\"'][^\s>]*+)|([\"'])|))?)?"
)
#: Elements whose content is no markup, and is not shown.
_RAW = frozenset({"script", "style"})
_RAW_END = re.compile(r"</(?:script|style)(?=[\s/>])", re.IGNORECASE)


class Start(msgspec.Struct, frozen=True):
    """A tag that opens an element; names are in lower case, the first of two attributes counts."""

    name: str
    attributes: Mapping[str, str]

    @property
    def classes(self) -> list[str]:
        """The words of its class."""
        return self.attributes.get("class", "").split()


class End(msgspec.Struct, frozen=True):
    """A tag that closes an element."""

    name: str


Piece = Start | End | str


def pieces(markup: str) -> Iterator[Piece]:
    """Tags and words in their order; comments are left out, escapes are characters again."""
    position = 0
    while position < len(markup):
        opened = markup.find("<", position)
        if opened < 0:
            opened = len(markup)
        if opened > position:
            yield html.unescape(markup[position:opened])
        if opened == len(markup):
            return
        piece, position = _at(markup, opened)
        if piece is not None:
            yield piece
        if isinstance(piece, Start) and piece.name in _RAW:
            closed = _RAW_END.search(markup, position)
            position = closed.start() if closed else len(markup)


def text_of(markup: str) -> str:
    """The words alone."""
    return "".join(piece for piece in pieces(markup) if isinstance(piece, str))


def _at(markup: str, opened: int) -> tuple[Piece | None, int]:
    """What begins with the `<` at `opened`, and where it ends. What never ends is nothing."""
    if markup.startswith("<!--", opened):
        closed = markup.find("-->", opened + 2)
        return None, len(markup) if closed < 0 else closed + 3
    follows = markup[opened + 1 : opened + 2]
    ends = follows == "/"
    name = _TAG_NAME.match(markup, opened + 1 + ends)
    if name is None:
        if follows not in {"/", "!", "?"} or len(markup) == opened + 2:
            return "<", opened + 1
        closed = markup.find(">", opened)
        return None, len(markup) if closed < 0 else closed + 1
    attributes, position = _attributes(markup, name.end())
    if attributes is None:
        return None, len(markup)
    lowered = name[0].lower()
    return End(lowered) if ends else Start(lowered, attributes), position


def _attributes(markup: str, position: int) -> tuple[dict[str, str] | None, int]:
    """The attributes from `position` to the end of the tag; None where it has none."""
    attributes: dict[str, str] = {}
    while True:
        found = _ATTRIBUTE.match(markup, position)
        if found is None or found[5]:
            return None, position
        position = found.end()
        if found[1]:
            value = found[2] or found[3] or found[4] or ""
            attributes.setdefault(found[1].lower(), html.unescape(value))
        if markup.startswith(">", position):
            return attributes, position + 1
        if position == len(markup):
            return None, position
