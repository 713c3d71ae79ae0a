"""Links that people share: read the page, freeze a quote, answer with a card.

The page is read before anything is written; then offer, quote and card stand in one commit under
the event's key. A page that is no product is passed over in silence.
"""

import asyncio
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
import structlog

from bot.cards import Picture
from bot.conversation.listed import ListedPrices
from bot.conversation.turn import Desk, Turn, send_id, sentence
from bot.events import Message
from bot.links.canonical import canonical_url, identity_of
from bot.links.fetch import Fetched, Fetcher, FetchError
from bot.links.lookalikes import host_warning, shown_elsewhere_warning
from bot.links.page_cache import PageStore
from bot.links.page_name import as_owned, home_address, page_name
from bot.links.pictures import reencode
from bot.links.recognise import Sighting
from bot.links.recognise.looking import look
from bot.links.scan import find_links
from bot.links.share_codes import find_share_codes
from bot.links.trust import Trust, judge
from wallet_core.commerce.records import Merchant, Offer, Quote
from wallet_core.errors import Refused
from wallet_core.ledger.commits import Insert, Notice, Refresh, RowChange, Update, Value
from wallet_core.ledger.posting import MICROSECONDS
from wallet_core.ledger.transfers import named
from wallet_core.storage.pictures import Pictures

_log = structlog.get_logger(__name__)
_encode = msgspec.json.Encoder().encode

#: Links of one message that are answered.
LINKS_MAX = 3
#: Nothing is sold at an address that is known to be empty.
_GONE = frozenset({404, 410})
#: How often an offer that somebody else changes at the same moment is written again.
_TRIES = 4


@dataclass(frozen=True)
class _Shared:
    """A link as it was shared. `shown` is the text that stands in its place, if any does."""

    url: str
    shown: str | None = None


@dataclass(frozen=True)
class _Product:
    """A page that sells something, and who is behind its host. `name` is the page's identity."""

    name: str
    url: str
    host: str
    sighting: Sighting
    merchant: Merchant | None
    trust: Trust
    reason: str
    picture: str | None


