"""Money that Telegram collects for an invoice, as one more way to pay a quote.

What was collected is booked as a top-up of the payer's wallet, and the wallet then pays the quote
as any tap does. Each of the two is written once, however often Telegram tells of the payment: the
top-up under the payment's own name, the purchase under the event's key. So a payment that comes
when the last piece has just gone stays in the wallet, and nothing is lost.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from wallet_core.commerce.checkout import Checkout, TapOn
from wallet_core.commerce.numbers import readable_number
from wallet_core.commerce.records import (
    FundingRequest,
    Offer,
    Payer,
    Place,
    Quote,
    Speech,
    TapFacts,
)
from wallet_core.errors import KeyConflict, Refusal
from wallet_core.ledger.accounts import clearing, wallet
from wallet_core.ledger.commits import Commit, Insert, WriterPort
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.money import Money


class Bill(msgspec.Struct, frozen=True):
    """What is to be collected: `amount_minor` of `currency`, which may be Telegram's own."""

    amount_minor: int
    currency: str


class Collector(Protocol):
    """One way in which Telegram collects.

    `returns`: whether the bot can have it given back through Telegram.
    """

    @property
    def returns(self) -> bool:
        """Whether Telegram gives it back when the bot asks."""

    @property
    def name(self) -> str:
        """The provider's name in accounts."""

    @property
    def title(self) -> str:
        """What people call it."""

    def bill(self, price: Money, host: str) -> Bill | None:
        """What to collect for `price` of something sold at `host`; None when it may not."""


