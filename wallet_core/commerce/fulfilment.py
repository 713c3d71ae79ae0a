"""What becomes of an order after its tap: accepted, declined, captured, expired, refunded.

Endings are rows, not timers: `Endings` looks for holds that are due, so a restart forgets none.
"""

import asyncio
from dataclasses import dataclass

import msgspec

from wallet_core.commerce.answers import event_key, say_once
from wallet_core.commerce.checkout import Terms
from wallet_core.commerce.escrow import escrow_host
from wallet_core.commerce.house_terms import NO_HOUSE_TERMS, HouseTerms
from wallet_core.commerce.news import ActionRefused, Announcer, FundingChanged, OrderChanged
from wallet_core.commerce.orders import ending_without_money
from wallet_core.commerce.ports import DueReader, FundingReader, OrderReader
from wallet_core.commerce.records import (
    NOBODY,
    FundingRequest,
    Merchant,
    Order,
    OrderState,
    Place,
    Speech,
)
from wallet_core.commerce.refunds import refunding
from wallet_core.commerce.takings import releasing, taking
from wallet_core.errors import KeyConflict, Refusal, Refused
from wallet_core.ledger.commits import Commit, Hold, RowChange, Update, WriterPort
from wallet_core.ledger.posting import MICROSECONDS
from wallet_core.ledger.transfers import (
    Capture,
    EndingAction,
    HoldState,
    Transfer,
    Void,
    named,
)
from wallet_core.money import Money

#: Endings worked on in one round.
_ROUND_MAX = 100
#: When a payout is looked at again that its network alone can end.
_NETWORK_LOOK_US = 24 * 3600 * MICROSECONDS
#: How many holds are ended at the same time.
_AT_ONCE = 20


