"""A page's bytes in UTF-8, whatever it came in."""

import codecs
import re
from functools import lru_cache

#: A meta tag up to the name of its charset, at each `c` in it tried anew.
_META_CHARSET = re.compile(
    rb"<[mM][eE][tT][aA](?:[^<>cC]*+[cC])+?[hH][aA][rR][sS][eE][tT]"
    rb"\s*+=\s*+[\"']?\s*+([A-Za-z0-9_:.\-]{1,40})"
)
#: Charsets of the web's; Python's own codecs beside them are slow or no text at all.
_KNOWN_CHARSET = re.compile(
    r"utf-?8|utf-?16(?:le|be)?|latin1|us-ascii|(?:windows-|cp)\d{3,4}|iso-?8859-\d{1,2}|koi8-[ru]"
    r"|gb2312|gbk|gb18030|big5(?:-?hkscs)?|euc-?(?:jp|kr)|ks_c_5601-1987|shift_jis|x-sjis"
    r"|iso-2022-jp|tis-620|macintosh"
)
_BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_ANY_MARK = tuple(_BYTE_ORDER_MARKS)
_CHARSET_WINDOW_BYTES = 4096
_LATE_WINDOW_BYTES = 500_000
_STRETCH_BYTES = 32_768
_CONTINUATIONS = bytes(range(0x80, 0xC0))
_UTF8 = frozenset({"utf-8", "utf8"})


def in_utf8(page: bytes, charset: str | None) -> bytes:
    """`page` in UTF-8: by byte order mark, the server's `charset`, the page's own, or UTF-8.

    A page that names no charset and is no UTF-8 is read as Windows-1252, as browsers do. Broken
    sequences of a page that calls itself UTF-8 stay in it; whoever decodes a piece replaces them.
    A page that is UTF-8 throughout and calls itself something else was saved anew by somebody: text
    in another charset is not UTF-8 by chance.
    """
    if page.startswith(_ANY_MARK):
        name = next(name for mark, name in _BYTE_ORDER_MARKS.items() if page.startswith(mark))
        return page.decode(name, "replace").encode("utf-8", "replace")
    named = _browser_name(charset or _named_in(page, _CHARSET_WINDOW_BYTES))
    if named is None:
        named = "utf-8" if _seems_utf8(page) else _named_late(page)
    if named in _UTF8 or (charset is None and _is_utf8(page)):
        return page
    try:
        return _recoded(page, named)
    except (LookupError, UnicodeError):
        return page


def _named_late(page: bytes) -> str:
    """The charset of a page that is no UTF-8 and names none at once, as browsers find it.

    They begin anew when they come upon a meta tag that names one, however late.
    """
    return _browser_name(_named_in(page, _LATE_WINDOW_BYTES)) or "cp1252"


def _named_in(page: bytes, window_bytes: int) -> str | None:
    """What the first meta tag in the page's beginning that names a charset calls it."""
    found = _META_CHARSET.search(page, 0, window_bytes)
    return found[1].decode("ascii") if found is not None else None


def _recoded(page: bytes, charset: str) -> bytes:
    """In stretches, since a whole page as text takes several times its size."""
    decoder = codecs.getincrementaldecoder(charset)("replace")
    starts = range(0, len(page), _STRETCH_BYTES)
    stretches = (page[start : start + _STRETCH_BYTES] for start in starts)
    parts = [decoder.decode(stretch).encode("utf-8", "replace") for stretch in stretches]
    return b"".join([*parts, decoder.decode(b"", final=True).encode("utf-8", "replace")])


def _seems_utf8(page: bytes) -> bool:
    """Whether the first stretch that is not ASCII is UTF-8; the rest will be like it."""
    for start in range(0, len(page), _STRETCH_BYTES):
        stretch = page[start : start + _STRETCH_BYTES]
        if not stretch.isascii():
            try:
                # What a stretch cuts in two is left aside.
                codecs.utf_8_decode(stretch.lstrip(_CONTINUATIONS), "strict", False)  # noqa: FBT003 (the codec's own signature)
            except UnicodeDecodeError:
                return False
            return True
    return True


def _is_utf8(page: bytes) -> bool:
    """Whether the whole page is UTF-8 and not ASCII, in which other charsets hide their letters."""
    if page.isascii():
        return False
    try:
        codecs.utf_8_decode(page, "strict", True)  # noqa: FBT003 (the codec's own signature)
    except UnicodeDecodeError:
        return False
    return True


@lru_cache(maxsize=64)
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
