"""Which currency a page names beside its prices, where their sign can mean several."""

import re
from functools import lru_cache

from bot.links.recognise.currencies import currency_code, currency_of_sign, possible_currencies
from bot.links.recognise.facts import PageFacts
from bot.links.recognise.markup import text_of
from bot.links.recognise.values import path_of

#: Begins with what all spellings share, which makes the search fast.
_CURRENCY_FIELD = re.compile(
    rb"urrency(?:[-_]?(?:[cC]ode|[iI]d|[iI][sS][oO])){0,2}(?:\\?[\"'])?\s{0,3}[:=]\s{0,3}"
    rb"(?:\{[^{}]{0,120}?\b(?:iso_code|code|active)\\?[\"']?\s{0,3}:\s{0,3})?"
    rb"\\?[\"']([A-Za-z]{3})\\?[\"']"
)
#: The same in capital letters, as Bitrix has it.
_CAPITAL_FIELD = re.compile(
    rb"URRENCY(?:_CODE|_ID)?(?:\\?[\"'])?\s{0,3}[:=]\s{0,3}\\?[\"']([A-Z]{3})\\?[\"']"
)
_COUNTRY_FIELD = re.compile(
    rb"ountry(?:[-_]?(?:[cC]ode|[nN]ame))?(?:\\?[\"'])?\s{0,3}[:=]\s{0,3}"
    rb"\\?[\"']([A-Z]{2}|[A-Z][A-Za-z ]{3,20})\\?[\"']"
)
#: Countries whose currencies share their signs with those of others, as they are called there.
_COUNTRIES = {
    "argentina": "AR", "australia": "AU", "canada": "CA", "chile": "CL", "china": "CN",
    "colombia": "CO", "danmark": "DK", "denmark": "DK", "hong kong": "HK", "iceland": "IS",
    "india": "IN", "japan": "JP", "mexico": "MX", "nepal": "NP", "new zealand": "NZ",
    "norge": "NO", "norway": "NO", "pakistan": "PK", "singapore": "SG", "south africa": "ZA",
    "sri lanka": "LK", "sverige": "SE", "sweden": "SE", "taiwan": "TW", "united states": "US",
    "united states of america": "US", "uruguay": "UY",
}  # fmt: skip
_LANGUAGE_LINK = re.compile(rb"<link\b[^<>]{0,600}\bhreflang[^<>]{0,600}>", re.IGNORECASE)
_LANGUAGE = re.compile(rb"\bhreflang\s{0,3}=\s{0,3}[\"']?[A-Za-z]{2,3}[-_]([A-Za-z]{2})\b")
_TARGET = re.compile(rb"\bhref\s{0,3}=\s{0,3}[\"']?([^\"'\s<>]{1,500})")
#: A code by itself, beside an amount, or in what people are told of prices; three letters in
#: running text may be anybody's initials.
_CODE = re.compile(
    rb"(?<=[\"'>(])[A-Z]{3}(?=[\"'<)])|(?:(?<=[\d$])|(?<=[\d$] ))[A-Z]{3}(?![A-Za-z0-9_+/=-])"
    rb"|(?<![A-Za-z0-9_+/=-])[A-Z]{3}(?= ?[\d$]| [dD]ollar)"
    rb"|(?:(?<= in )|(?<=[A-Z]{3} or )|(?<=[A-Z]{3} and ))[A-Z]{3}(?![A-Za-z0-9_+/=-])"
)
_FIELDS_MAX = 50
_LINKS_MAX = 200
_CODES_MAX = 20_000


def named_currency(sign: str | None, facts: PageFacts, page: bytes) -> str | None:
    """The currency that the page's fields, or else its country, say that `sign` means.

    Without a sign only a field that names a currency counts.
    """
    field = _currency_in_fields(_CURRENCY_FIELD, page) or _currency_in_fields(_CAPITAL_FIELD, page)
    if field and (sign is None or field in possible_currencies(sign)):
        return field
    if sign is None:
        return None
    countries = countries_in_fields(page)
    country = countries.pop() if len(countries) == 1 else _country_in_links(facts, page)
    meant = currency_of_sign(sign, (country,)) if country else None
    if meant:
        return meant
    possible = possible_currencies(sign)
    if not (facts.language or "en").startswith("en"):
        # Shops of other countries that write `$` name the dollar of the United States beside it.
        possible -= {"USD"}
    return _only_code(possible, page)


def _currency_in_fields(fields: re.Pattern[bytes], page: bytes) -> str | None:
    """The one currency that the page's scripts and attributes name."""
    found: set[str] = set()
    for count, match in enumerate(fields.finditer(page)):
        code = currency_code(match[1].decode())
        if code:
            found.add(code)
        if count >= _FIELDS_MAX or len(found) > 1:
            break
    return found.pop() if len(found) == 1 else None


def countries_in_fields(page: bytes) -> set[str]:
    """The countries that the page's scripts name, by their ISO 3166 codes: its own, if it is one.

    Of several no more than two.
    """
    found: set[str] = set()
    for count, match in enumerate(_COUNTRY_FIELD.finditer(page)):
        named = match[1].decode()
        country = _COUNTRIES.get(named.lower()) if len(named) > 2 else named  # noqa: PLR2004
        if country:
            found.add(country)
        if count >= _FIELDS_MAX or len(found) > 1:
            break
    return found


def _country_in_links(facts: PageFacts, page: bytes) -> str | None:
    """The one country that the page is for, among those that its links name pages for."""
    found: set[str] = set()
    for count, link in enumerate(_LANGUAGE_LINK.finditer(page)):
        language, target = _LANGUAGE.search(link.group()), _TARGET.search(link.group())
        if language and target and path_of(text_of(target[1]), facts.url) == facts.path:
            found.add(language[1].decode().upper())
        if count >= _LINKS_MAX:
            break
    return found.pop() if len(found) == 1 else None


def _only_code(possible: frozenset[str], page: bytes) -> str | None:
    """The only one of these ISO codes that stands anywhere in the page."""
    found: set[bytes] = set()
    for count, match in enumerate(_any_of(possible).finditer(page)):
        if _CODE.match(page, match.start()):
            found.add(match[0])
        if count >= _CODES_MAX or len(found) > 1:
            break
    return found.pop().decode() if len(found) == 1 else None


@lru_cache(maxsize=100)
def _any_of(codes: frozenset[str]) -> re.Pattern[bytes]:
    """What finds these codes, which takes half as long as to look for any three letters."""
    # Without a code it finds nothing.
    return re.compile("|".join(sorted(codes)).encode() or rb"(?!)")
