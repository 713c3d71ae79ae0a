"""XML as a stream of elements, in bounded memory, with nothing that XML can do beyond that.

A document type is refused, and with it every entity and every reference to something outside: no
catalogue needs one. A piece of markup that never ends is refused as well.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from bot.catalogue.record import UnreadableCatalogue
from bot.catalogue.texts import pieces

_DEPTH_MAX = 64
_TEXT_CHARS_MAX = 8_000
_MARKUP_BYTES_MAX = 1_000_000


@dataclass(slots=True)
class Element:
    """An element that is over: its name, `namespace name`, its attributes, text and line.

    `depth` counts from 1, the document's own element. The text is that of the element itself, cut
    after 8,000 characters.
    """

    name: str
    depth: int
    line: int
    attributes: dict[str, str]
    parts: list[str] = field(default_factory=list)
    length: int = 0

    @property
    def text(self) -> str:
        """The element's own text."""
        return "".join(self.parts).strip()

    @property
    def local(self) -> str:
        """The name without its namespace."""
        return self.name.rpartition(" ")[2]

    @property
    def namespace(self) -> str:
        """The namespace, empty for none."""
        return self.name.rpartition(" ")[0]


class _Reader:
    def __init__(self) -> None:
        self.over: list[Element] = []
        self.begun: list[Element] = []
        self._open: list[Element] = []
        self._parser = expat.ParserCreate(encoding="utf-8", namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._fed = 0

    def feed(self, piece: str, *, final: bool) -> None:
        raw = piece.encode("utf-8", "replace")
        self._fed += len(raw)
        try:
            self._parser.Parse(raw, final)
        except (expat.ExpatError, ValueError, LookupError):
            line = self._parser.ErrorLineNumber
            raise UnreadableCatalogue(
                f"Line {line}: the XML breaks off or is not well-formed there."
            ) from None
        if self._fed - max(self._parser.CurrentByteIndex, 0) > _MARKUP_BYTES_MAX:
            raise UnreadableCatalogue(
                f"Line {self._parser.CurrentLineNumber}: a tag or comment never ends."
            )

    def _doctype(self, *_: object) -> None:
        raise UnreadableCatalogue(
            "The XML has a document type (<!DOCTYPE …>), which is refused; leave it out."
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= _DEPTH_MAX:
            raise UnreadableCatalogue("The XML is nested too deeply.")
        line = self._parser.CurrentLineNumber
        element = Element(name, len(self._open) + 1, line, attributes)
        self._open.append(element)
        self.begun.append(element)

    def _text(self, text: str) -> None:
        element = self._open[-1]
        room = _TEXT_CHARS_MAX - element.length
        if room > 0:
            element.parts.append(text[:room])
            element.length += len(text[:room])

    def _end(self, _name: str) -> None:
        self.over.append(self._open.pop())


def elements(file: BinaryIO, charset: str | None = None) -> Iterator[Element]:
    """Each element when it is over, children before their parents.

    Raises `UnreadableCatalogue`.
    """
    reader = _Reader()
    for piece in _from_first_mark(pieces(file, charset)):
        reader.feed(piece, final=False)
        yield from reader.over
        reader.over.clear()
        reader.begun.clear()
    reader.feed("", final=True)
    yield from reader.over


def root_name(head: bytes, charset: str | None = None) -> str | None:
    """The local name of the document's own element, from its first bytes; None if it is no XML."""
    reader = _Reader()
    try:
        for piece in _from_first_mark(pieces(io.BytesIO(head), charset)):
            reader.feed(piece, final=False)
            if reader.begun:
                break
    except UnreadableCatalogue:
        pass
    return reader.begun[0].local.lower() if reader.begun else None


def _from_first_mark(texts: Iterator[str]) -> Iterator[str]:
    """The text without blanks before it, which many a shop's plugins leave there."""
    begun = False
    for text in texts:
        shown = text if begun else text.lstrip("\ufeff \t\r\n")
        begun = begun or bool(shown)
        yield shown
