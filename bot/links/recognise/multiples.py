"""Amounts that are written with a word for a power of ten: `1.2万`, `3만 5천`, `2.5 lakh`."""

import re
from collections.abc import Callable
from decimal import Decimal

#: Chinese, Japanese and Korean units, which follow each other: 1億2,000万.
_CJK = {"千": 10**3, "천": 10**3, "万": 10**4, "萬": 10**4, "만": 10**4, "亿": 10**8,
        "億": 10**8, "억": 10**8}  # fmt: skip
#: Elsewhere one word follows the number.
_WORDS = {
    10**3: "k tis tys тыс тис mijë nghìn ngàn ribu rb พัน हज़ार हजार হাজার elfu duizend tausend "
    "tsd thousand mila mille mil bin ألف آلاف هزار",
    10**5: "lakh lakhs lac lacs लाख লাখ লক্ষ ਲੱਖ લાખ ലക്ഷം లక్షలు ലക്ഷം لاکھ",
    10**6: "M mio mln млн million millions millionen millón millones milhão milhões milione "
    "milioni miljoen miljoner milioane triệu juta jt milyon مليون میلیون ล้าน",
    10**7: "crore crores cr करोड़ कोटी কোটি ਕਰੋੜ કરોડ کروڑ",
    10**9: "mrd mld млрд billion miljard milliarden tỷ milyar مليار میلیارد",
}
_VALUE = {word.casefold(): value for value, words in _WORDS.items() for word in words.split()}
_PLAIN_VALUES = frozenset(filter(str.isascii, _VALUE))
_PLAIN_WORD = re.compile(r"[a-z]+")
_NUMBER = r"\d(?:[\d.,']{0,15}\d)?"
_IN_CJK = re.compile(rf"(?<![\d.,'])({_NUMBER}) ?([{''.join(_CJK)}])(?!里)")
_LONGEST_FIRST = "|".join(sorted(map(re.escape, _VALUE), key=len, reverse=True))
_WORDED = re.compile(
    rf"(?<![\d.,'])({_NUMBER})(?: ?({_LONGEST_FIRST})\b\.?)",
    re.IGNORECASE,
)
_KANJI = re.compile(r"[〇零一二两兩三四五六七八九十百千万萬億亿]{1,20}(?= ?(?:円|元|块|圓|圆))")
_KANJI_DIGITS = {
    char: value
    for value, chars in enumerate(
        ("〇零", "一", "二两兩", "三", "四", "五", "六", "七", "八", "九")
    )
    for char in chars
}
_KANJI_UNITS = {"十": 10, "百": 100, "千": 1000}


def in_multiples(text: str, read: Callable[[str], Decimal | None]) -> Decimal | None:
    """The amount in `text` when it is written with such a word; `read` reads its plain numbers."""
    if text.isascii():
        # None of these scripts; a word must be one of a few.
        if _PLAIN_VALUES.isdisjoint(_PLAIN_WORD.findall(text.lower())):
            return None
    elif not any(map(str.isalpha, text)):
        return None
    if any(unit in text for unit in _CJK):
        return _in_cjk(text, read) or _in_kanji(text)
    worded = _WORDED.search(text)
    if worded is None:
        return _in_kanji(text)
    if worded[2].isascii() and len(worded[2]) == 1 and worded[1] + worded[2] not in text:
        return None  # A blank parts them: `5 M` is rather a size.
    number = read(worded[1])
    return number * _VALUE[worded[2].casefold()] if number is not None else None


def _in_cjk(text: str, read: Callable[[str], Decimal | None]) -> Decimal | None:
    found = list(_IN_CJK.finditer(text))
    if not found:
        return None
    total, end = Decimal(0), found[0].start()
    value = 0
    for match in found:
        if value and (match.start() - end > 1 or _CJK[match[2]] >= value):
            return None  # A second amount.
        number = _pointed(match[1], read)
        if number is None:
            return None
        value, end = _CJK[match[2]], match.end()
        total += number * value
    rest = re.match(rf" ?({_NUMBER})", text[end:])
    if rest is not None:
        number = read(rest[1])
        if number is None or number >= value:
            return None
        total += number
    return total


def _pointed(number: str, read: Callable[[str], Decimal | None]) -> Decimal | None:
    """In these scripts the point is always the decimal mark: 1.234万 is 12,340."""
    whole, point, fraction = number.partition(".")
    if point and fraction.isdigit():
        return (
            Decimal(f"{whole.replace(',', '')}.{fraction}")
            if whole.replace(",", "").isdigit()
            else None
        )
    return read(number)


def _in_kanji(text: str) -> Decimal | None:
    """`三千五百円`, where no digit stands beside it."""
    if text.isascii() or any(char.isdigit() and char.isascii() for char in text):
        return None
    found = _KANJI.search(text)
    if found is None:
        return None
    total = section = digit = 0
    for char in found.group():
        if char in _KANJI_DIGITS:
            digit = digit * 10 + _KANJI_DIGITS[char]
        elif char in _KANJI_UNITS:
            section, digit = section + (digit or 1) * _KANJI_UNITS[char], 0
        else:
            total, section, digit = total + (section + digit or 1) * _CJK[char], 0, 0
    return Decimal(total + section + digit) or None
