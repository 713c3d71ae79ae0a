"""How the world writes numbers: digits of every script, invisible marks, decimal points.

The tables are drawn from CLDR; a test holds them against every locale that babel knows.
"""

import re
import unicodedata

#: What text directions and line breaking put between digits without being seen.
_UNSEEN = dict.fromkeys(
    map(
        ord,
        "\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060"
        "\u2066\u2067\u2068\u2069\ufeff\u00ad",
    )
)
_BLANKS = (
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f"
    "\u205f\u3000\t\r\n"
)
#: Blanks become one blank, groupings without another meaning an apostrophe.
_PLAIN = {
    **dict.fromkeys(map(ord, _BLANKS), " "),
    **dict.fromkeys(map(ord, "’‘ʼ＇′٬⹁˙´`"), "'"),
    **dict.fromkeys(map(ord, "，،、"), ","),
    **dict.fromkeys(map(ord, "．。"), "."),
    **dict.fromkeys(map(ord, "－−‐‑‒–—―﹣"), "-"),
    **dict(zip(map(ord, "％٪（）"), "%%()", strict=True)),
}
_TRANSLATION = {**_UNSEEN, **_PLAIN}
_WORTH_TRANSLATING = re.compile(r"[^\x20-\x5f\x61-\x7e]")

#: Languages, and regions of languages, whose decimal mark is the comma in CLDR.
_COMMA = frozenset(
    [
        "af",
        "agq",
        "ast",
        "az",
        "bas",
        "be",
        "bg",
        "blo",
        "br",
        "bs",
        "ca",
        "cs",
        "cv",
        "da",
        "de",
        "dsb",
        "dua",
        "dyo",
        "el",
        "eo",
        "es",
        "et",
        "eu",
        "ewo",
        "ff",
        "fi",
        "fo",
        "fr",
        "fy",
        "gl",
        "hr",
        "hsb",
        "ht",
        "hu",
        "hy",
        "ia",
        "id",
        "ie",
        "is",
        "it",
        "jgo",
        "jv",
        "ka",
        "kab",
        "kea",
        "kgp",
        "kk",
        "kkj",
        "kl",
        "ksf",
        "ku",
        "ky",
        "lb",
        "lij",
        "lld",
        "ln",
        "lo",
        "lt",
        "lu",
        "lv",
        "mgh",
        "mk",
        "mua",
        "nb",
        "nl",
        "nmg",
        "nn",
        "nnh",
        "no",
        "nr",
        "pl",
        "ps",
        "pt",
        "rn",
        "ro",
        "ru",
        "rw",
        "sah",
        "sc",
        "se",
        "seh",
        "sg",
        "shi",
        "sk",
        "sl",
        "smn",
        "sq",
        "sr",
        "ss",
        "su",
        "sv",
        "tg",
        "tk",
        "tok",
        "tr",
        "ts",
        "tt",
        "tzm",
        "uk",
        "uz",
        "ve",
        "vec",
        "vi",
        "wo",
        "yav",
        "yrl",
        "zgh",
        "ar_DZ",
        "ar_LB",
        "ar_LY",
        "ar_MA",
        "ar_MR",
        "ar_TN",
        "en_AT",
        "en_BE",
        "en_CZ",
        "en_DE",
        "en_DK",
        "en_ES",
        "en_FI",
        "en_FR",
        "en_HU",
        "en_ID",
        "en_IT",
        "en_NL",
        "en_NO",
        "en_PL",
        "en_PT",
        "en_RO",
        "en_SE",
        "en_SI",
        "en_SK",
        "en_ZA",
        "ms_BN",
        "ms_ID",
        "qu_BO",
        "sw_CD",
    ]
)
#: Regions of those languages where it is the point after all.
_POINT = frozenset(
    [
        "az_Arab",
        "az_Cyrl",
        "de_CH",
        "de_LI",
        "es_419",
        "es_BR",
        "es_BZ",
        "es_CU",
        "es_DO",
        "es_GT",
        "es_HN",
        "es_MX",
        "es_NI",
        "es_PA",
        "es_PE",
        "es_PR",
        "es_SV",
        "es_US",
        "ff_Adlm",
        "it_CH",
        "kk_Arab",
    ]
)
_SCRIPT_LENGTH = 4
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")


def western(text: str) -> str:
    """`text` with all decimal digits written 0–9, unseen marks gone and separators made plain.

    Blanks become spaces, every apostrophe-like grouping becomes `'`, full-width marks narrow
    ones, dashes `-`. The Arabic decimal mark stays, since it means nothing else.
    """
    if _WORTH_TRANSLATING.search(text) is None:
        return text
    plain = text.translate(_TRANSLATION)
    if plain.isascii():
        return plain
    return "".join(
        str(unicodedata.decimal(char)) if char > "\x7f" and char.isdecimal() else char
        for char in plain
    )


def decimal_mark(language: str) -> str | None:
    """The decimal mark of a language tag (`de-CH`, `pt_BR`): `.` or `,`; None for no language."""
    if _LANGUAGE.fullmatch(language) is None:
        return None
    tag, *rest = language.replace("-", "_").split("_")
    tag = tag.lower()
    regional = {
        f"{tag}_{part.title() if len(part) == _SCRIPT_LENGTH else part.upper()}" for part in rest
    }
    if regional & _POINT:
        return "."
    return "," if tag in _COMMA or regional & _COMMA else "."
