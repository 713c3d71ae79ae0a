"""Refunds: money of a captured order goes back to its buyer."""

from collections.abc import Sequence

import msgspec

from wallet_core.commerce.house_terms import HouseTerms, given_back, with_returned
from wallet_core.commerce.records import Order, OrderState, taken_text
from wallet_core.commerce.settlement import PendingMoney
from wallet_core.errors import Refusal
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import RowChange, Update
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.money import Money


class Refund(msgspec.Struct, frozen=True):
    """A refund to be committed, and the order after it."""

    post: Post
    rows: tuple[RowChange, ...]
    order: Order


def refunding(
    event_id: str, order: Order, amount: Money, pending: Sequence[PendingMoney], house: HouseTerms
) -> Refund:
    """Give `amount` of an order back.

    The rows refuse with `CHANGED` when the order, or what is pending of it, is not as it was seen:
    of twenty refunds at once one goes through, and the others are told so.
    """
    refunded_minor = order.refunded_minor + amount.amount_minor
    back: tuple[Leg, ...] = ()
    if house.fees_refunded:
        back = given_back(order.taken_by_account, refunded_minor, order.captured_minor)
    left_minor = amount.amount_minor + sum(leg.amount_minor for leg in back)
    pending_minor, rows = _from_pending(pending, left_minor)
    shares = (
        (accounts.pending(order.merchant_id, order.currency), pending_minor),
        (accounts.merchant(order.merchant_id, order.currency), left_minor - pending_minor),
    )
    post = Post(
        id=named("refund", event_id),
        subject=f"order:{order.id}",
        legs=(
            *(Leg(account, -minor) for account, minor in shares if minor),
            *back,
            Leg(accounts.wallet(order.wallet_id, order.currency), amount.amount_minor),
        ),
    )
    whole = refunded_minor >= order.captured_minor
    changed = msgspec.structs.replace(
        order,
        refunded_minor=refunded_minor,
        state=OrderState.REFUNDED if whole else order.state,
        taken=taken_text(with_returned(order.taken_by_account, back)),
    )
    row = Update(
        table="orders",
        where={
            "id": order.id,
            "refunded_minor": order.refunded_minor,
            "captured_minor": order.captured_minor,
        },
        values={"state": changed.state, "taken": changed.taken},
        add={"refunded_minor": amount.amount_minor},
        keep_within=(("refunded_minor", "captured_minor"),),
        refusal=Refusal.CHANGED,
    )
    return Refund(post, (row, *rows), changed)


def _from_pending(
    pending: Sequence[PendingMoney], wanted_minor: int
) -> tuple[int, tuple[RowChange, ...]]:
    """How much of `wanted_minor` comes from pending money, and the rows that say so."""
    taken_minor, rows = 0, []
    for money in pending:
        part_minor = min(money.amount_minor, wanted_minor - taken_minor)
        if part_minor <= 0:
            break
        taken_minor += part_minor
        rows.append(
            Update(
                table="settlements",
                where={"id": money.id, "state": "pending", "amount_minor": money.amount_minor},
                add={"amount_minor": -part_minor},
                refusal=Refusal.CHANGED,
            )
        )
    return taken_minor, tuple(rows)
