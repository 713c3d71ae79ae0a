"""What was seen in a page, and what one source in it says."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import msgspec

#: Where a fact can come from, most trusted first. All but the last are structured data.
SOURCES = ("shop-api", "json-ld", "microdata", "rdfa", "shop-data", "opengraph", "meta", "oembed",
           "page")  # fmt: skip


class Variant(msgspec.Struct, frozen=True):
    """One of several forms in which a product is sold, with its own price in minor units."""

    price_minor: int | None = None
    currency: str | None = None
    title: str | None = None
    sku: str | None = None
    gtin: str | None = None
    availability: str | None = None
    url: str | None = None


class Sighting(msgspec.Struct, frozen=True):
    """A page as the recogniser reads it.

    `price_minor` counts the currency's smallest unit; without a known `currency`, `exponent`
    counts the decimals as written. `list_price_minor` is what the product costs when it is not
    reduced. `availability` is schema.org's short word (`InStock`), `stock` a number of pieces.
    `sources` names for each field where it came from, `confidence` how sure it is, from 0 to 1;
    `disagreements` are sentences, one for each doubt about the price; `structured` says that
    the price comes from structured data.
    """

    url: str
    title: str | None = None
    price_minor: int | None = None
    currency: str | None = None
    exponent: int | None = None
    list_price_minor: int | None = None
    availability: str | None = None
    stock: int | None = None
    sku: str | None = None
    brand: str | None = None
    gtin: str | None = None
    image: str | None = None
    seller: str | None = None
    variants: tuple[Variant, ...] = ()
    sources: dict[str, str] = {}
    confidence: dict[str, float] = {}
    disagreements: tuple[str, ...] = ()
    structured: bool = False


@dataclass(slots=True)
class VariantClue:
    """One variant as a source names it; `price` is in whole units."""

    price: Decimal | None = None
    currency: str | None = None
    title: str | None = None
    sku: str | None = None
    gtin: str | None = None
    availability: str | None = None
    url: str | None = None


@dataclass(slots=True)
class Clue:
    """What one source says; None where it is silent. `price` is in whole units.

    `prices` are those of all offers where they differ; `price` is the lowest then.
    `otherwise` is what else the text of `price` may mean: `1.500` is read as 1.5 or as 1500.
    `variants` lists them when it is called. `is_free`: it names a price, and that is zero.
    `refused_gtin` is an article number whose check digit is wrong.
    """

    source: str
    title: str | None = None
    price: Decimal | None = None
    currency: str | None = None
    symbol: str | None = None
    list_price: Decimal | None = None
    availability: str | None = None
    stock: int | None = None
    sku: str | None = None
    brand: str | None = None
    gtin: str | None = None
    image: str | None = None
    seller: str | None = None
    variants: Callable[[], list[VariantClue]] = list
    doubt: str | None = None
    otherwise: Decimal | None = None
    prices: frozenset[Decimal] = frozenset()
    is_free: bool = False
    refused_gtin: str | None = None

    @property
    def is_priced(self) -> bool:
        """Whether it names a price in a currency."""
        return self.price is not None and bool(self.currency or self.symbol)
