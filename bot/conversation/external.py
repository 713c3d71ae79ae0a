"""Money that a network collects itself: bills, its questions before it collects, and the news.

The words are here; what is booked, and whether it may be, is decided in the core.
"""

from dataclasses import dataclass
from typing import assert_never

from bot.cards import Button, Card, Invoice, Line, Role, Tone, plain_text
from bot.conversation.announcer import tap_refused_card
from bot.conversation.speech import card_body, card_notice, send_id
from bot.conversation.turn import Desk, Turn, sentence
from bot.events import ExternalPaid, ExternalRefunded, PreCheckout
from wallet_core.commerce.news import TapRefused
from wallet_core.commerce.records import PAYOUT_ASKED, FundingRequest, Speech
from wallet_core.errors import Refusal
from wallet_core.funding.telegram_payments import (
    Bill,
    Collected,
    Collector,
    ExternalPayments,
)
from wallet_core.funding.telegram_stars import Asking, GivingBack
from wallet_core.ledger.commits import Notice

ExternalEvent = PreCheckout | ExternalPaid | ExternalRefunded


@dataclass(frozen=True)
class External:
    """Answers what has to do with money that a network collects.

    `giving_back` is None where nothing collected can be given back through the network.
    """

    payments: ExternalPayments
    giving_back: GivingBack | None = None

    async def press_invoice(self, desk: Desk, turn: Turn, quote_id: str) -> None:
        """A tap on "Pay another way": a bill for this person alone."""
        found = await self.payments.bill(quote_id)
        if found is None:
            text = "This can be paid from your wallet only. No money moved."
            await desk.answer(turn, sentence(text, Tone.BAD))
            return
        collector, bill, quote, host = found
        card = Card(
            title=quote.title,
            lines=(Line(f"{host} · paid with {collector.title}"),),
            invoice=Invoice(
                payload=quote_id, amount_minor=bill.amount_minor, currency=bill.currency
            ),
        )
        await desk.answer(turn, card)

    async def press_give_back(self, desk: Desk, turn: Turn, code: str) -> None:
        """A tap on "Give it back"."""
        if self.giving_back is None:
            await desk.answer(turn, sentence("That button is too old to work. No money moved."))
            return

        why_not = await self.giving_back.begin(
            turn.event.id, code, turn.payer, turn.place, turn.now_us, _asked_back
        )
        if why_not is not None:
            await desk.answer(turn, sentence(why_not, Tone.BAD))

    async def answer(self, desk: Desk, turn: Turn, event: ExternalEvent) -> None:
        """Answer what the network asks or tells."""
        match event:
            case PreCheckout():
                await self._pre_checkout(desk, turn, event)
            case ExternalPaid():
                await self._paid(turn, event)
            case ExternalRefunded():
                await self._refunded(desk, turn, event)
            case _:
                assert_never(event)

    async def _pre_checkout(self, desk: Desk, turn: Turn, event: PreCheckout) -> None:
        bill = Bill(event.amount_minor, event.currency)
        code, quote = await self.payments.refusal(event.payload, bill, turn.payer, turn.now_us)
        match code:
            case None:
                card = sentence("Go on.", Tone.GOOD)
            case Refusal.TAKEN:
                card = sentence("You have this already. Not charged again.", Tone.BAD)
            case Refusal.CHANGED:
                card = sentence("Not charged. This bill is too old; ask for a new one.", Tone.BAD)
            case _:
                news = TapRefused(event_id=event.id, code=code, place=turn.place, quote=quote)
                card = sentence(plain_text(tap_refused_card(news)), Tone.BAD)
        notice = Notice(
            send_id=send_id(event.id, "checkout"),
            network=event.network,
            room_id=event.answer_ref,
            body=card_body(card),
        )
        await desk.say(turn, notice, refusal=code)

    async def _paid(self, turn: Turn, event: ExternalPaid) -> None:
        paid = Collected(
            event_id=event.id,
            quote_id=event.payload,
            amount_minor=event.amount_minor,
            currency=event.currency,
            charge_ref=event.charge_ref,
            payer=turn.payer,
            place=turn.place,
            at_us=turn.heard_at_us,
        )
        can_return = self.giving_back is not None

        def words(request: FundingRequest, collector: Collector) -> Speech:
            returns = can_return and collector.returns
            return (_came_in(turn, request, collector, returns=returns),)

        await self.payments.take(paid, words)

    async def _refunded(self, desk: Desk, turn: Turn, event: ExternalRefunded) -> None:
        payout = None
        if self.giving_back is not None:
            done = await self.giving_back.done(
                event.id, event.charge_ref, turn.place, turn.heard_at_us
            )
            if done:
                return
            payout = await self.giving_back.left_over(event.charge_ref)
        await desk.tell_admins(turn, _outside_the_books(event.charge_ref, payout))


def _came_in(turn: Turn, request: FundingRequest, collector: Collector, *, returns: bool) -> Notice:
    lines = (Line("It pays for what you chose; what is not used stays in your wallet."),)
    back = Button(label="Give it back", action=f"giveback:{request.code}")
    card = Card(
        title=f"{request.money.format()} came in through {collector.title}",
        lines=lines,
        buttons=(back,) if returns else (),
        tone=Tone.GOOD,
    )
    return card_notice(turn.place, card, send_id("collected", request.id))


def _outside_the_books(charge_ref: str, payout: FundingRequest | None) -> Card:
    """For admins: a payment went back, and its worth was not taken out of the wallet.

    `payout` had been asked for and ended without money; None where nobody had asked.
    """
    if payout is None:
        text = f"The network gave the payment {charge_ref} back, and nobody had asked here."
        more = "What came in for it was not taken out of the payer's wallet; no money moved here."
    else:
        money = payout.money.format()
        text = (
            f"The network gave the payment {charge_ref} back after its payout {payout.code} had "
            f"ended: {money} had gone back to {payout.owner} before."
        )
        more = (
            "No money moved just now: it is spent by now, or the wallet is frozen. "
            f"Ask its owner for {money}."
        )
    return Card(
        title="A payment was given back outside the books.",
        lines=(Line(text), Line(more, Role.HINT)),
        tone=Tone.BAD,
    )


def _asked_back(asking: Asking) -> Speech:
    """To the network: give this payment back."""
    notice = Notice(
        send_id=send_id("giveback", asking.payout.id, asking.asked),
        network=asking.payment.network,
        room_id=asking.payment.instructions,
        view=PAYOUT_ASKED,
        ref=asking.payout.code,
    )
    return (notice,)
