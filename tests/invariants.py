"""What must hold of any database of ours, whatever happened to the processes that wrote it."""

from typing import Any

import sqlalchemy as sa

from wallet_core.ledger.transfers import HoldState
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database

#: How the state of an order and of its hold go together.
FITTING = {
    "authorised": HoldState.OPEN,
    "paid": HoldState.CAPTURED,
    "refunded": HoldState.CAPTURED,
    "undone": HoldState.VOIDED,
    "declined": HoldState.VOIDED,
    "expired": HoldState.EXPIRED,
}


async def assert_books_are_right(database: Database) -> None:
    """Sums, balances, numbering, holds against orders, stock against orders."""
    async with database.read() as connection:

        async def rows(query: sa.Select[Any]) -> list[sa.Row[Any]]:
            return list((await connection.execute(query)).all())

        sums = await rows(
            sa.select(t.accounts.c.currency, sa.func.sum(t.entries.c.amount_minor))
            .join(t.accounts, t.accounts.c.id == t.entries.c.account_id)
            .group_by(t.accounts.c.currency)
        )
        assert all(int(str(total)) == 0 for _, total in sums), sums

        accounts = await rows(
            sa.select(
                t.accounts.c.id,
                t.accounts.c.balance_minor,
                t.accounts.c.version,
                t.accounts.c.floor_minor,
                sa.func.coalesce(sa.func.sum(t.entries.c.amount_minor), 0),
                sa.func.count(t.entries.c.seq),
                sa.func.coalesce(sa.func.max(t.entries.c.seq), 0),
            )
            .join(t.entries, t.entries.c.account_id == t.accounts.c.id, isouter=True)
            .group_by(t.accounts.c.id)
        )
        for account_id, balance, version, floor, total, count, last in accounts:
            assert balance == int(str(total)), account_id
            assert version == count == last, account_id
            assert floor is None or int(str(balance)) >= int(str(floor)), account_id

        held = await rows(
            sa.select(t.holds.c.currency, sa.func.sum(t.holds.c.amount_minor))
            .where(t.holds.c.state == HoldState.OPEN)
            .group_by(t.holds.c.currency)
        )
        on_held = await rows(
            sa.select(t.accounts.c.currency, sa.func.sum(t.accounts.c.balance_minor))
            .where(t.accounts.c.purpose == "held", t.accounts.c.balance_minor != 0)
            .group_by(t.accounts.c.currency)
        )
        assert {c: int(str(v)) for c, v in held} == {c: int(str(v)) for c, v in on_held}

        orders = await rows(
            sa.select(t.orders.c.id, t.orders.c.state, t.holds.c.state).join(
                t.holds, t.holds.c.id == t.orders.c.hold_id, isouter=True
            )
        )
        for order_id, order_state, hold_state in orders:
            assert FITTING[str(order_state)] == hold_state, order_id

        lonely = await rows(
            sa.select(t.holds.c.id)
            .join(t.orders, t.orders.c.hold_id == t.holds.c.id, isouter=True)
            .where(t.holds.c.subject.like("order:%"), t.orders.c.id.is_(None))
        )
        assert not lonely

        sold = await rows(
            sa.select(t.offers.c.id, t.offers.c.sold, sa.func.count(t.orders.c.id))
            .join(
                t.orders,
                sa.and_(
                    t.orders.c.offer_id == t.offers.c.id,
                    t.orders.c.state.in_(("authorised", "paid", "refunded")),
                ),
                isouter=True,
            )
            .group_by(t.offers.c.id)
        )
        assert all(counted == real for _, counted, real in sold), sold
