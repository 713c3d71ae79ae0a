"""What a text says of a stock, in any language that the word lists know."""

import re
from collections.abc import Iterable

from bot.links.recognise.stockwords import (
    BACK_ORDER,
    IN_STOCK,
    IN_STOCK_ALONE,
    LABELS,
    NEARLY_GONE,
    PRE_ORDER,
    SOLD_OUT,
    SOLD_OUT_ALONE,
    TELL_ME_WHEN_BACK,
)

#: Where one of them stands, what is said to be there may not be.
_NEGATION = re.compile(
    r"\b(?:not?|nicht|keine?|non|não|sem|sin|pas|plus(?! que\b)|ni|niso|nima|nu|ei|ej|inte|ikke"
    r"|ikkje|ekki|niet|geen|nie|není|ne|nema|nije|nisu|nebud\w*|nem|nincs|nav|nėra|neturi\w*|pole|puudub"
    r"|ez|nuk|нет|не|нема|немає|нама|није|няма|жоқ|δεν|μη|yok\w*|yox\w*|değil\w*|không|chưa|hết"
    r"|tidak|belum|tiada|لا|غير|ليس|ليست|نیست|نمی\w*|אין|אינו|לא)\b"
    r"|[无無没沒欠切非未缺]|不可|ません|ない|없|않|못|불가|ไม่|नहीं|নেই|არ |არა|ոչ|үгүй"
    r"|yo['\u2018\u02bb]q"
)
_MARKS = " \u00a0.,:;!?：。！-–—*()[]✓✔✗✘"


def _by_first_mark(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Those of `words` that plain letters cannot write, by the first that is none in each."""
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        mark = next((char for char in word if not char.isascii()), None)
        if mark is not None:
            found[mark] = (*found.get(mark, ()), word)
    return found


_SOLD_OUT_PLAIN = tuple(filter(str.isascii, SOLD_OUT))
_SOLD_OUT_BY_MARK = _by_first_mark(SOLD_OUT)
_TELL_ME_PLAIN = tuple(filter(str.isascii, TELL_ME_WHEN_BACK))
_NEARLY = re.compile("|".join(map(re.escape, NEARLY_GONE)))
_AHEAD = ((PRE_ORDER, "PreOrder"), (BACK_ORDER, "BackOrder"))


def said_availability(text: str) -> str | None:
    """schema.org's word for what `text` says of a stock; None where it says nothing, or both."""
    lowered = in_lower_case(text)
    alone = lowered.strip(_MARKS)
    if says_gone(lowered) or "unavailable" in lowered:
        return "OutOfStock"
    if _NEARLY.search(lowered) or alone in IN_STOCK_ALONE:
        return "InStock"
    for words, meant in _AHEAD:
        if any(map(lowered.__contains__, words)):
            return meant
    if alone in LABELS or not any(map(lowered.__contains__, IN_STOCK)):
        return None
    return None if _NEGATION.search(lowered) else "InStock"


def says_gone(text: str) -> bool:
    """Whether `text`, or one of its lines by itself, says that something is gone."""
    lowered = in_lower_case(text)
    if not SOLD_OUT_ALONE.isdisjoint(line.strip(_MARKS) for line in lowered.splitlines()):
        return True
    # Whatever is nearly gone is not, and hardly anything is.
    return _names_gone(lowered) and _names_gone(_NEARLY.sub(" ", lowered))


def tells_when_back(text: str) -> bool:
    """Whether `text` offers to tell when something is there again."""
    lowered = in_lower_case(text)
    words = _TELL_ME_PLAIN if lowered.isascii() else TELL_ME_WHEN_BACK
    return any(map(lowered.__contains__, words))


def in_lower_case(text: str) -> str:
    """In lower case; Turkish has a dot on a capital letter that no other language has there."""
    lowered = text.lower()
    return lowered if lowered.isascii() else lowered.replace("i\u0307", "i")


def _names_gone(lowered: str) -> bool:
    if any(map(lowered.__contains__, _SOLD_OUT_PLAIN)):
        return True
    if lowered.isascii():
        return False
    # Most words are in scripts that the text does not hold.
    marks = _SOLD_OUT_BY_MARK.keys() & set(lowered)
    return any(word in lowered for mark in marks for word in _SOLD_OUT_BY_MARK[mark])
