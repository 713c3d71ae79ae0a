"""The text of a catalogue's file in any charset, a bounded piece at a time."""

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from bot.catalogue.record import UnreadableCatalogue
from bot.links.charsets import codec_of, page_text

PIECE_BYTES = 65_536
LINE_CHARS_MAX = 1_000_000
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"),
          (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
_IN_XML = re.compile(
    rb"\A\s{0,20}<\?xml[^<>]{0,200}?encoding\s{0,9}=\s{0,9}[\"']([A-Za-z0-9_.\-]{1,40})"
)


def encoding_of(head: bytes, charset: str | None) -> str:
    """By the mark, the XML declaration, the server's word, or else by the bytes themselves."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    declared = _IN_XML.match(head)
    named = codec_of(declared[1].decode("ascii") if declared else charset)
    if named is not None and not (b"\x00" not in head and named.startswith("utf-16")):
        return named
    try:
        # Cut off inside of a character, it is still UTF-8.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        # Whole lines, so that no character is cut in two. Office programs write what is usual
        # in their country and do not say so.
        return page_text(head[: head.rfind(b"\n") + 1] or head)[1]
    return "utf-8"


def pieces(file: BinaryIO, charset: str | None = None) -> Iterator[str]:
    """The file's text, piece by piece; what is no text in its charset becomes `�`."""
    head = file.read(PIECE_BYTES)
    decoder = codecs.getincrementaldecoder(encoding_of(head, charset))("replace")
    piece = head
    while piece:
        yield decoder.decode(piece)
        piece = file.read(PIECE_BYTES)
    yield decoder.decode(b"", final=True)


def lines(file: BinaryIO, charset: str | None = None) -> Iterator[str]:
    """The file's lines, each with a newline at its end, however the file ends them.

    Raises `UnreadableCatalogue` for one that never ends.
    """
    ends = io.IncrementalNewlineDecoder(None, translate=True)
    number, rest = 0, ""
    for piece in pieces(file, charset):
        *whole, rest = (rest + ends.decode(piece)).split("\n")
        for line in whole:
            number += 1
            yield f"{line}\n"
        if len(rest) > LINE_CHARS_MAX:
            raise UnreadableCatalogue(f"Line {number + 1} never ends.")
    rest += ends.decode("", final=True)
    if rest:
        yield rest
