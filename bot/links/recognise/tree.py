"""A page's tree, built at a bounded cost."""

import re
from itertools import accumulate

from selectolax.lexbor import LexborHTMLParser

_TAG_START = re.compile(rb"<")
#: However deep such a page is, its tree takes a fraction of a second.
_TAGS_HARMLESS = 10_000
#: Above this a page is cut in any case.
_TAGS_MAX = 20_000
_DEPTH_MAX = 1_000
#: Elements that end by themselves are not counted.
_NESTING = re.compile(
    rb"<(/?)(?!(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr|p|li|dt|dd|td|th"
    rb"|tr|option|thead|tbody|tfoot|path|use|rect|circle|line|polygon|polyline|ellipse|stop|param)"
    rb"\b)[a-z]",
    re.IGNORECASE,
)
_STEP = {b"": 1, b"/": -1}


def page_tree(page: bytes) -> LexborHTMLParser:
    """The tree of `page`, or of its beginning when the page is made to be slow.

    A tree builder's time grows with the square of the depth: two megabytes of nothing but
    opening tags would hold it for minutes. What stands in JSON-LD and meta tags is read without
    a tree, so a cut page loses little.
    """
    tags = page.count(b"<")
    if tags <= _TAGS_HARMLESS:
        return LexborHTMLParser(page)
    return LexborHTMLParser(_beginning(page, _TAGS_HARMLESS if _is_deep(page) else _TAGS_MAX))


def _beginning(page: bytes, tags_max: int) -> bytes:
    if page.count(b"<") <= tags_max:
        return page
    for count, tag in enumerate(_TAG_START.finditer(page)):
        if count == tags_max:
            return page[: tag.start()]
    return page


def _is_deep(page: bytes) -> bool:
    """Whether the tags seem to nest beyond all use; a guess, made without a parser."""
    steps = map(_STEP.__getitem__, _NESTING.findall(page))
    return max(accumulate(steps), default=0) > _DEPTH_MAX
