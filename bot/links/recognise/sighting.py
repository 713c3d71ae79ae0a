"""What was seen in a page, and what one source in it says."""

from dataclasses import dataclass
from decimal import Decimal

import msgspec

#: Where a fact can come from, most trusted first. All but the last are structured data.
SOURCES = ("json-ld", "microdata", "rdfa", "opengraph", "meta", "page")


class Sighting(msgspec.Struct, frozen=True):
    """A page as the recogniser reads it.

    `price_minor` counts the currency's smallest unit; without a known `currency`, `exponent`
    counts the decimals as written. `availability` is schema.org's short word (`InStock`),
    `stock` a number of pieces. `sources` names for each field where it came from;
    `disagreements` are sentences, one for each doubt about the price; `structured` says that
    the price comes from structured data.
    """

    url: str
    title: str | None = None
    price_minor: int | None = None
    currency: str | None = None
    exponent: int | None = None
    availability: str | None = None
    stock: int | None = None
    sku: str | None = None
    brand: str | None = None
    gtin: str | None = None
    image: str | None = None
    seller: str | None = None
    sources: dict[str, str] = {}
    disagreements: tuple[str, ...] = ()
    structured: bool = False


@dataclass(slots=True)
class Clue:
    """What one source says; None where it is silent. `price` is in whole units.

    `is_free`: it names a price, and that is zero.
    """

    source: str
    title: str | None = None
    price: Decimal | None = None
    currency: str | None = None
    symbol: str | None = None
    availability: str | None = None
    stock: int | None = None
    sku: str | None = None
    brand: str | None = None
    gtin: str | None = None
    image: str | None = None
    seller: str | None = None
    doubt: str | None = None
    is_free: bool = False


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What every reader of a page may need: its address, its names and where it is at home.

    `kind` is Open Graph's type of the page, in lower case.
    """

    url: str
    titles: tuple[str, ...]
    regions: tuple[str, ...]
    heading: str = ""
    description: str = ""
    kind: str = ""
    is_article: bool = False
