"""Which currency a page most likely means by a sign that it shares with others, or by none at all.

What comes of a sign alone is a guess, which the verdict says; it may be shown, but not be paid.
"""

import re
from functools import cache

from bot.links.recognise.currencies import signs_of, tender
from bot.links.recognise.facts import PageFacts
from bot.links.recognise.namedcurrency import countries_in_fields

#: Countries whose money has the same sign, as they are called in pages, by that money.
_DOLLAR_COUNTRIES = (
    rb"Canad|CANAD|Austral|AUSTRAL|New Zealand|NEW ZEALAND|Singapore|SINGAPORE|Hong ?Kong|HONG KONG"
    rb"|Taiwan|TAIWAN|(?<!New )Mexico|M\xc3\xa9xico|(?<!NEW )MEXICO|Argentin|Colombia|Chile\b"
    rb"|Uruguay|Jamaica|Trinidad|Barbados|Bahamas|Bermuda|Belize|Guyana|Fiji|Namibia|Dominican"
    rb"|Brunei|Cuba\b|Suriname|Liberia|(?<![A-Z])(?:CAD|AUD|NZD|SGD|HKD|TWD|MXN)(?![A-Z])"
)
_OTHER_DOLLARS = re.compile(
    rb"(?=[ABCDFGHJLMNSTU])(?:" + _DOLLAR_COUNTRIES + rb")"
    rb"|\b(?:en|fr|es|zh)[-_](?:[cC][aA]|[aA][uU]|[nN][zZ]|[sS][gG]|[hH][kK]|[tT][wW]|[mM][xX])\b"
)
#: What shops of the United States write: where they are and deliver, and how they are called up.
_UNITED_STATES = re.compile(
    rb"(?=[UAHclL1(,0-9])(?:\bUSA\b|\bU\.S\.|\bUnited States\b|\bUSPS\b|\bAlaska\b|\bHawaii\b"
    rb"|\bcontiguous\b|[lL]ower 48\b|(?<![0-9.+])1?[-. ]?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[-.])"
    rb"[2-9][0-9]{2}[-. ][0-9]{4}(?![0-9.])|, [A-Z]{2} [0-9]{5}(?![0-9]))"
)
_PESO_COUNTRIES = {
    b"Argentina": "ARS", b"Chile": "CLP", b"Colombia": "COP", b"M\xc3\xa9xico": "MXN",
    b"Uruguay": "UYU",
}  # fmt: skip
_RUPEE_COUNTRIES = {
    b"India": "INR", b"Pakistan": "PKR", b"Sri Lanka": "LKR", b"Nepal": "NPR",
    b"Mauritius": "MUR", b"Seychelles": "SCR",
}  # fmt: skip
_DOLLARS = frozenset({"$", "＄"})
_RUPEES = frozenset({"Rs", "Rs.", "₨"})
#: Money that is mostly told in another unit: ten Iranian rials are a toman, and no sign may say so.
_TOLD_IN_OTHERS = frozenset({"IRR"})
#: Words that hardly an English text is without.
_ENGLISH = frozenset({"the", "and", "of", "for", "with", "this", "your", "is", "in", "to"})
_ENGLISH_MIN = 4
_YEN_SIGNS = frozenset({"¥", "￥"})
#: Japanese is written with syllables between its Chinese characters, Chinese never is.
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_HAN = re.compile("[\u4e00-\u9fff]")
_KANA_MIN = 8
_HAN_MIN = 30
#: So much of a page is gone through, from its beginning and up to its end, where shops say who
#: they are.
_SIDE_BYTES = 200_000
_GUESSED = " is a guess."


def guessed_currency(sign: str, facts: PageFacts, page: bytes) -> str | None:
    """What `sign` most likely means on a page that does not say so; None when that stays open.

    A page that writes `$` and speaks of no other country with a dollar means that of the United
    States, if it speaks of them, or if it is in English and its scripts name no other country.
    """
    sides = page if len(page) <= 2 * _SIDE_BYTES else page[:_SIDE_BYTES] + page[-_SIDE_BYTES:]
    if sign in _RUPEES:
        return _only_named(_RUPEE_COUNTRIES, sides)
    if sign in _YEN_SIGNS and not facts.regions:
        return _by_script(facts)
    if sign not in _DOLLARS or facts.regions:
        return None
    language = facts.language[:2].lower() or ("en" if _is_english(facts) else "")
    if language == "es":
        return _only_named(_PESO_COUNTRIES, sides)
    if language not in ("en", "") or _OTHER_DOLLARS.search(sides) is not None:
        return None
    if _UNITED_STATES.search(sides) is not None:
        return "USD"
    return "USD" if language and countries_in_fields(page) <= {"US"} else None


def _is_english(facts: PageFacts) -> bool:
    """Whether what stands behind the heading of a page without a language is in English."""
    words = set(facts.behind_name.lower().split())
    return facts.behind_name.isascii() and len(words & _ENGLISH) >= _ENGLISH_MIN


def _by_script(facts: PageFacts) -> str | None:
    """The yuan where a page without a country is written in Chinese, the yen in Japanese."""
    text = " ".join((*facts.titles, facts.behind_name))
    kana = len(_KANA.findall(text))
    if kana >= _KANA_MIN:
        return "JPY"
    return "CNY" if not kana and len(_HAN.findall(text)) >= _HAN_MIN else None


def doubt_of_guess(sign: str, currency: str) -> str:
    """What is said of a currency that was guessed."""
    return f"The page shows “{sign}”; that it means {currency}{_GUESSED}"


def is_guess(doubt: str) -> bool:
    """Whether a doubt is of that kind."""
    return doubt.endswith(_GUESSED)


def local_currency(facts: PageFacts, page: bytes) -> str | None:
    """The currency of a price without a sign: the country's own, if the page writes it, too."""
    own = {currency for region in facts.regions for currency in tender(region)}
    if len(own) != 1 or not own.isdisjoint(_TOLD_IN_OTHERS):
        return None
    currency = own.pop()
    return currency if _money_in(currency).search(page) is not None else None


def _only_named(countries: dict[bytes, str], page: bytes) -> str | None:
    """The currency of the only one of these countries that a page names."""
    named = {currency for country, currency in countries.items() if country in page}
    return named.pop() if len(named) == 1 else None


@cache
def _money_in(currency: str) -> re.Pattern[bytes]:
    """An amount with a sign of `currency`, or its code, beside it; or the code by itself."""
    entities = {"€": b"&euro;", "£": b"&pound;", "¥": b"&yen;"}
    written = [re.escape(sign.encode()) for sign in (*signs_of(currency), currency)]
    written += [entities[sign] for sign in signs_of(currency) if sign in entities]
    either = b"|".join(written)
    blanks = rb"(?: |&nbsp;|\xc2\xa0)?"
    return re.compile(
        rb"[0-9]%b(?:%b)(?![A-Za-z])|(?<![A-Za-z])(?:%b)%b[0-9]|>\s{0,20}%b\s{0,20}<"
        % (blanks, either, either, blanks, currency.encode())
    )
