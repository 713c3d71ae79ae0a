"""Catalogues that merchants hand in: where one is read, and what it lists.

A source is read again and again. What was read is staged, compared with what is listed, and taken
over; a product that the source no longer names stays listed as unavailable, for orders know it.
"""

from enum import StrEnum

import msgspec

from wallet_core.errors import PayontapError


class SourceState(StrEnum):
    """Where a source stands."""

    #: It was named and is to be read for the first time.
    WAITING = "waiting"
    #: What was read is shown to the merchant and waits for his word.
    SHOWN = "shown"
    #: He has agreed to what he was shown; it is to be taken over.
    APPROVED = "approved"
    #: It is read regularly, and what changed is taken over.
    ACTIVE = "active"
    #: It is read no more, and nothing counts that it listed.
    REMOVED = "removed"


class CatalogueItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A product, or one of its variants, as a catalogue lists it.

    `key` is made from `feed_id`, the catalogue's own name of it. `url` is canonical; `page_url` is
    the page on which all variants are sold. `price_minor` counts the currency's smallest unit;
    `sale_price_minor` replaces it from `sale_from_us` until `sale_until_us` (None: without end).
    `list_price_minor` is what it costs when it is not reduced. `availability` is schema.org's
    short word. `changed` is the catalogue's own word for the version of it.
    """

    key: str
    feed_id: str
    url: str
    page_url: str
    title: str
    price_minor: int
    currency: str
    variant: str | None = None
    sale_price_minor: int | None = None
    sale_from_us: int | None = None
    sale_until_us: int | None = None
    list_price_minor: int | None = None
    availability: str | None = None
    sku: str | None = None
    gtin: str | None = None
    brand: str | None = None
    picture: str | None = None
    changed: str | None = None

    @property
    def full_title(self) -> str:
        """The title with the variant's name."""
        return f"{self.title} · {self.variant}" if self.variant else self.title

    def price_minor_at(self, now_us: int) -> int:
        """What it costs at a moment."""
        if self.sale_price_minor is None:
            return self.price_minor
        begun = self.sale_from_us is None or self.sale_from_us <= now_us
        over = self.sale_until_us is not None and self.sale_until_us <= now_us
        return self.sale_price_minor if begun and not over else self.price_minor


class CatalogueSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a merchant's catalogue is read, and how that goes.

    `kind` is known once it was read. `reading` numbers what is staged. `network`, `room_id` and
    `network_person_id` say who is told about it; `loud`: about the next reading in any case.
    `failures` counts those since it was last read; `validators` is JSON by which servers are asked
    whether anything has changed.
    """

    id: str
    merchant_id: str
    url: str
    kind: str | None
    state: str
    reading: int
    due_at_us: int | None
    loud: bool
    failures: int
    error: str | None
    read_at_us: int | None
    item_count: int
    validators: str | None
    network: str
    room_id: str
    network_person_id: str
    created_at_us: int

    @property
    def name(self) -> str:
        """What people know it by: its address, or the file's name."""
        return self.url.removeprefix(FILE_PREFIX)

    @property
    def is_file(self) -> bool:
        """Whether it was handed in as a file, so that nobody can read it again."""
        return self.url.startswith(FILE_PREFIX)


class ListedItem(msgspec.Struct, frozen=True):
    """An item as it was last taken over. `listed` is False once its source names it no more."""

    item: CatalogueItem
    listed: bool


class Listing(msgspec.Struct, frozen=True):
    """An item that counts now, and the source that it is from."""

    item: CatalogueItem
    kind: str
    read_at_us: int
    is_file: bool


class LostClaim(PayontapError):
    """Another process works on this source now; nothing was written."""


#: A source that is a file is called by this and the file's name.
FILE_PREFIX = "file:"
#: The kind whose prices were read from pages: they are confirmed by hold, like every such price.
SITEMAP = "sitemap"
