"""Captures of orders: what the payer's hold gives, who gets which part, and when it is free."""

from uuid import UUID

import msgspec

from wallet_core.commerce.house_terms import HouseTerms, shares_of, with_taken
from wallet_core.commerce.records import Merchant, Order, OrderState, taken_text
from wallet_core.errors import Refusal
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Insert, RowChange, Update, Value
from wallet_core.ledger.posting import MICROSECONDS
from wallet_core.ledger.transfers import Capture, HoldState, Leg, Void, named


class Taking(msgspec.Struct, frozen=True):
    """A capture to be committed, and the order after it."""

    capture: Capture
    rows: tuple[RowChange, ...]
    order: Order


def taking(
    name: UUID,
    order: Order,
    merchant: Merchant,
    amount_minor: int,
    terms: HouseTerms,
    *,
    at_us: int,
    from_escrow: bool = False,
) -> Taking:
    """Capture `amount_minor` of what an order holds; the last of it ends the hold.

    `from_escrow`: it was held for whoever proves the host, so that what the hold names is no
    merchant's account; his part goes straight to his own.
    `name` is the transfer's id. `at_us` is when the money was earned: pending money becomes
    available `terms.pending_s` later. The rows refuse with `NOT_OPEN` when the order has changed.
    """
    left_minor = order.amount_minor - order.captured_minor
    shares = shares_of(
        terms.tariff_of(order.currency),
        merchant.commission_ppm or 0,
        order.currency,
        order.captured_minor,
        amount_minor,
    )
    net_minor = amount_minor - sum(share.amount_minor for share in shares)
    taken = taken_text(with_taken(order.taken_by_account, shares))
    last = amount_minor == left_minor
    rows: tuple[RowChange, ...] = (_captured(order, amount_minor, taken, last=last),)
    if terms.pending_s and net_minor:
        shares = (*shares, Leg(accounts.pending(merchant.id, order.currency), net_minor))
        due_at_us = at_us + terms.pending_s * MICROSECONDS
        rows = (*rows, _settlement(name, order, merchant, net_minor, due_at_us))
    elif from_escrow and net_minor:
        shares = (*shares, Leg(accounts.merchant(merchant.id, order.currency), net_minor))
    capture = Capture(
        id=name,
        hold_id=order.hold_id,
        subject=f"order:{order.id}",
        amount_minor=None if last else amount_minor,
        shares=shares,
        last=last,
    )
    changed = msgspec.structs.replace(
        order,
        state=OrderState.PAID if last else order.state,
        captured_minor=order.captured_minor + amount_minor,
        taken=taken,
    )
    return Taking(capture, rows, changed)


def _captured(order: Order, amount_minor: int, taken: str | None, *, last: bool) -> Update:
    """The order's row after a capture; refused where the order is no longer as it was read."""
    return Update(
        table="orders",
        where={
            "id": order.id,
            "state": OrderState.AUTHORISED,
            "captured_minor": order.captured_minor,
        },
        values={"state": OrderState.PAID if last else OrderState.AUTHORISED, "taken": taken},
        add={"captured_minor": amount_minor},
        keep_within=(("captured_minor", "amount_minor"),),
        refusal=Refusal.NOT_OPEN,
    )


def _settlement(
    name: UUID, order: Order, merchant: Merchant, net_minor: int, due_at_us: int
) -> Insert:
    """The merchant's part of a capture, which becomes available at `due_at_us`."""
    settlement: dict[str, Value] = {
        "id": name,
        "order_id": order.id,
        "merchant_id": merchant.id,
        "currency": order.currency,
        "amount_minor": net_minor,
        "state": "pending",
        "due_at_us": due_at_us,
    }
    return Insert("settlements", settlement)


class Release(msgspec.Struct, frozen=True):
    """The rest of a hold that is to be given back, and the order after it."""

    void: Void
    rows: tuple[RowChange, ...]
    order: Order


def releasing(order: Order, *, expires: bool) -> Release:
    """Give back what is left after captures of parts: the order is paid with what was captured."""
    void = Void(
        id=named("expire" if expires else "void", order.hold_id),
        hold_id=order.hold_id,
        state=HoldState.EXPIRED if expires else HoldState.VOIDED,
        subject=f"order:{order.id}",
    )
    row = Update(
        table="orders",
        where={
            "id": order.id,
            "state": OrderState.AUTHORISED,
            "captured_minor": order.captured_minor,
        },
        values={"state": OrderState.PAID},
        refusal=Refusal.NOT_OPEN,
    )
    changed = msgspec.structs.replace(order, state=OrderState.PAID)
    return Release(void, (row,), changed)
