"""Telegram Stars (XTR): how Telegram lets digital goods be paid, and how they are given back.

Stars are no currency of the books: a quote keeps its own, and so many Stars are collected for it
as the admin says that they are worth. Giving back is a payout: the money is held first, Telegram
is asked, and the hold is captured when Telegram says that the Stars are back with their owner.
"""

from collections.abc import Callable
from dataclasses import dataclass

from wallet_core.commerce.numbers import readable_number
from wallet_core.commerce.ports import FundingReader, OrderReader
from wallet_core.commerce.records import FundingRequest, Payer, Place, Speech
from wallet_core.errors import KeyConflict
from wallet_core.funding.base import Progress, Step
from wallet_core.funding.requests import Ask, Funding
from wallet_core.funding.telegram_payments import Bill
from wallet_core.ledger.accounts import wallet
from wallet_core.ledger.commits import Commit, WriterPort
from wallet_core.ledger.transfers import named
from wallet_core.money import Money, exponent_of

CURRENCY = "XTR"
NAME = "telegram-stars"


@dataclass(frozen=True)
class Stars:
    """Collects Stars. `per_major`: how many stand for one whole unit (¥1) of `currency`.

    `digital_hosts` are the addresses that sell digital goods; `*` means all of them.
    """

    currency: str
    per_major: int
    digital_hosts: frozenset[str]
    name = NAME
    title = "Telegram Stars"
    returns = True

    def bill(self, price: Money, host: str) -> Bill | None:
        """The price in Stars, rounded up; None for what is not digital or of another currency."""
        digital = host in self.digital_hosts or "*" in self.digital_hosts
        if not digital or price.currency != self.currency:
            return None
        scale = 10 ** exponent_of(price.currency)
        return Bill(-(-price.amount_minor * self.per_major // scale), CURRENCY)


class StarReturns:
    """The provider of payouts in Stars: Telegram says by an event of its own when one is done."""

    name = NAME

    async def begin_top_up(self, code: str, money: Money) -> Step:
        """Stars come in for invoices only."""
        return Step(Progress.FAILED, f"{money.format()} cannot be asked for in Stars ({code}).")

    async def begin_payout(self, code: str, money: Money) -> Step:  # noqa: ARG002 - the port's
        """Telegram is asked by the message that is said beside this."""
        return Step(
            Progress.PENDING,
            f"Telegram was asked to give you your Stars back. {money.format()} of your wallet is "
            "held until they are there.",
        )


@dataclass
class GivingBack:
    """Gives collected Stars back to who paid them, out of the wallet that got their worth.

    `funding` pays out through `StarReturns`.
    """

    writer: WriterPort
    orders: OrderReader
    requests: FundingReader
    funding: Funding

    async def begin(
        self, event_id: str, code: str, payer: Payer, place: Place, at_us: int, ask: "Asking"
    ) -> str | None:
        """Hold the worth of a payment and ask Telegram for its return, once for each payment.

        Gives a sentence when nothing was begun. `ask` makes the message that asks Telegram.
        """
        request = await self.requests.funding_request(code)
        owner = f"wallet:{payer.wallet_id}"
        if request is None or request.provider != NAME or request.owner != owner:
            return "Only who paid with Stars can have them back. No money moved."
        account = wallet(payer.wallet_id, request.currency)
        key = _claim_key(request.instructions)
        claimed = await self.writer.written(key)
        mine = claimed is not None and claimed.result == event_id
        if not mine and await self.orders.balance_minor(account) < request.amount_minor:
            return (
                "No money moved. What you paid has been spent: undo the purchase or ask the "
                "seller for a refund, then your Stars can go back."
            )
        try:
            claimed = await self.writer.commit(Commit(key=key, result=event_id))
        except KeyConflict:
            claimed = await self.writer.written(key)
        if claimed is None or claimed.result != event_id:
            return "Your Stars are on their way back already. No money moved just now."
        await self.funding.ask_payout(
            Ask(
                event_id=event_id,
                owner=owner,
                money=request.money,
                place=place,
                at_us=at_us,
                also=lambda _payout: ask(request),
            )
        )
        return None

    async def done(self, event_id: str, charge_ref: str, place: Place) -> bool:
        """Telegram has given a payment back: capture what was held. False: nobody had asked."""
        claimed = await self.writer.written(_claim_key(charge_ref))
        if claimed is None:
            return False
        code = readable_number(named("payout", "request", claimed.result), 6)
        payout = await self.requests.funding_request(code)
        if payout is None or payout.state != "pending":
            return False
        await self.funding.confirm(event_id, payout, place)
        return True


Asking = Callable[[FundingRequest], Speech]


def _claim_key(charge_ref: str) -> str:
    return f"giveback:{named(NAME, charge_ref).hex}"
