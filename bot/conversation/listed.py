"""What a merchant's catalogue says about a page that was shared.

The catalogue's price is payable at once where it is alone: one price for what is at that address,
read lately. Where the page itself names another price, neither is chosen silently: then the page's
is confirmed by hold, as if there were no catalogue.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from bot.links.canonical import identity_of
from bot.links.page_name import as_owned
from bot.links.recognise import Sighting
from bot.links.recognise.values import GONE, best_availability
from bot.links.trust import Trust, judge
from wallet_core.commerce.catalogue import SITEMAP, CatalogueItem, Listing
from wallet_core.ledger.posting import MICROSECONDS
from wallet_core.money import exponent_of

_DISAGREE = "The page and the merchant's catalogue name different prices; the merchant confirms."


class Lists(Protocol):
    """Who knows what is listed; `wallet_core.storage.catalogues.Catalogues` does."""

    async def listings(self, merchant_id: str, identity: str) -> Sequence[Listing]:
        """What a merchant's catalogues list at an address."""


@dataclass(frozen=True)
class ListedPrices:
    """Weighs a page against its merchant's catalogues. `fresh_s`: how old they may be."""

    lists: Lists
    fresh_s: float
    now_us: Callable[[], int]

    async def weighed(
        self, merchant_id: str, url: str, name: str, sighting: Sighting
    ) -> tuple[Sighting, Trust, str]:
        """The sighting as it counts, how far it may be trusted, and why.

        `url` is the canonical address at the end, on a host that this merchant has proven; `name`
        is what the page calls itself (`bot.links.page_name.page_name`).
        """
        listings: Sequence[Listing] = ()
        for identity in dict.fromkeys((identity_of(as_owned(url)), name)):
            listings = listings or await self.lists.listings(merchant_id, identity)
        now_us = self.now_us()
        oldest_us = now_us - round(self.fresh_s * MICROSECONDS)
        counting = [
            one.item
            for one in listings
            if one.kind != SITEMAP and (one.is_file or one.read_at_us >= oldest_us)
        ]
        return weigh(counting, sighting, now_us)


def weigh(
    items: Sequence[CatalogueItem], sighting: Sighting, now_us: int
) -> tuple[Sighting, Trust, str]:
    """See `ListedPrices.weighed`; `items` are what the catalogues list at the address."""
    prices = {(item.price_minor_at(now_us), item.currency) for item in items}
    if len(prices) != 1:
        return (sighting, *judge(sighting, host_verified=True))
    price_minor, currency = prices.pop()
    trust, _ = judge(sighting, host_verified=True)
    said = sighting.currency == currency and sighting.price_minor is not None
    if said and trust is Trust.HOLD and sighting.price_minor != price_minor:
        return sighting, trust, _DISAGREE
    listed = _as_listed(items, sighting, price_minor, currency)
    return (listed, *judge(listed, host_verified=True, catalogue_price=True))


def _as_listed(
    items: Sequence[CatalogueItem], sighting: Sighting, price_minor: int, currency: str
) -> Sighting:
    first = items[0]
    alone = len(items) == 1
    # One variant that can be had is enough; bad news of the page itself stands.
    availability = sighting.availability
    if availability not in GONE:
        availability = best_availability(item.availability or availability for item in items)
    return msgspec.structs.replace(
        sighting,
        title=(first.full_title if alone else first.title) or sighting.title,
        price_minor=price_minor,
        currency=currency,
        exponent=exponent_of(currency),
        list_price_minor=first.list_price_minor if alone else None,
        availability=availability,
        sku=(first.sku if alone else None) or sighting.sku,
        gtin=(first.gtin if alone else None) or sighting.gtin,
        brand=first.brand or sighting.brand,
        image=first.picture or sighting.image,
        sources={**sighting.sources, "price": "catalogue"},
    )
