"""A page's tree, built at a bounded cost."""

import re
from collections import Counter

from selectolax.lexbor import LexborHTMLParser

_TAG_START = re.compile("<")
_TAG = re.compile(r"<(/?)([a-z][a-z0-9-]{0,20})", re.IGNORECASE)
#: However deep such a page is, its tree takes a fraction of a second.
_TAGS_HARMLESS = 10_000
#: Above this a page is cut in any case.
_TAGS_MAX = 32_000
_DEPTH_MAX = 1_000
#: Elements that end by themselves.
_SELF_ENDING = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source",
     "track", "wbr", "p", "li", "dt", "dd", "td", "th", "tr", "option", "thead", "tbody",
     "tfoot", "path", "use", "rect", "circle", "line", "polygon", "polyline", "ellipse",
     "stop", "param"}
)  # fmt: skip


def page_tree(text: str) -> LexborHTMLParser:
    """The tree of `text`, or of its beginning when the page is made to be slow.

    A tree builder's time grows with the square of the depth: two megabytes of nothing but
    opening tags would hold it for minutes. What stands in JSON-LD and meta tags is read without
    a tree, so a cut page loses little.
    """
    tags = text.count("<")
    if tags <= _TAGS_HARMLESS:
        return LexborHTMLParser(text)
    return LexborHTMLParser(_beginning(text, _TAGS_HARMLESS if _is_deep(text) else _TAGS_MAX))


def _beginning(text: str, tags_max: int) -> str:
    for count, tag in enumerate(_TAG_START.finditer(text)):
        if count == tags_max:
            return text[: tag.start()]
    return text


def _is_deep(text: str) -> bool:
    """Whether the tags seem to nest beyond all use; a guess, made without a parser."""
    open_tags: Counter[str] = Counter()
    depth = 0
    for count, (slash, name) in enumerate(match.groups() for match in _TAG.finditer(text)):
        lowered = name.lower()
        if count > _TAGS_MAX or depth > _DEPTH_MAX:
            break
        if lowered in _SELF_ENDING:
            continue
        if not slash:
            open_tags[lowered] += 1
            depth += 1
        elif open_tags[lowered]:
            open_tags[lowered] -= 1
            depth -= 1
    return depth > _DEPTH_MAX
