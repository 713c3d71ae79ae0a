"""A price that was read from a page is read again before it is charged, when that is long ago.

The core knows no pages: whoever reads them says what became of the price, and the checkout acts on
it. A price that changed, or cannot be read, charges nothing.
"""

from typing import Protocol

import msgspec

from wallet_core.commerce.records import Quote
from wallet_core.errors import Refusal

#: Prices that were read from a page; others are frozen until their quote expires.
READ_FROM_PAGES = frozenset({"hold", "escrow"})


class PriceStands(msgspec.Struct, frozen=True):
    """The page says what the quote says."""


class PriceChanged(msgspec.Struct, frozen=True):
    """The page says something else; `quote` freezes that, and is written."""

    quote: Quote


class NotCharged(msgspec.Struct, frozen=True):
    """Nothing can be charged now; `why` is one sentence.

    `code` is `PRICE_UNREAD` where the page could not be read, else `NOT_FOR_SALE`.
    """

    code: Refusal
    why: str


PriceNow = PriceStands | PriceChanged | NotCharged


class PriceCheck(Protocol):
    """Whoever reads pages."""

    def is_due(self, quote: Quote, at_us: int) -> bool:
        """Whether the price of `quote` was read too long before `at_us`."""

    async def look(self, quote: Quote, at_us: int) -> PriceNow:
        """What the page says now. Quick, or else `NotCharged`. Raises `StorageUnavailable`."""


def is_due(prices: PriceCheck | None, quote: Quote, at_us: int) -> bool:
    """Whether a tap on `quote` has to wait until its price was read again."""
    return prices is not None and quote.trust in READ_FROM_PAGES and prices.is_due(quote, at_us)
