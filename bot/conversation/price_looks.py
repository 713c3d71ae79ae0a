"""The price of a quote, read from its page once more before it is charged."""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4

import msgspec
import structlog

from bot.conversation.offer_rows import offer_rows, quote_of
from bot.conversation.product_pages import Owners, Product, ProductPages, SharedLink
from bot.links.fetch import FetchError
from bot.links.recognise.values import DISCONTINUED
from wallet_core.commerce.price_checks import NotCharged, PriceChanged, PriceNow, PriceStands
from wallet_core.commerce.records import Offer, Quote
from wallet_core.errors import Refusal, Refused
from wallet_core.ledger.commits import Commit, Insert, Refresh, RowChange, Update, WriterPort
from wallet_core.ledger.posting import MICROSECONDS

_log = structlog.get_logger(__name__)

#: How long somebody who tapped waits for the page.
BUDGET_S = 3.0
#: How often an offer that somebody else changes at the same moment is written again.
_TRIES = 4


class OfferReader(Owners, Protocol):
    """What price looks ask of the storage."""

    async def offer(self, offer_id: str) -> Offer | None:
        """The offer behind a quote."""


@dataclass
class PriceLooks:
    """A `PriceCheck` that reads the page.

    `fresh_s`: how long a price that was read counts. `quote_valid_s`: how long a new quote does.
    Taps on one quote at the same time wait for one look.
    """

    pages: ProductPages
    reader: OfferReader
    writer: WriterPort
    fresh_s: float
    quote_valid_s: float
    budget_s: float = BUDGET_S
    _looks: dict[str, "asyncio.Task[PriceNow]"] = field(default_factory=dict)

    def is_due(self, quote: Quote, at_us: int) -> bool:
        """Whether the price of `quote` was read longer than `fresh_s` before `at_us`."""
        read_at_us = quote.read_at_us if quote.read_at_us is not None else quote.created_at_us
        return at_us - read_at_us > self.fresh_s * MICROSECONDS

    async def look(self, quote: Quote, at_us: int) -> PriceNow:
        """What the page says now; see `PriceCheck`."""
        running = self._looks.get(quote.id)
        if running is None:
            running = self._looks[quote.id] = asyncio.create_task(self._look(quote, at_us))
            running.add_done_callback(lambda _: self._looks.pop(quote.id, None))
        return await asyncio.shield(running)

    async def _look(self, quote: Quote, at_us: int) -> PriceNow:
        offer = await self.reader.offer(quote.offer_id)
        if offer is None:
            return NotCharged(Refusal.NOT_FOR_SALE, "The page is no longer known.")
        try:
            async with asyncio.timeout(self.budget_s):
                product = await self.pages.look(
                    self.reader, SharedLink(quote.url), age_s_max=self.fresh_s, with_picture=False
                )
        except TimeoutError:
            _log.info("price_not_read", url=quote.url[:300], code="budget")
            late = "The shop's server took too long to answer."
            return NotCharged(Refusal.PRICE_UNREAD, late)
        if isinstance(product, FetchError) and product.is_gone:
            return await self._gone(quote, offer, "The shop's page is there no more.")
        if isinstance(product, FetchError):
            return NotCharged(Refusal.PRICE_UNREAD, product.message)
        known = (offer.url, quote.url)
        if product is None or (offer.id != product.offer_id and product.url not in known):
            return await self._gone(quote, offer, "The page does not sell it any more.")
        product = msgspec.structs.replace(product, picture=offer.picture, known_as=offer.id)
        return await self._settled(quote, product, at_us)

    async def _gone(self, quote: Quote, offer: Offer, why: str) -> NotCharged:
        """Write that nothing is sold there, until somebody shares a page that is back."""
        if offer.availability != DISCONTINUED:
            gone = Update(
                table="offers", where={"id": offer.id}, values={"availability": DISCONTINUED}
            )
            await self._write(gone, also=(Refresh(view="offer", ref=quote.id),))
        return NotCharged(Refusal.NOT_FOR_SALE, why)

    async def _settled(self, quote: Quote, product: Product, at_us: int) -> PriceNow:
        """Write what was seen, and say what it means for the quote."""
        fresh = quote_of(product, at_us, self.quote_valid_s)
        if not fresh.can_be_tapped:
            # The card that all see says so too.
            await self._keep(product, at_us, also=(Refresh(view="offer", ref=quote.id),))
            return NotCharged(Refusal.NOT_FOR_SALE, product.reason)
        if _terms(fresh) != _terms(quote) or not _is_same_product(fresh, quote):
            await self._keep(product, at_us, Insert("quotes", msgspec.structs.asdict(fresh)))
            return PriceChanged(fresh)
        seen = Update(
            table="quotes", where={"id": quote.id}, values={"read_at_us": product.read_at_us}
        )
        await self._keep(product, at_us, seen)
        return PriceStands()

    async def _keep(
        self, product: Product, at_us: int, *rows: RowChange, also: tuple[Refresh, ...] = ()
    ) -> None:
        for last in (False,) * (_TRIES - 1) + (True,):
            known = await self.reader.offer(product.offer_id)
            try:
                await self._write(*offer_rows(product, known, at_us), *rows, also=also)
            except Refused:
                # The offer changed between reading and writing: read it again.
                if last:
                    raise
            else:
                return

    async def _write(self, *rows: RowChange, also: tuple[Refresh, ...]) -> None:
        await self.writer.commit(Commit(key=f"price:{uuid4().hex}", rows=rows, outbox=also))


def _terms(quote: Quote) -> tuple[object, ...]:
    """What a payer has agreed to when he taps."""
    return quote.amount_minor, quote.currency, quote.merchant_id, quote.trust


def _is_same_product(fresh: Quote, quote: Quote) -> bool:
    """Whether the page still sells what `quote` is of: the same sku, or else the same title."""
    if fresh.sku is not None and quote.sku is not None:
        return fresh.sku == quote.sku
    return fresh.title.casefold() == quote.title.casefold()