@dataclass(frozen=True)
class SharedLinks:
    """Answers links. `quote_valid_s`: how long a frozen price may be tapped.

    `seen` remembers which product has a card in which thread; without it none is remembered.
    `listed` knows what merchants' catalogues say.
    """

    fetcher: Fetcher
    pictures: Pictures
    quote_valid_s: float
    seen: PageStore | None = None
    listed: ListedPrices | None = None

    async def answer(self, desk: Desk, turn: Turn, message: Message) -> None:
        """Answer a message: a card for each product link in it, nothing for all else."""
        links = _links(message)
        looked = await asyncio.gather(*(self._look(desk, link) for link in links))
        # Ways to one product are one card; the doubtful way decides.
        by_name: dict[str, _Product] = {}
        for found in looked:
            if isinstance(found, _Product) and _weighs_more(found, by_name.get(found.name)):
                by_name[found.name] = found
        products = list(by_name.values())
        if not products:
            codes = find_share_codes(message.text)
            if codes:
                await desk.answer(turn, sentence(codes[0].sentence))
                return
            failures = [failure for failure in looked if isinstance(failure, FetchError)]
            if message.private and failures:
                await desk.answer(turn, sentence(f"I could not read that page. {failures[0]}"))
                return
            await desk.close(turn)
            return
        products = [product for product in products if await self._is_new(message, product)]
        if not products:
            await desk.close(turn)
            return
        await self._offer(desk, turn, products, reply_to=message.message_ref, private=False)

    async def _is_new(self, message: Message, product: _Product) -> bool:
        """Whether the thread has no card for the product yet; a second delivery is no second card.

        What is remembered may be lost: then there is a second card, and nothing else.
        """
        if self.seen is None:
            return True
        thread = message.thread_ref or message.message_ref
        place = f"{message.network}\n{message.room_id}\n{thread}\n{product.name}"
        key = f"card:{named('card', place).hex}"
        return await self.seen.claim(key, message.id, for_s=self.quote_valid_s) == message.id

    async def offer_again(self, desk: Desk, turn: Turn, url: str) -> None:
        """Read a product page anew and offer it to this person alone."""
        product = await self._look(desk, _Shared(url), fresh=True)
        if isinstance(product, _Product):
            await self._offer(desk, turn, [product], reply_to=None, private=True)
            return
        why = str(product) if isinstance(product, FetchError) else "It sells nothing any more."
        await desk.answer(turn, sentence(f"Not charged. I could not read that page. {why}"))

    async def _look(
        self, desk: Desk, link: _Shared, *, fresh: bool = False
    ) -> _Product | FetchError | None:
        try:
            page = await self.fetcher.get(link.url, accept="html", fresh=fresh)
        except FetchError as error:
            _log.info("page_not_read", url=link.url[:300], code=error.code)
            return await self._listed(desk, link, error) or error
        page = await self._at_home(page, fresh=fresh)
        final = canonical_url(page.url_final)
        if final is None:
            return None
        sighting = await look(page, self.fetcher, fresh=fresh)
        host = _authority(final)
        merchant = await desk.reader.merchant_of_host(host)
        name = await asyncio.to_thread(page_name, page)
        if merchant is not None and self.listed is not None:
            sighting, trust, reason = await self.listed.weighed(merchant.id, final, name, sighting)
        else:
            trust, reason = judge(sighting, host_verified=merchant is not None)
        warning = host_warning(host)
        if warning is None and link.shown is not None:
            warning = shown_elsewhere_warning(link.shown, link.url, final)
        if trust is Trust.NONE or sighting.title is None:
            return None
        if warning is not None:
            trust, reason = Trust.PREVIEW, warning
        return _Product(
            name=name,
            url=final,
            host=host,
            sighting=sighting,
            merchant=merchant,
            trust=trust,
            reason=reason,
            picture=await self._picture(sighting),
        )

    async def _listed(self, desk: Desk, link: _Shared, error: FetchError) -> _Product | None:
        """What a catalogue lists at an address whose page could not be read; None for nothing."""
        if self.listed is None or error.status in _GONE:
            return None
        host = _authority(link.url)
        merchant = await desk.reader.merchant_of_host(host)
        warning = host_warning(host) or shown_elsewhere_warning(link.shown or "", link.url)
        if merchant is None or warning is not None:
            return None
        name = identity_of(as_owned(link.url))
        unread = Sighting(url=link.url)
        sighting, trust, reason = await self.listed.weighed(merchant.id, link.url, name, unread)
        if trust is Trust.NONE:
            return None
        return _Product(
            name=name,
            url=link.url,
            host=host,
            sighting=sighting,
            merchant=merchant,
            trust=trust,
            reason=reason,
            picture=await self._picture(sighting),
        )

    async def _at_home(self, page: Fetched, *, fresh: bool) -> Fetched:
        """The page on the shop's main host, where `page` is its mobile or AMP form."""
        home = await asyncio.to_thread(home_address, page)
        if home is None:
            return page
        try:
            return await self.fetcher.get(home, accept="html", fresh=fresh)
        except FetchError as error:
            _log.info("home_not_read", url=home[:300], code=error.code)
            return page

    async def _picture(self, sighting: Sighting) -> str | None:
        """The product's picture, fetched by us, drawn anew and kept; None if it cannot be had."""
        if sighting.image is None:
            return None
        try:
            fetched = await self.fetcher.get(sighting.image, accept="image")
        except FetchError as error:
            _log.info("picture_not_read", url=sighting.image[:300], code=error.code)
            return None
        drawn = await asyncio.to_thread(reencode, fetched.body)
        if drawn is None:
            return None
        await self.pictures.keep(drawn.digest, drawn.mime, drawn.body)
        picture = Picture(
            digest=drawn.digest,
            alt=(sighting.title or "")[:200],
            mime=drawn.mime,
            width_px=drawn.width,
            height_px=drawn.height,
        )
        return _encode(picture).decode()

    async def _offer(
        self,
        desk: Desk,
        turn: Turn,
        products: list[_Product],
        *,
        reply_to: str | None,
        private: bool,
    ) -> None:
        for last in (False,) * (_TRIES - 1) + (True,):
            rows: list[RowChange] = []
            speech: list[Notice | Refresh] = []
            for n, product in enumerate(products):
                offer_id = f"of_{named('offer', product.name).hex}"
                # An address is one offer's, also where its page has called itself otherwise.
                known = await desk.reader.offer_by_url(product.url)
                known = known or await desk.reader.offer(offer_id)
                offer_id = known.id if known is not None else offer_id
                rows.extend(_offer_rows(product, offer_id, known, turn.now_us))
                quote = self._quote(product, offer_id, turn.now_us)
                rows.append(Insert("quotes", msgspec.structs.asdict(quote)))
                speech.append(
                    Notice(
                        send_id=send_id(turn.event.id, "offer", n),
                        network=turn.event.network,
                        room_id=turn.event.room_id,
                        person_id=turn.event.person_id if private else None,
                        reply_to_ref=reply_to,
                        view="offer",
                        ref=quote.id,
                    )
                )
            try:
                await desk.answer(turn, rows=tuple(rows), also=speech)
            except Refused:
                # The offer changed between reading and writing: read it again.
                if last:
                    raise
            else:
                return

    def _quote(self, product: _Product, offer_id: str, now_us: int) -> Quote:
        sighting = product.sighting
        known = sighting.currency is not None
        return Quote(
            id=f"q_{secrets.token_urlsafe(16)}",
            offer_id=offer_id,
            merchant_id=product.merchant.id if product.merchant else None,
            amount_minor=sighting.price_minor if known else None,
            currency=sighting.currency if sighting.price_minor is not None else None,
            trust=product.trust,
            reason=product.reason,
            seller=product.merchant.name if product.merchant else (sighting.seller or product.host),
            created_at_us=now_us,
            expires_at_us=now_us + round(self.quote_valid_s * MICROSECONDS),
        )


