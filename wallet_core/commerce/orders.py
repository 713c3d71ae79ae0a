"""A tap, the order that it makes, and the end of one whose money is only held."""

import msgspec

from wallet_core.commerce.answers import event_key
from wallet_core.commerce.numbers import readable_number
from wallet_core.commerce.records import (
    NOBODY,
    Merchant,
    Order,
    OrderState,
    Payer,
    Place,
    Quote,
    Speech,
)
from wallet_core.errors import Refusal
from wallet_core.ledger.commits import Commit, Update, Value
from wallet_core.ledger.transfers import HoldState, Void, named, timed
from wallet_core.money import Money


class TapOn(msgspec.Struct, frozen=True, kw_only=True):
    """A tap: by whom, where, on which quote. `tap_ref` is what an untap will name.

    `day_max` is set where the payer does not ask for this payment but has allowed such ones
    beforehand: the most that all of these may come to in 24 hours.
    """

    event_id: str
    quote_id: str
    payer: Payer
    place: Place
    at_us: int
    tap_ref: str | None = None
    day_max: Money | None = None

    @property
    def key(self) -> str:
        """The commit key of everything that this tap does."""
        return event_key(self.event_id)


def new_order(tap: TapOn, quote: Quote, merchant: Merchant | None, price: Money) -> Order:
    """The order that a tap makes; `merchant` is None where nobody has claimed the host yet."""
    accepts = merchant is not None and (merchant.standing_acceptance or quote.is_payable)
    # By the key of the event it is made once; the time in it only keeps neighbours together.
    name = timed(tap.at_us, "order", tap.event_id)
    return Order(
        id=f"o_{name.hex}",
        number=readable_number(name),
        quote_id=quote.id,
        offer_id=quote.offer_id,
        merchant_id=merchant.id if merchant is not None else NOBODY,
        wallet_id=tap.payer.wallet_id,
        hold_id=timed(tap.at_us, "authorise", tap.event_id),
        amount_minor=price.amount_minor,
        captured_minor=0,
        refunded_minor=0,
        currency=price.currency,
        title=quote.title,
        state=OrderState.AUTHORISED,
        accepted=accepts,
        network=tap.place.network,
        room_id=tap.place.room_id,
        network_person_id=tap.place.network_person_id,
        created_at_us=tap.at_us,
    )


def ending_without_money(
    key: str, order: Order, state: OrderState, speech: Speech, event_id: str | None = None
) -> Commit:
    """The commit that ends an order whose money is held: all of it goes back, and the stock too."""
    expires = state is OrderState.EXPIRED
    hold_state = HoldState.EXPIRED if expires else HoldState.VOIDED
    seen: dict[str, Value] = {"id": order.id, "state": OrderState.AUTHORISED, "captured_minor": 0}
    if expires:
        # An acceptance that came while the expiry was under way wins.
        seen["accepted"] = False
    return Commit(
        key=key,
        transfers=(
            Void(
                # Other parameters, other name: what comes after the hold has ended is then
                # refused by the hold's state, which is an answer, and not by a conflict.
                id=named("expire" if expires else "void", order.hold_id),
                hold_id=order.hold_id,
                state=hold_state,
                subject=f"order:{order.id}",
            ),
        ),
        rows=(
            Update(
                table="orders",
                where=seen,
                values={"state": state},
                refusal=Refusal.NOT_OPEN,
            ),
            Update(table="offers", where={"id": order.offer_id}, add={"sold": -1}),
        ),
        outbox=speech,
        event_id=event_id,
        result=order.id,
    )
