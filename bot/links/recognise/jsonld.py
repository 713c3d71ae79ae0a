"""JSON-LD as it is found in the wild: broken now and then, in graphs, arrays and references."""

import html
import json
import re
from collections.abc import Iterator
from decimal import Decimal

import msgspec

_TRAILING_COMMA = re.compile(r",(\s*+[}\]])")
_DOUBLED_COMMA = re.compile(r",(?:\s*+,)++")
_WRAPPING = re.compile(
    r"^\s*+(?:<!--|/[/*]\s*+<!\[CDATA\[(?:\s*+\*/)?|<!\[CDATA\[)|(?:-->|(?:/[/*]\s*+)?\]\]>(?:\s*+\*/)?)\s*+$"
)
_BAD_ESCAPE = re.compile(r"\\(?![\"\\/bfnrtu])")
_LINE_COMMENT = re.compile(r"^[ \t]*+//.*+$", re.MULTILINE)
_BLOCK_COMMENT = re.compile(r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/")
_BLOCKS_MAX = 60
_NODES_MAX = 5000
_MENDED_CHARS_MAX = 200_000
#: Under these a product is another one than the page's.
_BESIDE = frozenset(
    {"isrelatedto", "issimilarto", "isconsumablefor", "isaccessoryorsparepartfor",
     "itemreviewed", "review", "reviews", "recommendations", "itemlistelement", "breadcrumb",
     "isvariantof", "hasvariant", "mentions"}
)  # fmt: skip

Node = dict[str, object]


def parse_blocks(blocks: tuple[bytes, ...]) -> tuple[list[object], int]:
    """The values in `blocks` of JSON-LD, and how many blocks could not be read at all."""
    values: list[object] = []
    broken = 0
    for block in blocks[:_BLOCKS_MAX]:
        found = parse_leniently(block)
        values.extend(found)
        broken += not found and bool(block.strip())
    return values, broken


def parse_leniently(block: bytes) -> list[object]:
    """Every JSON value in `block`, mended where its author slipped; empty if that is hopeless."""
    try:
        return [msgspec.json.decode(block)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = block.decode("utf-8", "replace").strip()
    for attempt in (_as_it_is, _mended, _unescaped, _requoted):
        try:
            return _decode(attempt(text))
        except (ValueError, RecursionError):
            continue
    return []


def main_nodes(values: list[object]) -> Iterator[Node]:
    """Every node of the graphs in document order, save those that stand beside the page's topic."""
    stack: list[object] = list(reversed(values))
    seen = 0
    while stack and seen < _NODES_MAX:
        value = stack.pop()
        seen += 1
        if isinstance(value, list):
            stack.extend(reversed(value))
        elif isinstance(value, dict):
            yield value
            inner = [
                item
                for key, item in value.items()
                if isinstance(item, (dict, list)) and key.lower() not in _BESIDE
            ]
            stack.extend(reversed(inner))


def _decode(text: str) -> list[object]:
    """All JSON values that follow each other in `text`; raises `ValueError` for broken ones."""
    decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=str, strict=False)
    values: list[object] = []
    position = 0
    while position < len(text):
        value, position = decoder.raw_decode(text, position)
        values.append(value)
        while position < len(text) and text[position] in " \t\r\n;,":
            position += 1
    return values


def _as_it_is(text: str) -> str:
    return text


def _unescaped(text: str) -> str:
    return _mended(html.unescape(text))


def _mended(text: str) -> str:
    bare = _WRAPPING.sub("", text)
    bare = _LINE_COMMENT.sub("", bare)
    bare = _DOUBLED_COMMA.sub(",", bare)
    bare = _TRAILING_COMMA.sub(r"\1", bare)
    return _BAD_ESCAPE.sub(r"\\\\", bare).strip()


def _requoted(text: str) -> str:
    """Quotes inside texts escaped, comments gone, and braces closed that were left open."""
    if len(text) > _MENDED_CHARS_MAX:
        raise ValueError("too long to be mended")
    bare = _mended(_BLOCK_COMMENT.sub("", text))
    parts: list[str] = []
    open_braces: list[str] = []
    inside = False
    for place, char in enumerate(bare):
        if char == '"' and bare[place - 1 : place] != "\\":
            if inside and not _ends_text(bare, place):
                parts.append("\\")
            else:
                inside = not inside
        elif not inside and char in "{[":
            open_braces.append("}" if char == "{" else "]")
        elif not inside and char in "}]" and open_braces:
            open_braces.pop()
        parts.append(char)
    return _TRAILING_COMMA.sub(r"\1", "".join(parts) + "".join(reversed(open_braces)))


def _ends_text(text: str, place: int) -> bool:
    """Whether the quote at `place` is one that ends a text: only marks of JSON may follow."""
    following = text[place + 1 : place + 40].lstrip()
    return not following or following[0] in ":}]" or _NEXT.match(following) is not None


_NEXT = re.compile(r",\s*+(?:[\"{\[\d-]|true|false|null|$)")
