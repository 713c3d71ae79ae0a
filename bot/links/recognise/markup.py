"""The parts of a page that need no tree: scripts, meta tags, the title, the language.

All searches are linear in the page's length, also in a page made to slow them down.
"""

import html
import re
from collections.abc import Iterator

import msgspec

_CHARSET_IN_PAGE = re.compile(
    rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.\-]{1,40})", re.IGNORECASE
)
#: Charsets of the web's; Python's own codecs beside them are slow or no text at all.
_KNOWN_CHARSET = re.compile(
    r"utf-?8|utf-?16(?:le|be)?|latin1|us-ascii|(?:windows-|cp)\d{3,4}|iso-?8859-\d{1,2}|koi8-[ru]"
    r"|gb2312|gbk|gb18030|big5(?:-?hkscs)?|euc-?(?:jp|kr)|ks_c_5601-1987|shift_jis|x-sjis"
    r"|iso-2022-jp|tis-620|macintosh"
)
_SCRIPT = re.compile(r"<script\b([^<>]{0,2000})>", re.IGNORECASE)
_SCRIPT_END = re.compile(r"</script", re.IGNORECASE)
_META = re.compile(r"<meta\s", re.IGNORECASE)
_LINK = re.compile(r"<link\s([^<>]{0,1000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"\s*+/?\s*+([A-Za-z_:][\w:.\-]{0,60})(?:\s*+=\s*+(?:\"([^\"]{0,5000})\"|'([^']{0,5000})'|([^\s\"'>]{0,2000})))?"
)
_TITLE = re.compile(r"<title\b[^<>]{0,300}>([^<]{0,2000})", re.IGNORECASE)
_HTML_TAG = re.compile(r"<html\b([^<>]{0,2000})>", re.IGNORECASE)
_HEADING = re.compile(r"<h1\b[^<>]{0,1000}>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,1000}>")
_BLANKS = re.compile(r"\s+")
_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_CHARSET_WINDOW_BYTES = 4096
_METAS_MAX = 400
_LINKS_MAX = 400
_ATTRIBUTES_MAX = 40
_HEADING_LENGTH_MAX = 1000
_TITLE_LENGTH_MAX = 300


class Markup(msgspec.Struct, frozen=True):
    """The named parts of a page: JSON-LD blocks, meta tags as (name, content) pairs, and so on."""

    json_ld: tuple[str, ...]
    metas: tuple[tuple[str, str], ...]
    title: str
    heading: str
    language: str
    canonical: str


def decoded(page: bytes, charset: str | None) -> str:
    """The page's text: by byte order mark, the server's charset, the page's own, or UTF-8."""
    for mark, name in _BYTE_ORDER_MARKS:
        if page.startswith(mark):
            return page.decode(name, "replace")
    in_page = _CHARSET_IN_PAGE.search(page[:_CHARSET_WINDOW_BYTES])
    named = charset or (in_page[1].decode("ascii") if in_page else None)
    for name in filter(None, (_browser_name(named), "utf-8")):
        try:
            return page.decode(name, "strict" if named is None else "replace")
        except (LookupError, UnicodeError):
            continue
    return page.decode("utf-8" if named else "cp1252", "replace")


def read_markup(text: str) -> Markup:
    """Cut a page's named parts out of its text."""
    title = _TITLE.search(text)
    tag = _HTML_TAG.search(text)
    return Markup(
        json_ld=tuple(_json_ld(text)),
        metas=tuple(_metas(text)),
        title=one_line(html.unescape(title[1])) if title else "",
        heading=_heading(text),
        language=_attributes(tag[1]).get("lang", "") if tag else "",
        canonical=_canonical(text),
    )


def one_line(text: str) -> str:
    """`text` in one line of at most 300 characters, without control characters."""
    flat = _BLANKS.sub(" ", text)
    return "".join(char for char in flat if char.isprintable())[:_TITLE_LENGTH_MAX].strip()


def _browser_name(charset: str | None) -> str | None:
    """The codec browsers use under a name: the Windows supersets of older standards."""
    if charset is None:
        return None
    lowered = charset.lower()
    if _KNOWN_CHARSET.fullmatch(lowered) is None:
        return None
    supersets = {"iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252",
                 "gb2312": "gb18030", "gbk": "gb18030", "ks_c_5601-1987": "cp949",
                 "euc-kr": "cp949", "shift_jis": "cp932", "x-sjis": "cp932",
                 "big5": "big5hkscs", "iso-8859-9": "cp1254"}  # fmt: skip
    return supersets.get(lowered, lowered)


def _json_ld(text: str) -> Iterator[str]:
    position = 0
    while script := _SCRIPT.search(text, position):
        end = _SCRIPT_END.search(text, script.end())
        position = end.start() if end else len(text)
        if "ld+json" in script[1].lower():
            yield text[script.end() : position]


def _metas(text: str) -> Iterator[tuple[str, str]]:
    for count, meta in enumerate(_META.finditer(text)):
        if count >= _METAS_MAX:
            return
        attributes = _attributes_at(text, meta.end())
        content = attributes.get("content", "").strip()
        if content:
            for key in ("property", "name"):
                if key in attributes:
                    yield attributes[key].strip().lower(), html.unescape(content)


def _attributes(inside: str) -> dict[str, str]:
    return _attributes_at(inside, 0)


def _attributes_at(text: str, position: int) -> dict[str, str]:
    attributes: dict[str, str] = {}
    while (found := _ATTRIBUTE.match(text, position)) and len(attributes) < _ATTRIBUTES_MAX:
        value = found[2] or found[3] or found[4] or ""
        attributes.setdefault(found[1].lower(), value)
        position = found.end()
    return attributes


def _heading(text: str) -> str:
    start = _HEADING.search(text)
    if start is None:
        return ""
    inside = text[start.end() : start.end() + _HEADING_LENGTH_MAX]
    return one_line(html.unescape(_TAG.sub(" ", inside.partition("</h1")[0])))


def _canonical(text: str) -> str:
    for count, link in enumerate(_LINK.finditer(text)):
        if count >= _LINKS_MAX:
            return ""
        attributes = _attributes(link[1])
        if attributes.get("rel", "").lower() == "canonical":
            return html.unescape(attributes.get("href", ""))
    return ""
