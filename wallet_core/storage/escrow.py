"""Reading what is held for the owners of hosts that nobody had claimed."""

from collections.abc import Sequence

from wallet_core.commerce.escrow import Claimed
from wallet_core.commerce.records import NOBODY, Merchant, Order, OrderState
from wallet_core.ledger.transfers import HoldState
from wallet_core.money import Money
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.requests import CLOCK, Statement, uuid_places
from wallet_core.storage.rows_by_key import Records

_ORDER = Order.__struct_fields__
_MERCHANT = Merchant.__struct_fields__
_MERCHANT_AT = len(_ORDER)
_HOST_AT = _MERCHANT_AT + len(_MERCHANT)

_WAITING = (
    "FROM orders o JOIN holds h ON h.id = o.hold_id"
    f" AND o.merchant_id = '{NOBODY}' AND o.state = '{OrderState.AUTHORISED}'"
    f" AND h.state = '{HoldState.OPEN}'"
)


def _account_of(host: str) -> str:
    """The escrow account of a host in the order's currency, as `accounts.escrow` names it."""
    return f"'escrow:' || {host} || '/escrow/' || o.currency"


def _claimed(now_us: str, limit: str) -> str:
    columns = ", ".join(
        [
            *(f"o.{name}" for name in _ORDER),
            *(f"m.{name}" for name in _MERCHANT),
            *("p.verified_host", now_us),
        ]
    )
    return (
        f"SELECT {columns} {_WAITING}"
        f" JOIN merchant_hosts p ON h.payee_account_id = {_account_of('p.verified_host')}"
        f" JOIN merchants m ON m.id = p.merchant_id ORDER BY o.created_at_us LIMIT {limit}"
    )


def _waiting_for(host: str) -> str:
    return (
        f"SELECT o.currency, count(*), CAST(sum(o.amount_minor) AS BIGINT) {_WAITING}"
        f" AND h.payee_account_id = {_account_of(host)} GROUP BY o.currency ORDER BY o.currency"
    )


# Asked many times a second, by the database's clock.
_CLAIMED = Statement(
    _claimed(f"coalesce(($1::bigint[])[1], {CLOCK})", "($2::bigint[])[1]"),
    _claimed("?1", "?2"),
    uuid_places(t.orders, _ORDER),
)
_WAITING_FOR = Statement(_waiting_for("($1::text[])[1]"), _waiting_for("?1"))


class EscrowRows:
    """`EscrowReader` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._orders = Records(database, t.orders, Order)
        self._merchants = Records(database, t.merchants, Merchant)

    async def claimed(self, limit: int) -> Sequence[Claimed]:
        """Orders whose host has been proven since."""
        now_us = self._database.clock_us() if self._database.is_sqlite else None
        return [
            Claimed(
                order=self._orders.made(row[:_MERCHANT_AT]),
                merchant=self._merchants.made(row[_MERCHANT_AT:_HOST_AT]),
                host=row[_HOST_AT],
                found_at_us=row[-1],
            )
            for row in await self._database.ask(_CLAIMED, ([now_us], [limit]))
        ]

    async def waiting_for(self, host: str) -> Sequence[tuple[int, Money]]:
        """How many payments wait for the owner of `host`, and how much it is, by currency."""
        rows = await self._database.ask(_WAITING_FOR, ([host],))
        return [(count, Money(total_minor, currency)) for currency, count, total_minor in rows]
