"""Which currency is meant: ISO codes, signs, and the countries that a page belongs to."""

import re
from functools import cache

from bot.links.recognise.currencysigns import BEHIND_NUMBER, SIGNS
from bot.links.recognise.legaltender import TENDER
from wallet_core.money import known_currencies

_ALIASES = {"RUR": "RUB", "NIS": "ILS", "RMB": "CNY", "NTD": "TWD", "STG": "GBP", "BYR": "BYN",
            "CNH": "CNY", "TL": "TRY", "EURO": "EUR", "EUROS": "EUR"}  # fmt: skip

#: Languages at home in one country, which is meant where a page names none.
_HOMES = {
    "ja": "JP", "sv": "SE", "da": "DK", "nb": "NO", "nn": "NO", "no": "NO", "is": "IS",
    "hi": "IN", "be": "BY", "ne": "NP", "si": "LK", "fa": "IR", "ko": "KR", "th": "TH",
    "vi": "VN", "he": "IL", "iw": "IL", "tr": "TR", "pl": "PL", "cs": "CZ", "hu": "HU",
    "uk": "UA", "ka": "GE", "hy": "AM", "az": "AZ", "kk": "KZ", "mn": "MN", "id": "ID",
    "fil": "PH", "km": "KH", "lo": "LA", "my": "MM", "mk": "MK",
}  # fmt: skip
_MEANINGS = SIGNS | BEHIND_NUMBER
_CODE = re.compile(r"(?<![A-Za-z])[A-Z]{3}(?![A-Za-z])")
_LANG_REGION = re.compile(r"[-_]([A-Za-z]{2})\b")
_PATH_REGION = re.compile(r"/(?:[a-z]{2}[-_])?([a-z]{2})(?:[-_][a-z]{2})?(?=/)", re.IGNORECASE)
#: Country domains that the whole world uses for other reasons.
_NOT_COUNTRIES = frozenset(
    {"ai", "cc", "co", "fm", "gg", "io", "la", "ly", "me", "sh", "to", "tv", "ws", "eu"}
)


def currency_code(raw: object) -> str | None:
    """`raw` as an ISO 4217 code, None when it is none."""
    if not isinstance(raw, str):
        return None
    code = raw.strip().upper()
    code = _ALIASES.get(code, code)
    return code if len(code) == 3 and code in _codes() else None  # noqa: PLR2004 (ISO 4217)


def sign_in(text: str) -> str | None:
    """The currency sign or ISO code in `text`, as written; None when there is none."""
    # Most signs are of letters or marks that plain text cannot hold.
    is_plain = text.isascii() and "$" not in text
    found = (_plain_sign_pattern() if is_plain else _sign_pattern()).search(text)
    if found:
        sign = found.group()
        return sign if " " not in _MEANINGS[sign] else (code_beside(text, sign) or sign)
    # Three letters are anybody's word; only money that is paid with today is meant by them.
    code = _CODE.search(text)
    return code.group() if code and currency_code(code.group()) in _current() else None


def without_signs(text: str, currency: str | None = None) -> str:
    """`text` without signs and codes of currencies; that of `currency` may be in small letters."""
    bare = _sign_or_code().sub(" ", text)
    return re.sub(rf"\b{currency}\b", " ", bare, flags=re.IGNORECASE) if currency else bare


def code_beside(text: str, sign: str) -> str | None:
    """The ISO code that says in `text` which currency an ambiguous `sign` means."""
    meanings = _MEANINGS.get(sign, "").split()
    codes = {code for code in _CODE.findall(text) if code in meanings}
    return codes.pop() if len(codes) == 1 else None


def possible_currencies(sign: str) -> frozenset[str]:
    """Every ISO code that `sign` (a sign or a code, perhaps with more around it) can mean."""
    code = currency_code(sign)
    if code:
        return frozenset({code})
    known = sign if sign in _MEANINGS else (sign_in(sign) or "")
    code = currency_code(known)
    if code:
        return frozenset({code})
    return frozenset(_MEANINGS.get(known, "").split()) - {"-"}


