"""Product pages: what stands in one, whose its host is, and what may be done with its price."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

import msgspec
import structlog

from bot.cards import Picture
from bot.conversation.listed import ListedPrices
from bot.conversation.readings import DatedAnswers, Reading, Readings
from bot.links.canonical import canonical_url, identity_of
from bot.links.fetch import Fetched, Fetcher, FetchError
from bot.links.lookalikes import host_warning, shown_elsewhere_warning
from bot.links.offer_keys import keys_of
from bot.links.page_name import as_owned, home_address, page_name
from bot.links.pictures import reencode
from bot.links.recognise import Sighting
from bot.links.recognise.looking import look
from bot.links.signed_offers import (
    OfferRefused,
    SignedOffer,
    as_offered,
    best_offer,
    offers_in_page,
)
from bot.links.trust import Trust, judge
from wallet_core.commerce.escrow import HOST_LENGTH_MAX
from wallet_core.commerce.records import Merchant
from wallet_core.ledger.posting import MICROSECONDS
from wallet_core.ledger.transfers import named
from wallet_core.storage.pictures import Pictures

_log = structlog.get_logger(__name__)
_encode = msgspec.json.Encoder().encode


class Owners(Protocol):
    """Knows whose a host is."""

    async def merchant_of_host(self, host: str) -> Merchant | None:
        """Who has proven that `host` is his."""


class SharedLink(msgspec.Struct, frozen=True):
    """A link as it was shared. `shown` is the text that stands in its place, if any does.

    `offer` is the signed offer that it carries, unchecked.
    """

    url: str
    shown: str | None = None
    offer: str | None = None


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A page that sells something, and who is behind its host. `name` is the page's own.

    `read_at_us`: when the page was read, or its shop's endpoint, whichever was first.
    `priced_until_us`: how long a signed price counts. `known_as`: the offer that stands at its
    address already, whatever the page called itself then.
    """

    name: str
    url: str
    host: str
    sighting: Sighting
    merchant: Merchant | None
    trust: Trust
    reason: str
    picture: str | None
    read_at_us: int
    priced_until_us: int | None = None
    known_as: str | None = None

    @property
    def identity(self) -> str:
        """What is the same for all ways to this product; a page may show several, told by sku."""
        sku = self.sighting.sku
        return self.name if sku is None else f"{self.name}\n{sku}"

    @property
    def offer_id(self) -> str:
        """The id under which the product is an offer."""
        return self.known_as or f"of_{named('offer', self.identity).hex}"


