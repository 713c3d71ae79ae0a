"""Converting by wish: a quote that is asked for, and the tap that takes it."""

from dataclasses import dataclass

from wallet_core.commerce.conversion import OFFERED, Conversion, ConversionQuotes, Wanted
from wallet_core.commerce.conversion_checkout import ConversionReader
from wallet_core.errors import Refusal, Refused
from wallet_core.ledger.commits import Insert, RowChange, Update
from wallet_core.money import Money


@dataclass(frozen=True)
class Exchange:
    """Quotes for `/convert`. What it gives is committed by whoever answers the event."""

    quotes: ConversionQuotes
    reader: ConversionReader

    async def quote(
        self, event_id: str, wallet_id: str, sold: Money, bought_currency: str, at_us: int
    ) -> Conversion | None:
        """What `sold` buys; None where no rate is known."""
        wanted = Wanted(name=event_id, wallet_id=wallet_id, at_us=at_us)
        return await self.quotes.to_sell(wanted, sold, bought_currency)

    async def taken(self, conversion_id: str, wallet_id: str, at_us: int) -> Conversion:
        """The quote that a tap takes.

        Raises `Refused`: `NOT_ALLOWED` for somebody else's or one that pays for something,
        `RATE_EXPIRED`, `TAKEN`.
        """
        known = await self.reader.conversion(conversion_id)
        if known is None or known.wallet_id != wallet_id or known.quote_id is not None:
            raise Refused(Refusal.NOT_ALLOWED, conversion_id)
        if known.state != OFFERED:
            raise Refused(Refusal.TAKEN, conversion_id)
        if known.expires_at_us <= at_us:
            raise Refused(Refusal.RATE_EXPIRED, conversion_id)
        return known

    async def consenting(self, wallet_id: str, cap: Money) -> tuple[RowChange, ...]:
        """Let taps convert up to `cap` of a currency unasked; nothing of it lets them no more."""
        funds = await self.reader.funds(wallet_id)
        row = {"wallet_id": wallet_id, "currency": cap.currency}
        if any(one.currency == cap.currency and one.cap_minor is not None for one in funds):
            values = {"cap_minor": cap.amount_minor}
            return (Update(table="conversion_consents", where=row, values=values),)
        return (Insert("conversion_consents", {**row, "cap_minor": cap.amount_minor}),)
