"""JSON-LD as it is found in the wild: broken now and then, in graphs, arrays and references."""

import html
import json
import re
from collections.abc import Iterator
from decimal import Decimal

_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_WRAPPING = re.compile(
    r"^\s*(?:<!--|/[/*]\s*<!\[CDATA\[(?:\s*\*/)?|<!\[CDATA\[)|(?:-->|(?:/[/*]\s*)?\]\]>(?:\s*\*/)?)\s*$"
)
_BAD_ESCAPE = re.compile(r"\\(?![\"\\/bfnrtu])")
_LINE_COMMENT = re.compile(r"^[ \t]*//.*$", re.MULTILINE)
_BLOCKS_MAX = 60
_NODES_MAX = 5000
#: Under these a product is another one than the page's.
_BESIDE = frozenset(
    {"isrelatedto", "issimilarto", "isconsumablefor", "isaccessoryorsparepartfor",
     "itemreviewed", "review", "reviews", "recommendations", "itemlistelement", "breadcrumb",
     "isvariantof", "hasvariant", "mentions"}
)  # fmt: skip

Node = dict[str, object]


def parse_blocks(blocks: tuple[str, ...]) -> tuple[list[object], int]:
    """The values in `blocks` of JSON-LD, and how many blocks could not be read at all."""
    values: list[object] = []
    broken = 0
    for block in blocks[:_BLOCKS_MAX]:
        found = list(_values(block))
        values.extend(found)
        broken += not found and bool(block.strip())
    return values, broken


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
            inner = [item for key, item in value.items() if key.lower() not in _BESIDE]
            stack.extend(item for item in reversed(inner) if isinstance(item, dict | list))


def _values(block: str) -> Iterator[object]:
    text = block.strip()
    for attempt in (lambda t: t, _mended, lambda t: _mended(html.unescape(t))):
        try:
            yield from _decode(attempt(text))
        except (ValueError, RecursionError):
            continue
        return


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


def _mended(text: str) -> str:
    bare = _WRAPPING.sub("", text)
    bare = _LINE_COMMENT.sub("", bare)
    bare = _TRAILING_COMMA.sub(r"\1", bare)
    return _BAD_ESCAPE.sub(r"\\\\", bare).strip()