def _links(message: Message) -> list[_Shared]:
    """The message's links, the network's own marks first, each product page once.

    A text that stands for a link is no link of its own: `[shop.example](https://other.example)`.
    """
    written = find_links(message.text)
    found = [*((link.url, link.text) for link in message.links)]
    found += [(link.url, link.shown or "") for link in written if link.shown is not None]
    texts = [shown for _, shown in found]
    found += [
        (link.url, "")
        for link in written
        if link.shown is None and not any(link.text in text for text in texts)
    ]
    shared: dict[str, _Shared] = {}
    for target, shown in found:
        url = canonical_url(target)
        if url is not None:
            shared.setdefault(identity_of(url), _Shared(url, shown or None))
    return list(shared.values())[:LINKS_MAX]


def _weighs_more(product: _Product, other: _Product | None) -> bool:
    return other is None or (product.trust is Trust.PREVIEW and other.trust is not Trust.PREVIEW)


def _authority(url: str) -> str:
    """Host, with the port where the address names one."""
    return urlsplit(url).netloc


def _offer_rows(
    product: _Product, offer_id: str, known: Offer | None, now_us: int
) -> list[RowChange]:
    """The offer as it is seen now.

    Stock is counted by us from the first number that the page names. Later the page only corrects
    it: fewer pieces than we count were sold elsewhere; more than it said last time were added.
    """
    sighting = product.sighting
    values: dict[str, Value] = {
        "merchant_id": product.merchant.id if product.merchant else None,
        "title": (sighting.title or "")[:500],
        "sku": sighting.sku[:200] if sighting.sku else None,
        "url": product.url,
        "host": product.host,
        "picture": product.picture,
        "availability": _stated_availability(sighting),
        "seen_at_us": now_us,
    }
    if known is None:
        fixed: dict[str, Value] = {"id": offer_id, "sold": 0}
        stock = {"stock_total": sighting.stock, "stock_page": sighting.stock}
        return [Insert("offers", {**fixed, **values, **stock})]
    if sighting.stock is None:
        return [Update(table="offers", where={"id": offer_id}, values=values)]
    return [
        Update(
            table="offers",
            where={"id": offer_id, "sold": known.sold, "stock_page": known.stock_page},
            values={
                **values,
                "stock_total": _stock_total(known, sighting.stock),
                "stock_page": sighting.stock,
            },
        )
    ]


def _stated_availability(sighting: Sighting) -> str | None:
    """The availability, unless it is good news that was only read between the lines."""
    if sighting.availability == "InStock" and sighting.sources.get("availability") == "page":
        return None
    return sighting.availability


def _stock_total(known: Offer, on_page: int) -> int:
    left = known.stock_left
    if left is None or on_page < left:
        return known.sold + on_page
    if known.stock_page is not None and on_page > known.stock_page:
        return known.sold + left + (on_page - known.stock_page)
    return known.sold + left
