"""Taps that pay with another currency than the price's.

A tap never converts silently. Who has too little of the price's currency and enough of another one
is offered, he alone, to pay with that at a frozen rate; the tap on that offer converts and
authorises in one commit under its event's key. Who gave a standing consent with a cap pays with one
tap, up to the cap. The whole price is converted, not what is missing of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from wallet_core.commerce.answers import say_once
from wallet_core.commerce.checkout import Checkout, TapOn
from wallet_core.commerce.conversion import (
    DONE,
    OFFERED,
    Conversion,
    ConversionQuotes,
    NoRates,
    Wanted,
)
from wallet_core.commerce.news import TapRefused
from wallet_core.commerce.records import ConsentedSum, Merchant, Quote, TapFacts
from wallet_core.errors import Refusal
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit
from wallet_core.locks import Lease
from wallet_core.money import Money

#: Refusals after which paying with another currency is offered.
_OFFERED_AFTER = (Refusal.NO_FUNDS, Refusal.RATE_EXPIRED)


class Funds(msgspec.Struct, frozen=True):
    """What a wallet can spend of a currency, and how much of it a tap may convert unasked.

    `cap_minor` is None where its owner never said so.
    """

    currency: str
    available_minor: int
    cap_minor: int | None


class ConversionReader(Protocol):
    """What conversions ask of the storage."""

    async def conversion(self, conversion_id: str) -> Conversion | None:
        """One quote or conversion."""

    async def funds(self, wallet_id: str) -> Sequence[Funds]:
        """What a wallet has, by currency."""


class ConvertingTap(TapOn, frozen=True, kw_only=True):
    """A tap that pays by `conversion`."""

    conversion: Conversion


@dataclass
class ConvertingCheckout(Checkout):
    """`Checkout`, with other currencies where the payer agrees to it."""

    quotes: ConversionQuotes = field(default_factory=lambda: ConversionQuotes(NoRates()))
    conversions: ConversionReader | None = None

    async def pay_by(self, tap: TapOn, conversion_id: str) -> None:
        """Answer a tap on an offer to pay with another currency.

        An offer that is over, or that paid for what was undone since, is refused with
        `RATE_EXPIRED`; a new one is made where the payer still has too little.
        """
        known = await self.conversions.conversion(conversion_id) if self.conversions else None
        if known is None or known.wallet_id != tap.payer.wallet_id or known.quote_id is None:
            await self._refuse(tap, Refusal.NOT_ALLOWED, None)
            return
        fields = {**msgspec.structs.asdict(tap), "quote_id": known.quote_id}
        await self.tap(ConvertingTap(**fields, conversion=known))

    async def _pay(self, tap: TapOn, facts: TapFacts, merchant: Merchant | None) -> Refusal | None:
        # Here, where it would pay: an order that stood a moment ago may be undone by now.
        if isinstance(tap, ConvertingTap) and _is_over(tap):
            return Refusal.RATE_EXPIRED
        code = await super()._pay(tap, facts, merchant)
        if code is not Refusal.NO_FUNDS or isinstance(tap, ConvertingTap):
            return code
        consented = await self._offer(tap, facts.quote, consented=True)
        if consented is None:
            return code
        done = msgspec.structs.replace(consented, state=DONE)
        fields = msgspec.structs.asdict(tap)
        return await super()._pay(ConvertingTap(**fields, conversion=done), facts, merchant)

    def _authorisation(
        self,
        tap: TapOn,
        facts: TapFacts,
        merchant: Merchant | None,
        lease: Lease,
        consented: ConsentedSum | None,
    ) -> Commit:
        commit = super()._authorisation(tap, facts, merchant, lease, consented)
        if not isinstance(tap, ConvertingTap):
            return commit
        conversion = tap.conversion
        row = conversion.taking if conversion.state == OFFERED else conversion.offering
        return msgspec.structs.replace(
            commit,
            transfers=(conversion.post, *commit.transfers),
            rows=(*commit.rows, row),
        )

    async def _refuse(
        self,
        tap: TapOn,
        code: Refusal,
        quote: Quote | None,
        *,
        offered: Quote | None = None,
        why: str = "",
    ) -> None:
        price = quote.price if quote is not None else None
        if code not in _OFFERED_AFTER or quote is None or price is None:
            await super()._refuse(tap, code, quote, offered=offered, why=why)
            return
        account = accounts.wallet(tap.payer.wallet_id, price.currency)
        balance_minor = await self.reader.balance_minor(account)
        # Who has enough by now, such as after an undo, needs no other currency.
        short = balance_minor < price.amount_minor
        offer = await self._offer(tap, quote) if short else None
        if offer is None:
            await super()._refuse(tap, code, quote, offered=offered, why=why)
            return
        balance = Money(balance_minor, price.currency)
        news = TapRefused(
            event_id=tap.event_id,
            code=code,
            place=tap.place,
            quote=quote,
            balance=balance,
            conversion=offer,
        )
        await say_once(self.writer, tap.event_id, self.announce(news), code, rows=(offer.offering,))

    async def _offer(
        self, tap: TapOn, quote: Quote, *, consented: bool = False
    ) -> Conversion | None:
        """The other currency that covers the price best; with `consented`, only within its cap."""
        price = quote.price
        if price is None or self.conversions is None:
            return None
        wanted = Wanted(
            name=tap.event_id, wallet_id=tap.payer.wallet_id, at_us=tap.at_us, quote_id=quote.id
        )
        best: tuple[float, Conversion] | None = None
        for funds in await self.conversions.funds(tap.payer.wallet_id):
            most_minor = funds.available_minor
            if consented:
                most_minor = min(most_minor, funds.cap_minor or 0)
            offer = await self.quotes.to_buy(wanted, price, funds.currency)
            if offer is None or offer.sold_minor > most_minor:
                continue
            # The share of what is there, to compare; no amount is made from it.
            share = offer.sold_minor / funds.available_minor
            if best is None or share < best[0]:
                best = (share, offer)
        return best[1] if best else None


def _is_over(tap: ConvertingTap) -> bool:
    """Whether its offer can pay no more."""
    return tap.conversion.state == DONE or tap.conversion.expires_at_us <= tap.at_us