@dataclass
class Fulfilment:
    """The merchant's side of orders. Each method answers an event; repeating it changes nothing."""

    writer: WriterPort
    reader: OrderReader
    announce: Announcer
    terms: Terms
    house: HouseTerms = NO_HOUSE_TERMS

    async def accept(self, event_id: str, order: Order, person_id: str, place: Place) -> None:
        """Take an order: its money is captured once the payer's undo window has passed."""
        changed = msgspec.structs.replace(order, accepted=True)
        due_us = order.created_at_us + round(self.terms.undo_window_s * MICROSECONDS)
        rows: tuple[RowChange, ...] = (
            Update(
                table="orders",
                where={"id": order.id, "state": OrderState.AUTHORISED, "accepted": False},
                values={"accepted": True},
                refusal=Refusal.NOT_OPEN,
            ),
            Update(
                table="holds",
                where={"id": order.hold_id, "state": HoldState.OPEN},
                values={"ending": EndingAction.CAPTURE, "due_at_us": due_us},
                refusal=Refusal.NOT_OPEN,
            ),
        )
        await self._act(event_id, "accept", order, changed, person_id, place, rows=rows)

    async def decline(self, event_id: str, order: Order, person_id: str, place: Place) -> None:
        """Turn an order down while its money is held; all of it goes back.

        What was captured of it in part stays captured; then only the rest goes back.
        """
        if order.captured_minor:
            await self.release(event_id, order, person_id, place)
            return
        changed = msgspec.structs.replace(order, state=OrderState.DECLINED)
        key = event_key(event_id)
        ending = ending_without_money(key, order, OrderState.DECLINED, ())
        await self._act(
            event_id,
            "decline",
            order,
            changed,
            person_id,
            place,
            transfers=ending.transfers,
            rows=ending.rows,
        )

    async def capture_part(
        self,
        event_id: str,
        order: Order,
        amount: Money,
        person_id: str,
        place: Place,
        at_us: int,
    ) -> None:
        """Capture a part of what an order holds, once its buyer can undo no more.

        The rest stays held for further parts until it is released, captured or expires. Capturing
        all that is left ends the hold. An undo that was heard in time wins, however late it is
        answered: while something waits that was heard before the window was over, it is too early.
        """
        left_minor = order.amount_minor - order.captured_minor
        undo_until_us = order.created_at_us + round(self.terms.undo_window_s * MICROSECONDS)
        code: Refusal | None = None
        if order.state != OrderState.AUTHORISED or order.accepted:
            code = Refusal.NOT_OPEN
        elif at_us < undo_until_us:
            code = Refusal.TOO_EARLY
        elif amount.currency != order.currency or not 0 < amount.amount_minor <= left_minor:
            code = Refusal.TOO_MUCH
        elif await self.reader.is_heard_and_open(undo_until_us, event_id):
            code = Refusal.TOO_EARLY
        merchant = await self.reader.merchant(order.merchant_id)
        if code is not None or merchant is None:
            member = await self.reader.is_member(order.merchant_id, person_id)
            code = code if code and member else Refusal.NOT_ALLOWED
            await self._refuse(event_id, "capture", code, order, place, amount)
            return
        name = named("capture", event_id)
        taken = taking(name, order, merchant, amount.amount_minor, self.house, at_us=at_us)
        await self._act(
            event_id,
            "capture",
            order,
            taken.order,
            person_id,
            place,
            transfers=(taken.capture,),
            rows=taken.rows,
        )

    async def release(self, event_id: str, order: Order, person_id: str, place: Place) -> None:
        """Give the buyer back what is still held of an order that was captured in part."""
        if not order.captured_minor:
            await self.decline(event_id, order, person_id, place)
            return
        rest = releasing(order, expires=False)
        await self._act(
            event_id,
            "release",
            order,
            rest.order,
            person_id,
            place,
            transfers=(rest.void,),
            rows=rest.rows,
        )

    async def refund(
        self, event_id: str, order: Order, amount: Money, person_id: str, place: Place
    ) -> None:
        """Give back `amount` of what was captured; never more than is left of it.

        It comes from what is pending of this order first, then from what the merchant has
        available; the house's share comes back with it only where the house's terms say so.
        """
        code = None
        if amount.currency != order.currency or not 0 < amount.amount_minor <= (
            order.captured_minor - order.refunded_minor
        ):
            code = Refusal.TOO_MUCH
        elif order.state == OrderState.AUTHORISED:
            # Some of it is still held: its captures come to an end first.
            code = Refusal.TOO_EARLY
        if code is not None:
            # Only a member learns how much it is.
            member = await self.reader.is_member(order.merchant_id, person_id)
            code = code if member else Refusal.NOT_ALLOWED
            await self._refuse(event_id, "refund", code, order, place, amount)
            return
        pending = await self.reader.pending_of_order(order.id)
        back = refunding(event_id, order, amount, pending, self.house)
        await self._act(
            event_id,
            "refund",
            order,
            back.order,
            person_id,
            place,
            transfers=(back.post,),
            rows=back.rows,
            refund=amount,
        )

    async def _act(
        self,
        event_id: str,
        action: str,
        order: Order,
        changed: Order,
        person_id: str,
        place: Place,
        *,
        transfers: tuple[Transfer, ...] = (),
        rows: tuple[RowChange, ...] = (),
        refund: Money | None = None,
    ) -> None:
        if await self.writer.written(event_key(event_id)) is not None:
            return
        merchant = await self.reader.merchant(order.merchant_id)
        if merchant is None or not await self.reader.is_member(merchant.id, person_id):
            await self._refuse(event_id, action, Refusal.NOT_ALLOWED, order, place)
            return
        news = OrderChanged(
            cause=event_id, order=changed, merchant=merchant, refund=refund, place=place
        )
        commit = Commit(
            key=event_key(event_id),
            transfers=transfers,
            rows=rows,
            outbox=self.announce(news),
            event_id=event_id,
            result=order.id,
        )
        try:
            await self.writer.commit(commit)
        except Refused as refused:
            latest = await self.reader.order(order.id)
            await self._refuse(event_id, action, refused.code, latest or order, place, refund)
        except KeyConflict:
            return

    async def _refuse(
        self,
        event_id: str,
        action: str,
        code: Refusal,
        order: Order,
        place: Place,
        money: Money | None = None,
    ) -> None:
        news = ActionRefused(
            event_id=event_id, action=action, code=code, place=place, order=order, money=money
        )
        await say_once(self.writer, event_id, self.announce(news), code)


