"""Reading merchants' pending money."""

import sqlalchemy as sa

from wallet_core.commerce.settlement import PendingMoney
from wallet_core.storage import trade_tables as t
from wallet_core.storage.database import Database

_COLUMNS = [t.settlements.c[name] for name in PendingMoney.__struct_fields__]


async def due_settlements(database: Database, limit: int) -> list[PendingMoney]:
    """Pending money whose time has come, by the database's clock."""
    s = t.settlements.c
    async with database.read() as connection:
        now_us = await database.now_us(connection)
        query = (
            sa.select(*_COLUMNS)
            .where(s.state == "pending", s.due_at_us <= now_us)
            .order_by(s.due_at_us)
            .limit(limit)
        )
        rows = (await connection.execute(query)).mappings().all()
    return [PendingMoney(**row) for row in rows]


async def pending_of_order(database: Database, order_id: str) -> list[PendingMoney]:
    """What is left on pending accounts of an order's captures, what came last first."""
    s = t.settlements.c
    query = (
        sa.select(*_COLUMNS)
        .where(s.order_id == order_id, s.state == "pending", s.amount_minor > 0)
        .order_by(s.due_at_us.desc(), s.id)
    )
    async with database.read() as connection:
        rows = (await connection.execute(query)).mappings().all()
    return [PendingMoney(**row) for row in rows]
