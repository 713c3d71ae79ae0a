"""What the books know of an order, for its receipt."""

from typing import Any

import sqlalchemy as sa

from wallet_core.audit.receipts import Movement, ReceiptFacts
from wallet_core.commerce.records import Order, Quote
from wallet_core.ledger import accounts
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.entry_paths import entries_back


class ReceiptReader:
    """Reads what a receipt tells."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def facts(self, order: Order) -> ReceiptFacts:
        """All that a receipt of `order` needs."""
        trade = (
            sa.select(t.quotes, t.offers.c.host, t.merchants.c.name)
            .join_from(t.quotes, t.offers, t.offers.c.id == t.quotes.c.offer_id)
            .join(t.merchants, t.merchants.c.id == order.merchant_id)
            .where(t.quotes.c.id == order.quote_id)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(trade)).mappings().one()
            movements = (await connection.execute(_movements(order))).all()
            now_us = await self._database.now_us(connection)
        return ReceiptFacts(
            order=order,
            quote=Quote(**{name: row[name] for name in Quote.__struct_fields__}),
            host=row["host"],
            merchant_name=row["name"],
            movements=[Movement(*movement) for movement in movements],
            now_us=now_us,
        )


def _movements(order: Order) -> sa.Select[Any]:
    """The order's transfers.

    By way of the payer's own accounts, one of which each of them touches: nothing leads from an
    order to its transfers.
    """
    payer = accounts.wallet(order.wallet_id, order.currency)
    entries = entries_back(t.accounts.c.id.in_((payer.id, payer.held.id)))
    m = t.transfers.c
    return (
        sa.select(m.id, m.kind, m.commit_key, m.created_at_us)
        .join_from(entries, t.transfers, m.id == entries.c.transfer_id)
        .where(m.subject == f"order:{order.id}")
        .distinct()
        .order_by(m.created_at_us, m.kind, m.id)
    )