@dataclass
class Endings:
    """Gives every hold the ending that it was made with."""

    writer: WriterPort
    due: DueReader
    orders: OrderReader
    funding: FundingReader
    announce: Announcer
    house: HouseTerms = NO_HOUSE_TERMS

    async def run_due(self) -> int:
        """End what is due; gives how many holds were looked at.

        One hold that cannot be ended keeps no other from its ending; what went wrong is raised
        together afterwards, as an `ExceptionGroup`.
        """
        holds = await self.due.due_holds(_ROUND_MAX)
        errors: list[Exception] = []
        for start in range(0, len(holds), _AT_ONCE):
            # Together they share the writer's transactions; all of them would keep taps waiting.
            some = holds[start : start + _AT_ONCE]
            ended = await asyncio.gather(*map(self._end, some), return_exceptions=True)
            errors += [error for error in ended if isinstance(error, Exception)]
        if errors:
            raise ExceptionGroup("Holds that could not be ended", errors)
        return len(holds)

    async def _end(self, hold: Hold) -> None:
        kind, _, ref = hold.subject.partition(":")
        try:
            if kind == "order":
                await self._end_order(hold, ref)
            else:
                await self._end_other(hold)
        except (Refused, KeyConflict):
            # An undo, a confirmation or another process was quicker: the hold has its ending.
            return

    async def _end_order(self, hold: Hold, order_id: str) -> None:
        order = await self.orders.order(order_id)
        merchant = await self.orders.merchant(order.merchant_id) if order else None
        if order is None or (merchant is None and order.merchant_id != NOBODY):
            return
        key = f"ending:{hold.id.hex}"
        if merchant is not None and hold.ending == EndingAction.CAPTURE:
            await self.writer.commit(self._capture(key, hold, order, merchant))
            return
        if order.captured_minor:
            rest = releasing(order, expires=True)
            news = OrderChanged(cause=key, order=rest.order, merchant=merchant)
            await self.writer.commit(
                Commit(
                    key=key,
                    transfers=(rest.void,),
                    rows=rest.rows,
                    outbox=self.announce(news),
                    result=order.id,
                )
            )
            return
        changed = msgspec.structs.replace(order, state=OrderState.EXPIRED)
        news = OrderChanged(
            cause=key, order=changed, merchant=merchant, host=escrow_host(hold) or ""
        )
        await self.writer.commit(
            ending_without_money(key, order, OrderState.EXPIRED, self.announce(news))
        )

    def _capture(self, key: str, hold: Hold, order: Order, merchant: Merchant) -> Commit:
        taken = taking(
            named("capture", hold.id),
            order,
            merchant,
            order.amount_minor - order.captured_minor,
            self.house,
            at_us=hold.due_at_us,
            from_escrow=escrow_host(hold) is not None,
        )
        news = OrderChanged(cause=key, order=taken.order, merchant=merchant)
        return Commit(
            key=key,
            transfers=(taken.capture,),
            rows=taken.rows,
            outbox=self.announce(news),
            result=order.id,
        )

    async def _end_other(self, hold: Hold) -> None:
        """A payout, or what somebody else has held: captured or given back, as it was made."""
        request = await self.funding.funding_request_of_hold(hold.id)
        if request is not None and await self._is_in_its_networks_hands(request):
            await self.writer.commit(_put_off(hold))
            return
        key = f"ending:{hold.id.hex}"
        captured = hold.ending == EndingAction.CAPTURE
        rows: tuple[RowChange, ...] = ()
        speech: Speech = ()
        if request is not None:
            ended = msgspec.structs.replace(request, state="done" if captured else "expired")
            rows = (
                Update(
                    table="funding_requests",
                    where={"id": request.id, "state": "pending"},
                    values={"state": ended.state},
                    refusal=Refusal.NOT_OPEN,
                ),
            )
            news = FundingChanged(event_id=key, request=ended, place=ended.place)
            speech = self.announce(news)
        transfer = _captured(hold) if captured else _expired(hold)
        await self.writer.commit(Commit(key=key, transfers=(transfer,), rows=rows, outbox=speech))

    async def _is_in_its_networks_hands(self, request: FundingRequest) -> bool:
        """Whether a network may have paid it already: one that was asked and did not say no."""
        if not request.is_network_settled:
            return False
        asks = await self.funding.payout_asks(request.code)
        return not asks or any(state != "dropped" for state in asks)


def _captured(hold: Hold) -> Capture:
    return Capture(id=named("capture", hold.id), hold_id=hold.id, subject=hold.subject)


def _expired(hold: Hold) -> Void:
    return Void(
        id=named("expire", hold.id),
        hold_id=hold.id,
        state=HoldState.EXPIRED,
        subject=hold.subject,
    )


def _put_off(hold: Hold) -> Commit:
    """Look at a hold again later; what is due and cannot be ended would be looked at for ever."""
    return Commit(
        key=f"put off:{hold.id.hex}:{hold.due_at_us}",
        rows=(
            Update(
                table="holds",
                where={"id": hold.id, "state": HoldState.OPEN, "due_at_us": hold.due_at_us},
                values={"due_at_us": hold.due_at_us + _NETWORK_LOOK_US},
                refusal=Refusal.NOT_OPEN,
            ),
        ),
    )
