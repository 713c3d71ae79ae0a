"""Small values of structured data: names, words for availability, article numbers, addresses."""

import html
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache

from ada_url import URL, join_url, normalize_url

from bot.links.recognise.jsonld import Node
from bot.links.recognise.markup import one_line
from bot.links.recognise.saidstock import said_availability

#: Types of schema.org whose items are sold, and those that are read instead.
PRODUCT_TYPES = frozenset(
    {"product", "productgroup", "productmodel", "individualproduct", "someproducts", "vehicle",
     "car", "motorcycle", "book", "musicrelease", "videogame"}
)  # fmt: skip
ARTICLE_TYPES = frozenset(
    {"newsarticle", "article", "blogposting", "reportagenewsarticle", "techarticle",
     "scholarlyarticle", "liveblogposting", "opinionnewsarticle", "analysisnewsarticle"}
)  # fmt: skip
#: What is read and cooked, or applied for, on pages that may show products beside it.
READING_TYPES = frozenset({"recipe", "howto", "jobposting", "qapage"})
_BEST_FIRST = ("InStock", "LimitedAvailability", "OnlineOnly", "InStoreOnly", "PreOrder", "PreSale",
               "BackOrder", "MadeToOrder", "Reserved", "OutOfStock", "SoldOut",
               "Discontinued")  # fmt: skip
_AVAILABILITIES = {name.lower(): name for name in _BEST_FIRST} | {
    "available": "InStock", "availablefororder": "BackOrder", "oos": "OutOfStock",
    "outofstock": "OutOfStock", "unavailable": "OutOfStock", "pending": "PreOrder",
    "preorder": "PreOrder", "soldout": "SoldOut", "notavailable": "OutOfStock",
    "instoreavailable": "InStoreOnly", "availableonbackorder": "BackOrder",
    "onbackorder": "BackOrder", "notinstock": "OutOfStock", "outstock": "OutOfStock",
    "true": "InStock", "yes": "InStock", "false": "OutOfStock", "no": "OutOfStock",
    "lowstock": "LimitedAvailability", "limited": "LimitedAvailability", "stock": "InStock",
    "onstock": "InStock", "nostock": "OutOfStock", "comingsoon": "PreOrder",
    "temporarilyoutofstock": "OutOfStock", "nolongeravailable": "Discontinued",
}  # fmt: skip
_WORDS_LENGTH_MAX = 60
_LISTED_MAX = 50
_KEY_LENGTH_MAX = 100
_NO_TYPES: frozenset[str] = frozenset()
_OF_THE_WEB = ("http:", "https:")
#: Addresses that the URL standard leaves as they are, as most in pages are.
_NORMAL_URL = re.compile(
    r"https?://(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,20}"
    r"/(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*)?"
    r"(?:\?[A-Za-z0-9_=./-]*)?"
)
_ASCII_MARKS = bytes(code for code in range(128) if not chr(code).isalnum())
_GTIN_LENGTHS = frozenset({8, 12, 13, 14})
_ISBN10_LENGTH = 10
_STOCK_DIGITS_MAX = 9


#: What its shop does not sell any more.
DISCONTINUED = "Discontinued"
#: What is one of these cannot be bought; whatever else a source says of its stock, it can.
GONE = frozenset({"OutOfStock", "SoldOut", DISCONTINUED})
GONE_AND_THERE = "The page's data call it both sold out and in stock."


def first_of(value: object) -> object:
    """The first of a list, or the value itself; what `@value` holds stands for its object."""
    while isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict) and "@value" in value:
        return value["@value"]
    return value


def all_of(value: object) -> list[object]:
    """All of a list, or the value by itself, each as `first_of` has it; of long lists the first."""
    return [
        first_of(item) for item in (value[:_LISTED_MAX] if isinstance(value, list) else [value])
    ]


def text_in(value: object) -> str:
    """A value as plain text, an object by its address or name; empty for anything else."""
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    first = first_of(value)
    if isinstance(first, dict):
        first = first.get("@id") or first.get("name")
    if isinstance(first, float):
        return repr(first)
    return str(first).strip() if isinstance(first, (str, int, Decimal)) else ""


def clean(value: object) -> str | None:
    """A value as one line of text for people, None when nothing is left of it."""
    return one_line(html.unescape(text_in(value))) or None


def availability_word(raw: object) -> str | None:
    """schema.org's short word for `raw`: a URL, a word or what shops write instead."""
    text = text_in(raw)
    if not text:
        return None
    word = text.rstrip("/").rpartition("/")[2].rpartition("#")[2].rpartition(":")[2].lower()
    known = _AVAILABILITIES.get("".join(filter(str.isalpha, word)))
    if known is None and len(text) <= _WORDS_LENGTH_MAX and "/" not in text:
        # Instead of a word of schema.org's, what the page says to people.
        known = said_availability(text)
    return known


