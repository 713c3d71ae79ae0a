"""Which currency is meant: ISO codes, signs, and the countries that a page belongs to."""

import re
from functools import cache

from bot.links.recognise.legaltender import TENDER
from wallet_core.money import known_currencies

_ALIASES = {"RUR": "RUB", "NIS": "ILS", "RMB": "CNY", "NTD": "TWD", "STG": "GBP", "BYR": "BYN",
            "CNH": "CNY", "TL": "TRY", "EURO": "EUR", "EUROS": "EUR"}  # fmt: skip

_DOLLARS = (
    "USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP UYU BBD BMD BND BSD BZD FJD GYD JMD KYD LRD "
    "NAD SBD SRD TTD XCD DOP CUP"
)
#: Signs and what they can mean; the first is meant where the page tells nothing, `-` is unknown.
_SIGNS = {
    "€": "EUR", "₹": "INR", "₽": "RUB", "руб": "RUB BYN", "₩": "KRW", "￦": "KRW", "원": "KRW",
    "円": "JPY", "zł": "PLN", "ZŁ": "PLN", "Kč": "CZK", "KČ": "CZK", "kč": "CZK", "Ft": "HUF",
    "lei": "RON MDL", "Lei": "RON MDL", "LEI": "RON MDL", "лв": "BGN", "₴": "UAH",
    "грн": "UAH", "₺": "TRY", "TL": "TRY", "₪": "ILS", "₱": "PHP", "฿": "THB", "บาท": "THB",
    "₫": "VND", "VNĐ": "VND", "đ": "VND", "₸": "KZT", "₾": "GEL", "₦": "NGN", "₵": "GHS",
    "₡": "CRC", "₲": "PYG", "₼": "AZN", "֏": "AMD", "৳": "BDT", "R$": "BRL", "US$": "USD",
    "U$S": "USD", "US $": "USD", "A$": "AUD", "AU$": "AUD", "AU $": "AUD", "C$": "CAD",
    "CA$": "CAD", "CDN$": "CAD",
    "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "NT$": "TWD", "MX$": "MXN", "RM": "MYR",
    "Rp": "IDR", "S/": "PEN", "KSh": "KES", "د.إ": "AED", "ر.س": "SAR", "kn": "HRK",
    "Kn": "HRK", "din": "- RSD MKD", "дин": "RSD", "Fr.": "CHF", "SFr.": "CHF", "CN¥": "CNY",
    "JP¥": "JPY", "SG$": "SGD", "RD$": "DOP", "TT$": "TTD", "BZ$": "BZD", "J$": "JMD", "N$": "NAD",
    "MX $": "MXN", "B/.": "PAB", "E£": "EGP", "L.E": "EGP", "ج.م": "EGP", "جنيه": "EGP SDG",
    "د.ك": "KWD", "د.ب": "BHD", "د.ا": "JOD", "د.أ": "JOD", "د.ت": "TND", "د.ج": "DZD",
    "د.م": "MAD", "د.ع": "IQD", "د.ل": "LYD", "ر.ق": "QAR", "ر.ع": "OMR", "ر.ي": "YER",
    "ل.ل": "LBP", "درهم": "- AED MAD", "ريال": "- SAR QAR OMR YER IRR",
    "دينار": "- KWD BHD JOD IQD TND DZD LYD", "₭": "LAK", "៛": "KHR", "₮": "MNT",
    "тенге": "KZT", "тг": "KZT", "сум": "UZS", "сўм": "UZS", "soʻm": "UZS", "so'm": "UZS",
    "сом": "KGS", "ден": "MKD", "ლარი": "GEL", "դրամ": "AMD", "đồng": "VND", "vnđ": "VND",
    "টাকা": "BDT", "Tk": "BDT", "රු": "LKR", "रु": "- INR NPR", "रू": "- INR NPR",
    "FCFA": "- XOF XAF", "CFA": "- XOF XAF", "Ksh": "KES", "KShs": "KES", "Kshs": "KES",
    "Euro": "EUR", "euro": "EUR", "EURO": "EUR", "Euros": "EUR", "euros": "EUR", "Php": "PHP",
    "TSh": "TZS", "USh": "UGX", "£": "GBP EGP LBP SYP SDG",
    "$": f"- {_DOLLARS}", "＄": f"- {_DOLLARS}",
    "kr": "- SEK NOK DKK ISK", "Kr": "- SEK NOK DKK ISK", "kr.": "- SEK NOK DKK ISK",
    "¥": "- CNY JPY", "￥": "- CNY JPY", "元": "- CNY TWD HKD", "Rs": "- INR PKR LKR NPR MUR SCR",
    "Rs.": "- INR PKR LKR NPR MUR SCR", "₨": "- INR PKR LKR NPR MUR SCR", "R": "- ZAR",
    "﷼": "- IRR SAR QAR OMR YER",
}  # fmt: skip
#: Words so short that they mean a currency only behind a number.
_BEHIND_NUMBER = {
    "р": "RUB BYN", "Р": "RUB BYN", "р.": "RUB BYN", "Р.": "RUB BYN", "DT": "TND", "DA": "DZD",
    "DH": "- MAD AED", "Dh": "- MAD AED", "dh": "- MAD AED", "DHS": "- MAD AED",
    "Dhs": "- MAD AED", "dhs": "- MAD AED", "KD": "- KWD", "SR": "- SAR SCR", "zl": "PLN",
    "KM": "BAM", "LE": "EGP", "złotych": "PLN", "forint": "HUF", "Br": "- BYN ETB",
    "Bs": "- BOB VES",
}  # fmt: skip
#: Languages at home in one country, which is meant where a page names none.
_HOMES = {"ja": "JP", "sv": "SE", "da": "DK", "nb": "NO", "nn": "NO", "no": "NO", "is": "IS",
          "hi": "IN", "be": "BY", "ne": "NP", "si": "LK", "fa": "IR"}  # fmt: skip
_MEANINGS = _SIGNS | _BEHIND_NUMBER
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
    if len(listed) == 1:
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
def _codes() -> frozenset[str]:
    return known_currencies() - {"XXX", "XTS"}


@cache
def _current() -> frozenset[str | None]:
    return frozenset({"HRK", *(currency for paid in TENDER.values() for currency in paid)})


@cache
def _sign_pattern() -> re.Pattern[str]:
    return _pattern_of(list(_SIGNS), list(_BEHIND_NUMBER))


@cache
def _plain_sign_pattern() -> re.Pattern[str]:
    signs = [sign for sign in _SIGNS if sign.isascii() and "$" not in sign]
    return _pattern_of(signs, list(filter(str.isascii, _BEHIND_NUMBER)))


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
