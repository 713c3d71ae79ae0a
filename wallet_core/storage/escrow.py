"""Reading what is held for the owners of hosts that nobody had claimed."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from wallet_core.commerce.escrow import Claimed
from wallet_core.commerce.records import NOBODY, Merchant, Order, OrderState
from wallet_core.ledger.transfers import HoldState
from wallet_core.money import Money
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database

_ORDER = [t.orders.c[name] for name in Order.__struct_fields__]
_MERCHANT = [t.merchants.c[name] for name in Merchant.__struct_fields__]


class EscrowRows:
    """`EscrowReader` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claimed(self, limit: int) -> tuple[int, Sequence[Claimed]]:
        """The database's clock, and orders whose host has been proven since."""
        async with self._database.read() as connection:
            now_us = await self._database.now_us(connection)
            rows = (await connection.execute(_CLAIMED.limit(limit))).all()
        return now_us, [_claimed(tuple(row)) for row in rows]

    async def waiting_for(self, host: str) -> Sequence[tuple[int, Money]]:
        """How many payments wait for the owner of `host`, and how much it is, by currency."""
        account = _account_of(sa.literal(host))
        query = (
            sa.select(
                t.orders.c.currency,
                sa.func.count(),
                sa.cast(sa.func.sum(t.orders.c.amount_minor), sa.BigInteger),
            )
            .join_from(t.orders, t.holds, t.holds.c.id == t.orders.c.hold_id)
            .where(*_waiting(), t.holds.c.payee_account_id == account)
            .group_by(t.orders.c.currency)
            .order_by(t.orders.c.currency)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [(count, Money(total_minor, currency)) for currency, count, total_minor in rows]


def _account_of(host: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """The escrow account of a host in the order's currency, as `accounts.escrow` names it."""
    named = sa.literal("escrow:") + host + sa.literal("/escrow/") + t.orders.c.currency
    return sa.type_coerce(named, sa.String)


def _waiting() -> tuple[sa.ColumnElement[bool], ...]:
    return (
        t.orders.c.merchant_id == NOBODY,
        t.orders.c.state == OrderState.AUTHORISED,
        t.holds.c.state == HoldState.OPEN,
    )


_CLAIMED = (
    sa.select(*_ORDER, *_MERCHANT, t.merchant_hosts.c.verified_host)
    .join_from(t.orders, t.holds, t.holds.c.id == t.orders.c.hold_id)
    .join(
        t.merchant_hosts,
        t.holds.c.payee_account_id == _account_of(t.merchant_hosts.c.verified_host),
    )
    .join(t.merchants, t.merchants.c.id == t.merchant_hosts.c.merchant_id)
    .where(*_waiting())
    .order_by(t.orders.c.created_at_us)
)


def _claimed(row: tuple[Any, ...]) -> Claimed:
    order_width, merchant_width = len(_ORDER), len(_MERCHANT)
    merchant = row[order_width : order_width + merchant_width]
    return Claimed(
        order=Order(**dict(zip(Order.__struct_fields__, row[:order_width], strict=True))),
        merchant=Merchant(**dict(zip(Merchant.__struct_fields__, merchant, strict=True))),
        host=row[-1],
    )