def best_availability(words: Iterable[str | None]) -> str | None:
    """What a product is when its offers or variants are `words`: as good as the best of them."""
    return min(filter(None, words), key=_BEST_FIRST.index, default=None)


def are_at_odds(words: Iterable[str | None]) -> bool:
    """Whether some of these words for one thing's stock call it gone, and others there."""
    gone = {word in GONE for word in words if word is not None}
    return len(gone) > 1


def gtin_in(value: object) -> str | None:
    """A GTIN-8, -12, -13 or -14 (or ISBN) whose check digit is right, None for all else.

    The rule is that of the GS1 General Specifications, 7.9, and for ISBN-10 of ISO 2108.
    """
    digits = "".join(char for char in text_in(value) if char not in " -").upper()
    if len(digits) == _ISBN10_LENGTH:
        return digits if _is_isbn10(digits) else None
    if not (digits.isascii() and digits.isdigit() and len(digits) in _GTIN_LENGTHS):
        return None
    weighed = sum(int(d) * (3 if n % 2 else 1) for n, d in enumerate(reversed(digits)))
    return digits if weighed % 10 == 0 and int(digits) else None


def stock_level(value: object) -> int | None:
    """A number of pieces, None when `value` names none."""
    first = first_of(value)
    if isinstance(first, dict):
        first = first_of(lowered(first).get("value"))
    text = str(first).strip() if isinstance(first, int | str | Decimal) else ""
    is_count = text.isascii() and text.isdigit() and len(text) <= _STOCK_DIGITS_MAX
    return int(text) if is_count else None


def lowered(node: Node) -> Node:
    """The node with short lower-case keys: `http://schema.org/priceCurrency` → `pricecurrency`."""
    short = {_short_key(key): value for key, value in node.items()}
    return short if len(short) == len(node) else _gathered(node)


def _gathered(node: Node) -> Node:
    """The same where two keys are one in short: all their values, the last first."""
    found: dict[str, list[object]] = {}
    for key, value in reversed(node.items()):
        listed = value if isinstance(value, list) else [value]
        found.setdefault(_short_key(key), []).extend(listed)
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


@lru_cache(maxsize=512)
def _short_key(key: str) -> str:
    return key[-_KEY_LENGTH_MAX:].rpartition("/")[2].rpartition(":")[2].lower()


def types_of(node: Node) -> frozenset[str]:
    """The node's types in lower case, without their vocabulary."""
    raw = node.get("@type")
    if isinstance(raw, str):
        return _one_type(raw)
    return type_names(raw) if isinstance(raw, list) else _NO_TYPES


def type_names(names: Sequence[object]) -> frozenset[str]:
    """Types by their short names in lower case."""
    if len(names) == 1:
        return _one_type(names[0]) if isinstance(names[0], str) else _NO_TYPES
    return frozenset(_type_name(name) for name in names if isinstance(name, str))


@lru_cache(maxsize=256)
def _one_type(name: str) -> frozenset[str]:
    return frozenset({_type_name(name)})


def _type_name(name: str) -> str:
    short = name[-_KEY_LENGTH_MAX:].rstrip("/")
    return short.rpartition("/")[2].rpartition("#")[2].rpartition(":")[2].lower()


def squeezed(text: str) -> str:
    """`text` in lower case without blanks and marks, for comparing names."""
    lower = html.unescape(text).lower()
    if lower.isascii():
        return lower.encode("ascii").translate(None, _ASCII_MARKS).decode("ascii")
    return "".join(filter(str.isalnum, lower))


def absolute_url(url: str, base: str) -> str | None:
    """`url` relative to the page's address, None when it leads to no web address."""
    if _NORMAL_URL.fullmatch(url):
        return url
    written = html.unescape(url)
    try:
        found = join_url(base, written) if base else normalize_url(written)
    except (ValueError, UnicodeEncodeError):
        return None
    return found if found.startswith(_OF_THE_WEB) else None


def path_of(url: str, base: str) -> str:
    """Host and path of an address, the same for addresses that mean one page."""
    try:
        found = URL(url, base or None)
    except (ValueError, UnicodeEncodeError):
        return url
    return _path_in(found)


def leads_away(link: str, address: str, path: str) -> bool:
    """Whether a link on the page at `address` leads to another page of the web.

    `path` is the page's own, as `path_of` has it.
    """
    try:
        found = URL(html.unescape(link), address or None)
    except (ValueError, UnicodeEncodeError):
        return False
    return found.protocol in _OF_THE_WEB and _path_in(found) != path


def _path_in(found: URL) -> str:
    return f"{found.hostname.removeprefix('www.')}{found.pathname.rstrip('/')}"


def _is_isbn10(digits: str) -> bool:
    body, check = digits[:-1], digits[-1]
    if not (body.isascii() and body.isdigit() and (check.isdigit() or check == "X")):
        return False
    weighed = sum(int(d) * (_ISBN10_LENGTH - n) for n, d in enumerate(body))
    return (weighed + (10 if check == "X" else int(check))) % 11 == 0
