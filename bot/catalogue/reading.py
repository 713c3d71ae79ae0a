"""Reads a source, whatever it is: batch by batch, never as a whole in memory."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO, Protocol

import msgspec

from bot.catalogue import shopify, woocommerce
from bot.catalogue.files import Opens, Tried, fetched, kind_of, unchanged, whole
from bot.catalogue.google_tsv import read_google_tsv
from bot.catalogue.google_xml import read_google_xml
from bot.catalogue.record import Found, Problem, UnreadableCatalogue
from bot.catalogue.sitemap_pages import SitemapPages
from bot.catalogue.template import read_csv
from bot.links.fetch import Fetched, Kind
from wallet_core.commerce.catalogue import CatalogueItem

#: Records that are handed on together.
BATCH = 500
_PAGES_MAX = 5_000
_PAGE_BYTES_MAX = 16_000_000
_HTML_HEAD_BYTES = 500_000
_NO_VARIATIONS = (
    "the shop does not list variations, so products whose variations differ in price are left out"
)

FileReader = Callable[[BinaryIO, frozenset[str], str | None], Iterator[Found]]
#: Kind of a file → what reads it.
FILE_READERS: Mapping[str, FileReader] = {
    "google-xml": read_google_xml,
    "google-tsv": read_google_tsv,
    "csv": read_csv,
}
#: Key → the listed item, for those of these keys that are listed.
Known = Callable[[Sequence[str]], Awaitable[Mapping[str, CatalogueItem]]]


class Fetches(Opens, Protocol):
    """Whoever reads pages, and opens large files; `bot.links.fetch.Fetcher` does."""

    async def get(
        self, url: str, *, accept: Kind = "html", fresh: bool = False, invited: bool = False
    ) -> Fetched:
        """What stands at `url`. Raises `FetchError`."""


@dataclass
class SourceReader:
    """Reads one source once. `hosts` are those that the merchant has proven.

    While it reads it learns the `kind` and the `validators` by which servers are asked later
    whether anything has changed.
    """

    fetches: Fetches
    hosts: frozenset[str]
    known: Known
    kind: str | None = None
    _validators: dict[str, dict[str, str]] = field(default_factory=dict)
    _all_checkable: bool = True

    @property
    def validators(self) -> str | None:
        """What `has_changed` takes later; None where servers do not tell."""
        if not self._all_checkable or not self._validators:
            return None
        return msgspec.json.encode(self._validators).decode()

    async def has_changed(self, validators: str | None) -> bool:
        """Whether anything may have changed since. Raises `FetchError`."""
        if not validators:
            return True
        asked = msgspec.json.decode(validators, type=dict[str, dict[str, str]])
        for url, checks in asked.items():
            if not await unchanged(self.fetches, url, self.hosts, checks):
                return True
        return False

    async def read(self, url: str) -> AsyncGenerator[list[Found]]:
        """What the source lists, in batches. Raises `FetchError` and `UnreadableCatalogue`."""
        async with fetched(self.fetches, url, self.hosts) as tried:
            if tried.file is None:
                raise UnreadableCatalogue("There is nothing at that address.")
            self.kind = await asyncio.to_thread(_kind, tried)
            read = FILE_READERS.get(self.kind)
            if read is not None:
                self._note(url, tried)
                async with aclosing(
                    file_batches(read(tried.file, self.hosts, tried.charset))
                ) as batches:
                    async for batch in batches:
                        yield batch
                return
            if self.kind == "sitemap":
                pages = SitemapPages(self.fetches, self.hosts, self.known)
                self._all_checkable = False
                async with aclosing(pages.read(tried)) as batches:
                    async for batch in batches:
                        yield batch
                return
        reading = self._shopify(url) if self.kind == "shopify" else self._woocommerce(url)
        async with aclosing(reading) as batches:
            async for batch in batches:
                yield batch

    async def _shopify(self, url: str) -> AsyncGenerator[list[Found]]:
        async with fetched(self.fetches, shopify.meta_url(url), self.hosts) as meta:
            if meta.file is None:
                raise UnreadableCatalogue("The shop has no /meta.json that names its currency.")
            self._note(shopify.meta_url(url), meta)
            currency = shopify.currency_in(whole(meta.file, _PAGE_BYTES_MAX))
        firsts: set[str] = set()
        for number in range(1, _PAGES_MAX + 1):
            body = await self._page(shopify.page_url(url, number))
            if body is None:
                raise UnreadableCatalogue(f"Page {number} of the shop's list is not there.")
            first, found = await asyncio.to_thread(
                shopify.read_shopify_page, body, url, currency, self.hosts
            )
            if not _is_new(first, firsts):
                return
            yield found

    async def _woocommerce(self, url: str) -> AsyncGenerator[list[Found]]:
        varying = False
        for variations in (False, True):
            firsts: set[str] = set()
            for number in range(1, _PAGES_MAX + 1):
                body = await self._page(woocommerce.page_url(url, number, variations=variations))
                if body is None and variations and number == 1:
                    yield [Problem(0, _NO_VARIATIONS)]
                    return
                if body is None:
                    raise UnreadableCatalogue(f"Page {number} of the shop's list is not there.")
                first, found, varies = await asyncio.to_thread(
                    woocommerce.read_woocommerce_page, body, url, self.hosts
                )
                if not _is_new(first, firsts):
                    break
                varying = varying or varies
                yield found
            if not varying:
                return

    async def _page(self, url: str) -> bytes | None:
        async with fetched(self.fetches, url, self.hosts) as tried:
            if tried.file is None:
                return None
            self._note(url, tried)
            return await asyncio.to_thread(whole, tried.file, _PAGE_BYTES_MAX)

    def _note(self, url: str, tried: Tried) -> None:
        self._validators[url] = tried.validators
        self._all_checkable = self._all_checkable and bool(tried.validators)


async def file_batches(found: Iterator[Found]) -> AsyncGenerator[list[Found]]:
    """A file's records in batches, read beside everything else."""
    while batch := await asyncio.to_thread(_batch, found):
        yield batch


def _batch(found: Iterator[Found]) -> list[Found]:
    return list(islice(found, BATCH))


def _is_new(first: str, firsts: set[str]) -> bool:
    """Whether a page is another one; empty means that it is behind the last."""
    if not first:
        return False
    if first in firsts:
        raise UnreadableCatalogue("The shop answers with the same page again and again.")
    firsts.add(first)
    return True


def _kind(tried: Tried) -> str:
    """What the file is. Raises `UnreadableCatalogue` for what is no catalogue."""
    assert tried.file is not None  # noqa: S101 - asked before
    kind = kind_of(tried.file, tried.charset)
    if kind is None:
        # A shop's own front page leads to its list.
        head = tried.file.read(_HTML_HEAD_BYTES)
        tried.file.seek(0)
        if b"cdn.shopify.com" in head or b"/cdn/shop/" in head:
            return "shopify"
        if b"woocommerce" in head.lower():
            return "woocommerce"
        raise UnreadableCatalogue(
            "That is no catalogue: neither a Shopify or WooCommerce shop, nor a Google merchant "
            "feed (XML or text), a CSV file with the columns of the template, or a sitemap."
        )
    return kind
