"""The text of a page in any charset: byte order mark, the server's word, the page's, or a guess.

Names are read as browsers read them (the Encoding standard): `gb2312` is GB 18030, `iso-8859-1` is
windows-1252. Where nobody names a charset, or what is named cannot be, the bytes are looked at:
each writing's common characters lie in a narrow band of its charset.
"""

import re
from collections.abc import Iterator

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_HEAD_BYTES = 4096
#: From here on two bytes are one letter.
_JAPANESE_SHIFTS = (b"\x1b$B", b"\x1b$@")
_IN_META = re.compile(
    rb"<meta[^<>]{0,300}?charset\s{0,20}=\s{0,20}[\"']?\s{0,20}([A-Za-z0-9_:.\-]{1,40})",
    re.IGNORECASE,
)
_IN_XML = re.compile(
    rb"\A\s{0,20}<\?xml[^<>]{0,200}?encoding\s{0,9}=\s{0,9}[\"']([A-Za-z0-9_.\-]+)"
)
_LANGUAGE = re.compile(
    rb"<html[^<>]{0,500}?\slang\s{0,9}=\s{0,9}[\"']?([A-Za-z]{2,3}(?:-[A-Za-z]+)?)", re.IGNORECASE
)
_SAMPLE_BYTES = 200_000

#: Labels of the Encoding standard, by the codec that reads them.
_LABELS = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8",
    "utf-16-le": "utf-16 utf-16le ucs-2 unicode csunicode iso-10646-ucs-2 unicodefeff",
    "utf-16-be": "utf-16be unicodefffe",
    "cp1252": "windows-1252 cp1252 x-cp1252 iso-8859-1 iso8859-1 iso88591 latin1 l1 us-ascii ascii",
    "cp1250": "windows-1250 cp1250 x-cp1250",
    "cp1251": "windows-1251 cp1251 x-cp1251",
    "cp1253": "windows-1253 cp1253 x-cp1253",
    "cp1254": "windows-1254 cp1254 x-cp1254 iso-8859-9 iso8859-9 latin5 l5",
    "cp1255": "windows-1255 cp1255 x-cp1255",
    "cp1256": "windows-1256 cp1256 x-cp1256",
    "cp1257": "windows-1257 cp1257 x-cp1257",
    "cp1258": "windows-1258 cp1258 x-cp1258",
    "cp874": "windows-874 tis-620 iso-8859-11 dos-874",
    "cp866": "ibm866 866 cp866 csibm866",
    "iso8859-2": "iso-8859-2 iso8859-2 latin2 l2",
    "iso8859-3": "iso-8859-3 iso8859-3 latin3 l3",
    "iso8859-4": "iso-8859-4 iso8859-4 latin4 l4",
    "iso8859-5": "iso-8859-5 iso8859-5 cyrillic",
    "iso8859-6": "iso-8859-6 iso8859-6 arabic",
    "iso8859-7": "iso-8859-7 iso8859-7 greek greek8",
    "iso8859-8": "iso-8859-8 iso8859-8 iso-8859-8-i hebrew visual logical",
    "iso8859-10": "iso-8859-10 iso8859-10 latin6 l6",
    "iso8859-13": "iso-8859-13 iso8859-13",
    "iso8859-14": "iso-8859-14 iso8859-14",
    "iso8859-15": "iso-8859-15 iso8859-15 l9",
    "iso8859-16": "iso-8859-16",
    "koi8-r": "koi8-r koi8 koi koi8_r cskoi8r",
    "koi8-u": "koi8-u koi8-ru",
    "mac-roman": "macintosh mac x-mac-roman csmacintosh",
    "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "gb18030": "gb18030 gbk x-gbk gb2312 gb_2312 gb_2312-80 chinese csgb2312 iso-ir-58",
    "big5hkscs": "big5 big5-hkscs cn-big5 x-x-big5 csbig5",
    "euc_jis_2004": "euc-jp x-euc-jp cseucpkdfmtjapanese",
    "cp932": "shift_jis shift-jis sjis x-sjis windows-31j ms932 ms_kanji csshiftjis",
    "iso2022_jp": "iso-2022-jp csiso2022jp",
    "cp949": "euc-kr cp949 ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 korean windows-949",
}  # fmt: skip
_CODECS = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}
#: What browsers take for granted in a language when nothing is named.
_BY_LANGUAGE = {
    "ru": "cp1251", "uk": "cp1251", "be": "cp1251", "bg": "cp1251", "sr": "cp1251", "mk": "cp1251",
    "el": "cp1253", "gr": "cp1253", "tr": "cp1254", "az": "cp1254", "he": "cp1255", "il": "cp1255",
    "ar": "cp1256", "fa": "cp1256", "ur": "cp1256", "et": "cp1257", "ee": "cp1257", "lv": "cp1257",
    "lt": "cp1257", "vi": "cp1258", "vn": "cp1258", "th": "cp874", "pl": "cp1250", "cs": "cp1250",
    "cz": "cp1250", "sk": "cp1250", "hu": "cp1250", "sl": "cp1250", "hr": "cp1250", "ro": "cp1250",
    "sq": "cp1250",
}  # fmt: skip
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_BROKEN_SHARE_MAX = 0.1
_SMALL_IN_KOI = range(0xC0, 0xE0)
_ENOUGH = 0.9
_MANY = 0.2
_SURE = 0.6


