"""What becomes of an order after its tap: accepted, declined, captured, expired, refunded.

Endings are rows, not timers: `Endings` looks for holds that are due, so a restart forgets none.
"""

from dataclasses import dataclass

import msgspec

from wallet_core.commerce.answers import event_key, say_once
from wallet_core.commerce.checkout import Terms, ending_without_money
from wallet_core.commerce.news import ActionRefused, Announcer, OrderChanged
from wallet_core.commerce.ports import DueReader, FundingReader, OrderReader
from wallet_core.commerce.records import Merchant, Order, OrderState, Place, Speech
from wallet_core.errors import KeyConflict, Refusal, Refused
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit, Hold, RowChange, Update, WriterPort
from wallet_core.ledger.posting import MICROSECONDS
from wallet_core.ledger.transfers import (
    Capture,
    EndingAction,
    HoldState,
    Leg,
    Post,
    Transfer,
    Void,
    named,
)
from wallet_core.money import Money

#: Endings worked on in one round.
_ROUND_MAX = 100


@dataclass
class Fulfilment:
    """The merchant's side of orders. Each method answers an event; repeating it changes nothing."""

    writer: WriterPort
    reader: OrderReader
    announce: Announcer
    terms: Terms

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
        """Turn an order down while its money is held; all of it goes back."""
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

    async def refund(
        self, event_id: str, order: Order, amount: Money, person_id: str, place: Place
    ) -> None:
        """Give back `amount` of what was captured; never more than is left of it."""
        refunded = order.refunded_minor + amount.amount_minor
        whole = refunded >= order.captured_minor
        changed = msgspec.structs.replace(
            order,
            refunded_minor=refunded,
            state=OrderState.REFUNDED if whole else order.state,
        )
        if amount.currency != order.currency or not 0 < amount.amount_minor <= (
            order.captured_minor - order.refunded_minor
        ):
            # Only a member learns how much it is.
            member = await self.reader.is_member(order.merchant_id, person_id)
            code = Refusal.TOO_MUCH if member else Refusal.NOT_ALLOWED
            await self._refuse(event_id, "refund", code, order, place, amount)
            return
        transfer = Post(
            id=named("refund", event_id),
            subject=f"order:{order.id}",
            legs=(
                Leg(accounts.merchant(order.merchant_id, order.currency), -amount.amount_minor),
                Leg(accounts.wallet(order.wallet_id, order.currency), amount.amount_minor),
            ),
        )
        row = Update(
            table="orders",
            # The amount that was seen is part of the condition: of twenty refunds at once one
            # goes through, and the others are told that the order has changed.
            where={"id": order.id, "refunded_minor": order.refunded_minor},
            values={"state": changed.state},
            add={"refunded_minor": amount.amount_minor},
            keep_within=(("refunded_minor", "captured_minor"),),
            refusal=Refusal.CHANGED,
        )
        await self._act(
            event_id,
            "refund",
            order,
            changed,
            person_id,
            place,
            transfers=(transfer,),
            rows=(row,),
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

    async def run_due(self) -> int:
        """End what is due; gives how many holds were looked at.

        One hold that cannot be ended keeps no other from its ending; what went wrong is raised
        together afterwards, as an `ExceptionGroup`.
        """
        holds = await self.due.due_holds(_ROUND_MAX)
        errors: list[Exception] = []
        for hold in holds:
            try:
                await self._end(hold)
            except Exception as error:  # noqa: BLE001 - raised below
                errors.append(error)
        if errors:
            raise ExceptionGroup("Holds that could not be ended", errors)
        return len(holds)

    async def _end(self, hold: Hold) -> None:
        kind, _, ref = hold.subject.partition(":")
        try:
            if kind == "order":
                await self._end_order(hold, ref)
            else:
                await self._expire_payout(hold)
        except (Refused, KeyConflict):
            # An undo, a confirmation or another process was quicker: the hold has its ending.
            return

    async def _end_order(self, hold: Hold, order_id: str) -> None:
        order = await self.orders.order(order_id)
        merchant = await self.orders.merchant(order.merchant_id) if order else None
        if order is None or merchant is None:
            return
        key = f"ending:{hold.id.hex}"
        if hold.ending == EndingAction.CAPTURE:
            await self.writer.commit(self._capture(key, hold, order, merchant))
            return
        changed = msgspec.structs.replace(order, state=OrderState.EXPIRED)
        news = OrderChanged(cause=key, order=changed, merchant=merchant)
        await self.writer.commit(
            ending_without_money(key, order, OrderState.EXPIRED, self.announce(news))
        )

    def _capture(self, key: str, hold: Hold, order: Order, merchant: Merchant) -> Commit:
        changed = msgspec.structs.replace(
            order, state=OrderState.PAID, captured_minor=order.amount_minor
        )
        return Commit(
            key=key,
            transfers=(
                Capture(id=named("capture", hold.id), hold_id=hold.id, subject=f"order:{order.id}"),
            ),
            rows=(
                Update(
                    table="orders",
                    where={"id": order.id, "state": OrderState.AUTHORISED},
                    values={"state": OrderState.PAID, "captured_minor": order.amount_minor},
                    refusal=Refusal.NOT_OPEN,
                ),
            ),
            outbox=self.announce(OrderChanged(cause=key, order=changed, merchant=merchant)),
            result=order.id,
        )

    async def _expire_payout(self, hold: Hold) -> None:
        request = await self.funding.funding_request_of_hold(hold.id)
        rows: tuple[RowChange, ...] = ()
        speech: Speech = ()
        if request is not None:
            rows = (
                Update(
                    table="funding_requests",
                    where={"id": request.id, "state": "pending"},
                    values={"state": "expired"},
                    refusal=Refusal.NOT_OPEN,
                ),
            )
        void = Void(
            id=named("expire", hold.id),
            hold_id=hold.id,
            state=HoldState.EXPIRED,
            subject=hold.subject,
        )
        await self.writer.commit(
            Commit(key=f"ending:{hold.id.hex}", transfers=(void,), rows=rows, outbox=speech)
        )