def signs_of(currency: str) -> tuple[str, ...]:
    """The signs that mean `currency`, on some pages at least."""
    return tuple(sign for sign, meanings in _MEANINGS.items() if currency in meanings.split())


def currency_of_sign(sign: str, regions: tuple[str, ...]) -> str | None:
    """What `sign` means on a page of `regions` (country codes), None when that stays open."""
    code = currency_code(sign)
    if code:
        return code
    listed = _MEANINGS.get(sign, "").split()
    if len(listed) == 1 and listed[0] != "-":
        return listed[0]
    meant = {currency for region in regions for currency in tender(region)} & set(listed)
    if len(meant) == 1:
        return meant.pop()
    return listed[0] if listed and listed[0] != "-" and not meant else None


def tender(region: str) -> frozenset[str]:
    """The currencies that are legal tender today in a country, by its ISO 3166 code."""
    return TENDER.get(region, frozenset())


def page_regions(hostname: str, path: str, languages: tuple[str, ...]) -> tuple[str, ...]:
    """The countries a page names: its domain's, then its languages' (`en-CA`), then its path's.

    A page that names none is at home where its language is, if that is one country's.
    """
    regions: list[str] = []
    country = hostname.rpartition(".")[2]
    if len(country) == 2 and country not in _NOT_COUNTRIES:  # noqa: PLR2004 (ISO 3166)
        regions.append("GB" if country == "uk" else country.upper())
    for language in languages:
        found = _LANG_REGION.search(language)
        if found:
            regions.append(found[1].upper())
    if not regions:
        regions.extend(found[1].upper() for found in _PATH_REGION.finditer(path + "/"))
    named = tuple(dict.fromkeys(region for region in regions if tender(region)))
    return named or tuple(_HOMES[tag] for tag in languages[:1] if tag in _HOMES)


def sign_pattern() -> str:
    """A regular expression for every currency sign, the longest first."""
    return _sign_pattern().pattern


@cache
def code_pattern() -> str:
    """A regular expression for the ISO codes of money that is paid with today."""
    codes = "|".join(sorted(filter(None, _current())))
    return rf"(?<![A-Za-z])(?=[A-Z]{{3}}(?![A-Za-z]))(?:{codes})"


@cache
def _sign_or_code() -> re.Pattern[str]:
    return re.compile(rf"{sign_pattern()}|{code_pattern()}")


@cache
def _codes() -> frozenset[str]:
    # ISO 4217 has them for no currency and for testing.
    return known_currencies() - {"XXX", "XTS"}


@cache
def _current() -> frozenset[str | None]:
    return frozenset({"HRK", *(currency for paid in TENDER.values() for currency in paid)})


@cache
def _sign_pattern() -> re.Pattern[str]:
    return _pattern_of(list(SIGNS), list(BEHIND_NUMBER))


@cache
def _plain_sign_pattern() -> re.Pattern[str]:
    signs = [sign for sign in SIGNS if sign.isascii() and "$" not in sign]
    return _pattern_of(signs, list(filter(str.isascii, BEHIND_NUMBER)))


def _pattern_of(signs: list[str], behind: list[str]) -> re.Pattern[str]:
    """Signs, the longest first; those made of letters only where no other letter touches them.

    Those `behind` a number mean a currency only there.
    """
    ordered = sorted(signs, key=len, reverse=True)
    symbols = [re.escape(sign) for sign in ordered if not sign[0].isalpha() or "$" in sign]
    words = [re.escape(sign) for sign in ordered if sign[0].isalpha() and "$" not in sign]
    worded = rf"(?<![^\W\d_])(?:{'|'.join(words)})(?![^\W\d_])"
    short = "|".join(map(re.escape, sorted(behind, key=len, reverse=True)))
    behind_number = rf"(?:(?<=\d)|(?<=\d[ \u00a0]))(?:{short})(?![^\W\d_])"
    # Most characters begin no sign, which is told quickest by themselves.
    begins = re.escape("".join({sign[0] for sign in (*signs, *behind)}))
    return re.compile(rf"(?=[{begins}])(?:{'|'.join([*symbols, worded, behind_number])})")