def page_text(body: bytes, charset: str | None = None, *, country: str = "") -> tuple[str, str]:
    """The text of a page and the codec that it was read with; never raises.

    `charset` is the server's word. `country` (`ru`, `gr`) is the page's top-level domain, a hint
    for the case that nobody names a charset.
    """
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(codec, "replace"), codec
    shows = _shows_itself(body)
    for codec in [shows] if shows else _candidates(body, charset, country):
        try:
            return body.decode(codec), codec
        except UnicodeDecodeError:
            if codec == "utf-8" and (nearly := _nearly_utf8(body)) is not None:
                return nearly, codec
    codec = shows or codec_of(charset) or _in_page(body) or "utf-8"
    return body.decode(codec, "replace"), codec


def _shows_itself(body: bytes) -> str | None:
    """The codec of a page that no other one can be the codec of, whatever is said about it."""
    sample = body[:_HEAD_BYTES]
    for codec, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        # Its tags have a zero beside each letter, and nothing else has zeros on one side only.
        if zeros and zeros.count(0) > len(zeros) * _MANY and sample.count(0) == zeros.count(0):
            return codec
    return "iso2022_jp" if any(shift in body for shift in _JAPANESE_SHIFTS) else None


def _nearly_utf8(body: bytes) -> str | None:
    """The text, where some bytes are broken but what is not ASCII reads as UTF-8 almost always."""
    text = body.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    foreign = sum(map(len, _FOREIGN.findall(text)))
    return text if broken <= (foreign - broken) * _BROKEN_SHARE_MAX else None


def codec_of(charset: str | None) -> str | None:
    """The codec that browsers use under a name; None for a name that the web does not know."""
    return _CODECS.get(charset.strip().strip("\"'").lower()) if charset else None


def _candidates(body: bytes, charset: str | None, country: str) -> Iterator[str]:
    """Codecs from the likeliest; the first that reads every byte is taken."""
    named = [codec for codec in (codec_of(charset), _in_page(body)) if codec]
    yield from named
    yield "utf-8"
    if named and named[0] != "utf-8":
        return  # One bad byte in a page does not make its name wrong.
    sample = body[:_SAMPLE_BYTES]
    double = _double_byte(sample)
    if double:
        yield double
    yield _single_byte(sample, country)


def _in_page(body: bytes) -> str | None:
    head = body[:_HEAD_BYTES]
    found = _IN_META.search(head) or _IN_XML.search(head)
    codec = codec_of(found[1].decode("ascii")) if found else None
    # A page whose ASCII can be read to find this name is not in UTF-16, whatever it says.
    return "utf-8" if codec in {"utf-16-le", "utf-16-be"} else codec


def _double_byte(sample: bytes) -> str | None:
    """The East Asian charset whose common characters the bytes are, if they are one's."""
    pairs = _pairs(sample)
    if not pairs:
        return None
    total = len(pairs)

    def share(leads: range, trails: range = range(0xA1, 0xFF)) -> float:
        return sum(lead in leads and trail in trails for lead, trail in pairs) / total

    if _kana_share(sample) > _MANY:
        return "cp932"
    if share(range(0xA4, 0xA6)) > _MANY:
        return "euc_jis_2004"
    if share(range(0xA1, 0xC7), range(0x40, 0x7F)) > _MANY:
        return "big5hkscs"
    if share(range(0xB0, 0xC9)) + share(range(0xA1, 0xA4)) > _ENOUGH and b" " in sample:
        return "cp949"
    if share(range(0xB0, 0xF8)) + share(range(0xA1, 0xA4)) > _ENOUGH:
        return "gb18030"
    return None


def _pairs(sample: bytes) -> list[tuple[int, int]]:
    """High bytes and what follows each, as double-byte charsets pair them; [] for a lone one."""
    pairs = []
    position, end = 0, len(sample) - 1
    high = re.compile(rb"[\x80-\xff]")
    while (found := high.search(sample, position)) and found.start() < end:
        pair = sample[found.start() : found.start() + 2]
        if pair[1] < ord("@"):
            return []
        pairs.append((pair[0], pair[1]))
        position = found.end() + 1
    return pairs


def _kana_share(sample: bytes) -> float:
    """How much of the high bytes would be kana in Shift_JIS."""
    kana = len(re.findall(rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]", sample))
    high = len(re.findall(rb"[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]", sample))
    return kana / high if high else 0.0


def _single_byte(sample: bytes, country: str) -> str:
    language = _LANGUAGE.search(sample[:_HEAD_BYTES])
    hint = language[1].decode("ascii").lower().partition("-")[0] if language else ""
    by_hint = _BY_LANGUAGE.get(hint) or _BY_LANGUAGE.get(country.lower())
    high = re.findall(rb"[\x80-\xff]", sample)
    letters = len(re.findall(rb"[A-Za-z\x80-\xff]", re.sub(rb"<[^<>]{0,2000}>", b"", sample)))
    if by_hint != "cp1251" and (by_hint or not high or len(high) < letters * _MANY):
        return by_hint or "cp1252"
    # Cyrillic: small letters, the most of any text, lie high in windows-1251 and low in KOI8.
    small_koi = sum(char[0] in _SMALL_IN_KOI for char in high) / len(high) if high else 0.0
    return "koi8-r" if small_koi > _SURE else "cp1251"
