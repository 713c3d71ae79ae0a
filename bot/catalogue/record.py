"""One product of a catalogue: from what any format says to the one record that all share."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from bot.catalogue.amounts import BadValue
from bot.links.canonical import canonical_url, usable_url
from bot.links.recognise.values import availability_word, clean, gtin_in
from wallet_core.commerce.catalogue import CatalogueItem
from wallet_core.errors import PayontapError
from wallet_core.storage.catalogues import digest_of

_TITLE_CHARS_MAX = 300
_NAME_CHARS_MAX = 200
_ID_CHARS_MAX = 200
#: Parameters that choose among the variants on one page.
_CHOOSES = re.compile(
    r"(?:variant|variation|colou?r|size|style|option|attribute_[^=]{1,60})(?:_?id)?\Z",
    re.IGNORECASE,
)


class Problem(msgspec.Struct, frozen=True):
    """Something in a catalogue that cannot be used, and on which line; 0: nowhere in particular."""

    line: int
    text: str

    def sentence(self) -> str:
        """The problem for people."""
        text = self.text[:1].upper() + self.text[1:]
        return f"Line {self.line}: {self.text}." if self.line else f"{text}."


Found = CatalogueItem | Problem


class UnreadableCatalogue(PayontapError):
    """A catalogue that cannot be read to its end; the text is one sentence for the merchant."""


@dataclass(slots=True)
class Draft:
    """What a format says of one product; `line` is where, `hosts` are those the merchant proved.

    Amounts are in minor units of `currency`; sale times microseconds since the epoch.
    """

    line: int
    hosts: frozenset[str]
    feed_id: str
    title: object
    link: str
    price_minor: int
    currency: str
    base: str | None = None
    page: str | None = None
    variant: object = None
    sale_price_minor: int | None = None
    sale_from_us: int | None = None
    sale_until_us: int | None = None
    list_price_minor: int | None = None
    availability: object = None
    sku: object = None
    gtin: object = None
    brand: object = None
    picture: str | None = None
    changed: str | None = None

    def finished(self) -> Found:
        """The record, or what is wrong with it."""
        try:
            return self._item()
        except BadValue as error:
            return Problem(self.line, str(error))

    def _item(self) -> CatalogueItem:
        feed_id = self.feed_id.strip()
        if not feed_id or len(feed_id) > _ID_CHARS_MAX:
            raise BadValue(
                "it has no id" if not feed_id else "its id is longer than 200 characters"
            )
        title = (clean(self.title) or "")[:_TITLE_CHARS_MAX]
        if not title:
            raise BadValue(f"{_named(feed_id)} has no title")
        url = self._url()
        page = usable_url(self.page, base=url) if self.page else url
        sale, listed = self.sale_price_minor, self.list_price_minor
        reduced = sale is not None and sale < self.price_minor
        return CatalogueItem(
            key=digest_of(feed_id),
            feed_id=feed_id,
            url=url,
            page_url=page_of(canonical_url(page or url) or url),
            title=title,
            variant=_short(self.variant),
            price_minor=self.price_minor,
            currency=self.currency,
            sale_price_minor=sale if reduced else None,
            sale_from_us=self.sale_from_us if reduced else None,
            sale_until_us=self.sale_until_us if reduced else None,
            list_price_minor=listed if listed and listed > self.price_minor else None,
            availability=availability_word(self.availability),
            sku=_short(self.sku),
            gtin=gtin_in(self.gtin),
            brand=_short(self.brand),
            picture=usable_url(self.picture.strip(), base=self.base) if self.picture else None,
            changed=self.changed,
        )

    def _url(self) -> str:
        link = self.link.strip()
        absolute = usable_url(link, base=self.base) if link else None
        url = canonical_url(absolute) if absolute else None
        if url is None:
            what = f"“{link[:60]}” is no web address" if link else "it has no link"
            raise BadValue(f"{_named(self.feed_id)}: {what}")
        host = urlsplit(url).netloc
        if host not in self.hosts:
            raise BadValue(f"{_named(self.feed_id)} leads to {host}, which the shop has not proven")
        return url


def page_of(url: str) -> str:
    """The address of the page on which all variants are sold: without what chooses one."""
    address, mark, query = url.partition("?")
    kept = [pair for pair in query.split("&") if not _CHOOSES.match(pair.partition("=")[0])]
    return f"{address}?{'&'.join(kept)}" if mark and kept else address


def _named(feed_id: str) -> str:
    return f"item {feed_id.strip()[:40]}" if feed_id.strip() else "an item"


def _short(value: object) -> str | None:
    text = clean(value)
    return text[:_NAME_CHARS_MAX] if text else None