@dataclass(frozen=True)
class CardPayments:
    """Telegram Payments through a provider that the bot's owner has chosen at @BotFather.

    For goods and services of the real world: Telegram wants Stars for everything digital.
    `digital_hosts` are the addresses that sell digital goods; `*` means all of them.
    """

    digital_hosts: frozenset[str] = frozenset()
    name = "telegram-payments"
    title = "Telegram Payments"
    returns = False

    def bill(self, price: Money, host: str) -> Bill | None:
        """The price itself, unless what `host` sells is digital."""
        if host in self.digital_hosts or "*" in self.digital_hosts:
            return None
        return Bill(price.amount_minor, price.currency)


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that Telegram has collected. `charge_ref` is its name for ever."""

    event_id: str
    quote_id: str
    amount_minor: int
    currency: str
    charge_ref: str
    payer: Payer
    place: Place
    at_us: int


class UnknownPayment(ValueError):
    """A payment for something that this instance never billed; somebody has to look at it."""


class QuoteReader(Protocol):
    """What bills are made from; committed rows only."""

    async def quote(self, quote_id: str) -> Quote | None:
        """The quote that is to be paid."""

    async def offer(self, offer_id: str) -> Offer | None:
        """What it is a quote for."""

    async def tap_facts(self, quote_id: str, wallet_id: str) -> TapFacts | None:
        """The quote, and what this wallet has bought by it already."""


@dataclass
class ExternalPayments:
    """Bills, and what becomes of them when they are paid."""

    writer: WriterPort
    reader: QuoteReader
    checkout: Checkout
    collectors: Sequence[Collector]

    async def bill(self, quote_id: str) -> tuple[Collector, Bill, Quote, str] | None:
        """Who may collect what for a quote on which host; None when nobody may."""
        quote = await self.reader.quote(quote_id)
        offer = await self.reader.offer(quote.offer_id) if quote else None
        if quote is None or offer is None:
            return None
        found = self._collecting(quote, offer)
        return (*found, quote, offer.host) if found else None

    def _collecting(
        self, quote: Quote, offer: Offer, currency: str | None = None
    ) -> tuple[Collector, Bill] | None:
        # Nothing is collected for somebody who may never come.
        if quote.price is None or quote.waits_for_owner:
            return None
        for collector in self.collectors:
            bill = collector.bill(quote.price, offer.host)
            if bill is not None and currency in (None, bill.currency):
                return collector, bill
        return None

    async def refusal(
        self, quote_id: str, bill: Bill, payer: Payer, now_us: int
    ) -> tuple[Refusal | None, Quote | None]:
        """Why a payment must not be collected, and the quote; no refusal when it may be.

        Asked by Telegram seconds before it collects.
        """
        quote = await self.reader.quote(quote_id)
        offer = await self.reader.offer(quote.offer_id) if quote else None
        if quote is None or offer is None:
            return Refusal.UNKNOWN_QUOTE, None
        found = self._collecting(quote, offer, bill.currency)
        if not quote.can_be_tapped or found is None:
            return Refusal.NOT_ALLOWED, quote
        if found[1] != bill:
            return Refusal.CHANGED, quote
        if quote.expires_at_us <= now_us:
            return Refusal.QUOTE_EXPIRED, quote
        facts = await self.reader.tap_facts(quote.id, payer.wallet_id)
        if facts is not None and facts.host_lost:
            return Refusal.UNVERIFIED, quote
        if facts is not None and facts.order is not None and facts.order.stands:
            # One invoice, one purchase: a forwarded or repeated invoice is not paid again.
            return Refusal.TAKEN, quote
        if offer.stock_left == 0:
            return Refusal.SOLD_OUT, quote
        return await self.checkout.price_refusal(quote, now_us), quote

    async def take(
        self, paid: Collected, words: Callable[[FundingRequest, Collector], Speech]
    ) -> None:
        """Book what was collected and pay the quote with it. Repeating it changes nothing.

        `words` are said about the money that came in. Raises `UnknownPayment` when it belongs to
        no bill, and `StorageUnavailable` when nothing could be written; the event then stays open.
        """
        quote = await self.reader.quote(paid.quote_id)
        offer = await self.reader.offer(quote.offer_id) if quote else None
        found = self._collecting(quote, offer, paid.currency) if quote and offer else None
        if quote is None or quote.price is None or found is None:
            raise UnknownPayment(f"Payment {paid.charge_ref} belongs to no bill of ours.")
        collector, bill = found
        # Telegram's own currency is worth what it was billed for; any other is booked as it came.
        own = bill.currency != quote.price.currency
        money = quote.price if own else Money(paid.amount_minor, paid.currency)
        request = _request(paid, collector, money)
        commit = Commit(
            key=f"collected:{named(collector.name, paid.charge_ref).hex}",
            transfers=(_top_up(request, collector),),
            rows=(Insert("funding_requests", msgspec.structs.asdict(request)),),
            outbox=words(request, collector),
        )
        # Another process booked it a moment ago, or the price of a Star has changed since.
        with contextlib.suppress(KeyConflict):
            await self.writer.commit(commit)
        await self.checkout.tap(
            TapOn(
                event_id=paid.event_id,
                quote_id=paid.quote_id,
                payer=paid.payer,
                place=paid.place,
                at_us=paid.at_us,
            )
        )


def collected_code(provider: str, charge_ref: str) -> str:
    """The code of the top-up that a collected payment is booked as."""
    return readable_number(named("collected", provider, charge_ref), 6)


def _top_up(request: FundingRequest, collector: Collector) -> Post:
    owner = wallet(request.owner.removeprefix("wallet:"), request.currency)
    return Post(
        id=named("topup", request.id),
        subject=f"topup:{request.id}",
        legs=(
            Leg(clearing(collector.name, request.currency), -request.amount_minor),
            Leg(owner, request.amount_minor),
        ),
    )


def _request(paid: Collected, collector: Collector, money: Money) -> FundingRequest:
    """The top-up as a row.

    Nobody is shown the instructions of one that is done: they keep what a refund needs.
    """
    return FundingRequest(
        id=f"f_{named('collected', collector.name, paid.charge_ref).hex}",
        code=collected_code(collector.name, paid.charge_ref),
        kind="topup",
        provider=collector.name,
        owner=f"wallet:{paid.payer.wallet_id}",
        amount_minor=money.amount_minor,
        currency=money.currency,
        state="done",
        hold_id=None,
        instructions=paid.charge_ref,
        network=paid.place.network,
        room_id=paid.place.room_id,
        network_person_id=paid.place.network_person_id,
        created_at_us=paid.at_us,
    )
