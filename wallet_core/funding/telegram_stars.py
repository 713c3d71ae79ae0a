"""Telegram Stars (XTR): how Telegram lets digital goods be paid, and how they are given back.

Stars are no currency of the books: a quote keeps its own, and so many Stars are collected for it
as the admin says that they are worth. Giving back is a payout: the money is held first, Telegram
is asked, and the hold is captured when Telegram says that the Stars are back with their owner.

A payment has one such payout at a time, because its holds are named after the payment: the first,
and one more each time that the newest ended without money. Once Telegram was asked, no admin and no
clock ends it, for the Stars may be back already; it expires only where Telegram turned it down.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import msgspec

from wallet_core.commerce.answers import say_once
from wallet_core.commerce.numbers import readable_number
from wallet_core.commerce.ports import FundingReader, OrderReader
from wallet_core.commerce.records import FundingRequest, Payer, Place, Speech
from wallet_core.errors import KeyConflict
from wallet_core.funding.base import Progress, Step
from wallet_core.funding.requests import Ask, Funding
from wallet_core.funding.telegram_payments import Bill, collected_code
from wallet_core.ledger.accounts import AccountRef, Purpose
from wallet_core.ledger.commits import Commit, WriterPort
from wallet_core.ledger.transfers import named
from wallet_core.money import Money, exponent_of

CURRENCY = "XTR"
NAME = "telegram-stars"
#: How often it is looked at anew how a payout stands that others change in the same moment.
_LOOKS = 5


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


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """What Telegram is asked for: to return `payment`, which `payout` holds the worth of.

    `asked` says how often it was asked for this payout before.
    """

    payment: FundingRequest
    payout: FundingRequest
    asked: int = 0


#: Makes the message that asks Telegram: of the view `PAYOUT_ASKED`, with the payout's code.
SayAsking = Callable[[Asking], Speech]


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
        self, event_id: str, code: str, payer: Payer, place: Place, at_us: int, ask: SayAsking
    ) -> str | None:
        """Hold the worth of a payment and ask Telegram for its return, once for each payment.

        Gives a sentence when nothing was begun.
        """
        payment = await self.requests.funding_request(code)
        if payment is None or not await self._paid_by(payer, payment):
            return "Only who paid with Stars can have them back. No money moved."
        newest, hold_id = await self._payouts(payment)
        if newest is not None and newest.id == _payout_id(event_id):
            # Begun before a crash: it goes on, whatever is left in the wallet.
            hold_id = newest.hold_id or hold_id
        elif newest is not None and newest.state == "done":
            return "Your Stars are back already. No money moved just now."
        elif newest is not None and newest.state == "pending":
            return await self._again(payment, newest, ask)
        elif not await self._is_unspent(payment):
            return (
                "No money moved. What you paid has been spent: undo the purchase or ask the "
                "seller for a refund, then your Stars can go back."
            )

        def asks(payout: FundingRequest) -> Speech:
            return ask(Asking(payment=payment, payout=payout))

        asked = _ask_for(payment, event_id, hold_id, place, at_us)
        await self.funding.ask_payout(msgspec.structs.replace(asked, also=asks))
        return None

    async def done(self, event_id: str, charge_ref: str, place: Place, at_us: int = 0) -> bool:
        """Telegram has given a payment back: capture what was held, whoever had asked for it.

        Where the payout had ended otherwise, the money is in the wallet again, and taken from it.
        False: the books do not follow, and the event is unanswered; `left_over` says why.
        """
        payment = await self._payment(charge_ref)
        if payment is None:
            return False
        for _ in range(_LOOKS):
            newest, hold_id = await self._payouts(payment)
            if newest is None:
                return False
            if newest.state == "done":
                await say_once(self.writer, event_id, ())
                return True
            if newest.state == "pending":
                if await self.funding.settle(event_id, newest, place) is None:
                    return True
                continue
            asked = _ask_for(payment, event_id, hold_id, place, at_us)
            # Asked for once more in this moment, or told of by another process: looked at again.
            with contextlib.suppress(KeyConflict):
                return await self.funding.take_out(asked) is None
        return False

    async def left_over(self, charge_ref: str) -> FundingRequest | None:
        """The payout that ended without money, of a payment that went back all the same.

        None where nobody had asked for one.
        """
        payment = await self._payment(charge_ref)
        return (await self._payouts(payment))[0] if payment is not None else None

    async def _paid_by(self, payer: Payer, payment: FundingRequest) -> bool:
        """Whether this person paid it, into whichever of his wallets."""
        collected = payment.provider == NAME and payment.kind == "topup"
        wallet_id = payment.owner.removeprefix("wallet:")
        return collected and await self.requests.owns_wallet(payer.person_id, wallet_id)

    async def _is_unspent(self, payment: FundingRequest) -> bool:
        account = AccountRef(payment.owner, Purpose.AVAILABLE, payment.currency)
        return await self.orders.balance_minor(account) >= payment.amount_minor

    async def _payment(self, charge_ref: str) -> FundingRequest | None:
        """What was collected under Telegram's name for it."""
        return await self.requests.funding_request(collected_code(NAME, charge_ref))

    async def _payouts(self, payment: FundingRequest) -> tuple[FundingRequest | None, UUID]:
        """The newest payout of a payment, and what the hold of the next one is called."""
        newest = await self._claimed(payment)
        count = 0
        while True:
            hold_id = named("giveback", payment.id, count)
            payout = await self.requests.funding_request_of_hold(hold_id)
            if payout is None:
                return newest, hold_id
            newest, count = payout, count + 1

    async def _claimed(self, payment: FundingRequest) -> FundingRequest | None:
        """A payout of the time when a payment was claimed by the event that asked for it."""
        key = f"giveback:{named(NAME, payment.instructions).hex}"
        claimed = await self.writer.written(key)
        if claimed is None:
            return None
        code = readable_number(named("payout", "request", claimed.result), 6)
        return await self.requests.funding_request(code)

    async def _again(self, payment: FundingRequest, payout: FundingRequest, ask: SayAsking) -> str:
        """What who taps once more is told; Telegram is asked anew where it turned all asks down."""
        asks = await self.requests.payout_asks(payout.code)
        if any(state != "dropped" for state in asks):
            return "Your Stars are on their way back already. No money moved just now."
        asking = Asking(payment=payment, payout=payout, asked=len(asks))
        key = f"asked:{payout.id}:{len(asks)}"
        await self.writer.commit(Commit(key=key, outbox=ask(asking)))
        if not asks:
            return "Your Stars are on their way back already. No money moved just now."
        return (
            "No money moved just now. Telegram had turned it down and was asked once more; "
            f"{payout.money.format()} stays held until your Stars are there."
        )


def _payout_id(event_id: str) -> str:
    return f"f_{named('payout', 'request', event_id).hex}"


def _ask_for(
    payment: FundingRequest, event_id: str, hold_id: UUID, place: Place, at_us: int
) -> Ask:
    return Ask(
        event_id=event_id,
        owner=payment.owner,
        money=payment.money,
        place=place,
        at_us=at_us,
        hold_id=hold_id,
    )
