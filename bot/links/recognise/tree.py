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
#: Tags of elements that a tree builder opens anew in each block until they are closed, with
#: attributes: of those that are alike it keeps three. A few others are counted with them.
_REOPENED = re.compile(
    rb"<[bBiIuUsSeEtTcCfF](?:[mMtT]|[iI][gG]|[oO][dD][eE]|[oO][nN][tT]|[mM][aA][lL][lL]"
    rb"|[tT][rR][iI][kK][eE]|[tT][rR][oO][nN][gG])?[\s/]"
)
_REOPENED_NAME = re.compile(
    rb"(</?)(?=(?:b|i|u|s|em|tt|big|code|font|small|strike|strong)[\s/>])", re.IGNORECASE
)
#: Elements that come of it at most; each takes about 350 bytes.
_REOPENED_MAX = 200_000
#: What stands before their names where there could be more.
RENAMED = "x-"


def page_tree(page: bytes) -> LexborHTMLParser:
    """The tree of `page`, or of its beginning when the page is made to be slow.

    A tree builder's time grows with the square of the depth: two megabytes of nothing but
    opening tags would hold it for minutes. What stands in JSON-LD and meta tags is read without
    a tree, so a cut page loses little.

    Nor does it grow with the square of its size: seventy kilobytes of `<b>` that nothing closes,
    and of paragraphs in each of which all of them are opened anew, took four gigabytes. Where that
    could be, elements of that kind get the names of elements that nobody knows.
    """
    tags = page.count(b"<")
    reopened = len(_REOPENED.findall(page))
    if reopened * (tags - reopened) > _REOPENED_MAX:
        page = _REOPENED_NAME.sub(rb"\1" + RENAMED.encode(), page)
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