@dataclass(frozen=True)
class ProductPages:
    """Reads product pages.

    `escrow_allowed`: money may be held for the owners of hosts that nobody has claimed. `now_s` is
    the clock by which signed offers expire. `listed` knows what merchants' catalogues say.
    """

    fetcher: Fetcher
    pictures: Pictures
    escrow_allowed: bool = False
    now_s: Callable[[], float] = time.time
    listed: ListedPrices | None = None
    _readings: Readings = field(default_factory=Readings)

    async def look(
        self,
        owners: Owners,
        link: SharedLink,
        *,
        age_s_max: float | None = None,
        with_picture: bool = True,
    ) -> Product | FetchError | None:
        """The product behind a link; None where the page sells nothing, or why it was not read.

        `age_s_max`: a page that was read longer ago is read again.
        """
        try:
            page = await self.fetcher.get(link.url, accept="html", age_s_max=age_s_max)
        except FetchError as error:
            _log.info("page_not_read", url=link.url[:300], code=error.code)
            return await self._listed(owners, link, error, with_picture=with_picture) or error
        read = partial(self._read, page, age_s_max, with_picture=with_picture)
        if with_picture:
            reading = await self._readings.of(page, read, anew=age_s_max is not None)
        else:
            reading = await read()
        if reading is None:
            return None
        merchant = await owners.merchant_of_host(reading.host)
        signed, refused = await self._signed(reading, link, merchant)
        sighting, trust, reason = await self._weighed(reading, merchant, signed)
        warning = host_warning(reading.host) or refused
        if warning is None and link.shown is not None:
            warning = shown_elsewhere_warning(link.shown, link.url, reading.url)
        if trust is Trust.NONE or sighting.title is None:
            return None
        if warning is not None:
            trust, reason = Trust.PREVIEW, warning
        return Product(
            name=reading.name,
            url=reading.url,
            host=reading.host,
            sighting=sighting,
            merchant=merchant,
            trust=trust,
            reason=reason,
            picture=await self._picture_of(reading, sighting) if with_picture else None,
            read_at_us=round(reading.read_at_s * MICROSECONDS),
            priced_until_us=signed.exp * MICROSECONDS if signed is not None else None,
        )

    async def _listed(
        self, owners: Owners, link: SharedLink, error: FetchError, *, with_picture: bool
    ) -> Product | None:
        """What a catalogue lists at an address whose page could not be read; None for nothing."""
        if self.listed is None or error.is_gone:
            return None
        host = urlsplit(link.url).netloc
        merchant = await owners.merchant_of_host(host)
        warning = host_warning(host) or shown_elsewhere_warning(link.shown or "", link.url)
        if merchant is None or warning is not None:
            return None
        name = identity_of(as_owned(link.url))
        unread = Sighting(url=link.url)
        sighting, trust, reason = await self.listed.weighed(merchant.id, link.url, name, unread)
        if trust is Trust.NONE:
            return None
        return Product(
            name=name,
            url=link.url,
            host=host,
            sighting=sighting,
            merchant=merchant,
            trust=trust,
            reason=reason,
            picture=await self._picture(sighting) if with_picture else None,
            read_at_us=round(self.now_s() * MICROSECONDS),
        )

    async def _picture_of(self, reading: Reading, sighting: Sighting) -> str | None:
        """The picture of a sighting, which may have another one than its page."""
        if sighting.image == reading.sighting.image:
            return reading.picture
        return await self._picture(sighting)

    async def _read(
        self, shared: Fetched, age_s_max: float | None, *, with_picture: bool
    ) -> Reading | None:
        """What a page says, whoever asks; None where its address is no web address."""
        page = await self._at_home(shared, age_s_max)
        final = canonical_url(page.url_final)
        if final is None:
            return None
        answers = DatedAnswers(self.fetcher, page.read_at_s)
        sighting = await look(page, answers, fresh=age_s_max is not None)
        # A page that sells nothing to anybody needs no picture.
        sells = judge(sighting, host_verified=True)[0] is not Trust.NONE
        return Reading(
            page=page,
            name=await asyncio.to_thread(page_name, page),
            url=final,
            host=urlsplit(final).netloc,
            sighting=sighting,
            offers=tuple(await asyncio.to_thread(offers_in_page, page.body)),
            picture=await self._picture(sighting) if with_picture and sells else None,
            read_at_s=answers.oldest_s,
        )

    async def _weighed(
        self, reading: Reading, merchant: Merchant | None, signed: SignedOffer | None
    ) -> tuple[Sighting, Trust, str]:
        """The sighting as it counts, how far it may be trusted, and why.

        A signed price comes before the catalogue's, and that before the page's own.
        """
        sighting = reading.sighting
        if signed is None and merchant is not None and self.listed is not None:
            return await self.listed.weighed(merchant.id, reading.url, reading.name, sighting)
        if signed is not None:
            sighting = as_offered(sighting, signed)
        trust, reason = judge(
            sighting,
            host_verified=merchant is not None,
            catalogue_price=signed is not None,
            escrow_allowed=self.escrow_allowed and len(reading.host) <= HOST_LENGTH_MAX,
        )
        return sighting, trust, reason

    async def _signed(
        self, reading: Reading, link: SharedLink, merchant: Merchant | None
    ) -> tuple[SignedOffer | None, str | None]:
        """The signed offer that counts for a page, and why one in the link does not.

        One that does not count and stands in the page only is passed over: then the page itself
        says what it costs. One in a link was meant, so that nothing takes its place.
        """
        if merchant is None:
            return None, None
        texts = reading.offers if link.offer is None else (link.offer,)
        if not texts:
            return None, None
        try:
            keys = await keys_of(self.fetcher, reading.host)
            return best_offer(texts, reading.page, keys, self.now_s()), None
        except OfferRefused as refused:
            _log.info("offer_refused", url=reading.url[:300], why=str(refused)[:300])
            return None, str(refused) if link.offer is not None else None

    async def _at_home(self, page: Fetched, age_s_max: float | None) -> Fetched:
        """The page on the shop's main host, where `page` is its mobile or AMP form."""
        home = await asyncio.to_thread(home_address, page)
        if home is None:
            return page
        try:
            return await self.fetcher.get(home, accept="html", age_s_max=age_s_max)
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
