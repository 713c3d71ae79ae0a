"""The products of a sitemap: each of its pages is read as a shared link's would be.

A page whose sitemap says that it has not changed is not read again. A page that cannot be read for
the moment keeps what it last said.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from bot.catalogue.files import Opens, Tried, fetched
from bot.catalogue.record import Draft, Found, Problem, UnreadableCatalogue
from bot.catalogue.sitemap import Place, read_sitemap, telling
from bot.links.canonical import canonical_url, identity_of
from bot.links.fetch import Fetched, FetchError, Kind
from bot.links.recognise import Sighting
from bot.links.recognise.looking import look
from wallet_core.commerce.catalogue import CatalogueItem
from wallet_core.storage.catalogues import digest_of

_log = structlog.get_logger(__name__)

PAGES_MAX = 20_000
_SITEMAPS_MAX = 1_000
_BATCH = 20
_PAUSE_S = 0.5


class Reads(Opens, Protocol):
    """Whoever fetches pages; `bot.links.fetch.Fetcher` does."""

    async def get(
        self, url: str, *, accept: Kind = "html", fresh: bool = False, invited: bool = False
    ) -> Fetched:
        """What stands at `url`. Raises `FetchError`."""


@dataclass
class SitemapPages:
    """Reads a sitemap's pages. `known` gives what is listed of these keys."""

    fetches: Reads
    hosts: frozenset[str]
    known: Callable[[Sequence[str]], Awaitable[Mapping[str, CatalogueItem]]]
    _read: int = 0

    async def read(self, root: Tried) -> AsyncGenerator[list[Found]]:
        """Products in batches. Raises `FetchError` and `UnreadableCatalogue`."""
        further: list[Place] = []
        async for batch in self._pages_of(root, further):
            yield batch
        for place in telling(further):
            if self._read > PAGES_MAX:
                return
            async with fetched(self.fetches, place.url, self.hosts) as tried:
                async for batch in self._pages_of(tried, None):
                    yield batch

    async def _pages_of(
        self, tried: Tried, further: list[Place] | None
    ) -> AsyncGenerator[list[Found]]:
        """The products of one sitemap; sitemaps that it names are put into `further`."""
        if tried.file is None:
            raise UnreadableCatalogue("A sitemap that the sitemap leads to is not there.")
        places = read_sitemap(tried.file, tried.charset)
        while batch := await asyncio.to_thread(_batch, places):
            if further is not None:
                further += [place for place in batch if place.is_sitemap]
                if len(further) > _SITEMAPS_MAX:
                    raise UnreadableCatalogue("The sitemap leads to too many others.")
            yield await self._products([place for place in batch if not place.is_sitemap])
            if self._read > PAGES_MAX:
                yield [Problem(0, f"only the first {PAGES_MAX} pages of the sitemap are read")]
                return

    async def _products(self, places: Sequence[Place]) -> list[Found]:
        urls = [(place, canonical_url(place.url)) for place in places]
        keyed = [(place, url, identity_of(url)) for place, url in urls if url is not None]
        known = await self.known([digest_of(identity) for _, _, identity in keyed])
        found: list[Found] = []
        for place, url, identity in keyed:
            self._read += 1
            if urlsplit(url).netloc not in self.hosts:
                # Nobody may have a stranger's pages read.
                what = f"{url[:100]} is on a host that the shop has not proven"
                found.append(Problem(0, what))
                continue
            before = known.get(digest_of(identity))
            if before is not None and before.changed and before.changed == place.changed:
                found.append(before)
                continue
            product = await self._product(place, url, identity, before)
            if product is not None:
                found.append(product)
        return found

    async def _product(
        self, place: Place, url: str, identity: str, before: CatalogueItem | None
    ) -> Found | None:
        try:
            page = await self._page(url)
            sighting = await look(page, self.fetches)
        except FetchError as error:
            if error.is_gone:
                return None
            _log.info("catalogue_page_not_read", url=url[:300], code=error.code)
            return before or Problem(0, f"{url[:100]}: {error}")
        return found_of(sighting, identity, place.changed, self.hosts)

    async def _page(self, url: str) -> Fetched:
        while True:
            try:
                return await self.fetches.get(url, invited=True)
            except FetchError as error:
                if error.code != "busy":
                    raise
            await asyncio.sleep(_PAUSE_S)


def found_of(
    sighting: Sighting, identity: str, changed: str | None, hosts: frozenset[str]
) -> Found | None:
    """What a page lists; None where it sells nothing."""
    if sighting.price_minor is None or sighting.title is None:
        return None
    if sighting.currency is None:
        return Problem(0, f"{sighting.url[:100]} does not say in which currency its price is")
    if not sighting.structured or sighting.disagreements:
        why = sighting.disagreements[0] if sighting.disagreements else "it stands in text only"
        return Problem(0, f"{sighting.url[:100]}: the price is doubtful ({why.rstrip('.')})")
    return Draft(
        line=0,
        hosts=hosts,
        feed_id=identity if len(identity) <= 200 else digest_of(identity),  # noqa: PLR2004 - an id's length
        title=sighting.title,
        link=sighting.url,
        price_minor=sighting.price_minor,
        currency=sighting.currency,
        list_price_minor=sighting.list_price_minor,
        availability=sighting.availability,
        sku=sighting.sku,
        gtin=sighting.gtin,
        brand=sighting.brand,
        picture=sighting.image,
        changed=changed,
    ).finished()


def _batch(places: Iterator[Place]) -> list[Place]:
    return list(islice(places, _BATCH))
