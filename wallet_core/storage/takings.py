"""Reading merchants' pending money."""

import sqlalchemy as sa

from wallet_core.commerce.settlement import PendingMoney
from wallet_core.storage import trade_tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.requests import CLOCK, Statement, uuid_places

_FIELDS = PendingMoney.__struct_fields__
_COLUMNS = [t.settlements.c[name] for name in _FIELDS]
_WHERE = f"SELECT {', '.join(_FIELDS)} FROM settlements WHERE state = 'pending' AND due_at_us <= "  # noqa: S608 - our own words
# Asked many times a second, by the database's clock.
_DUE = Statement(
    f"{_WHERE}coalesce(($1::bigint[])[1], {CLOCK}) ORDER BY due_at_us LIMIT ($2::bigint[])[1]",
    f"{_WHERE}?1 ORDER BY due_at_us LIMIT ?2",
    uuid_places(t.settlements, _FIELDS),
)


async def due_settlements(database: Database, limit: int) -> list[PendingMoney]:
    """Pending money whose time has come, by the database's clock."""
    now_us = database.clock_us() if database.is_sqlite else None
    rows = await database.ask(_DUE, ([now_us], [limit]))
    return [PendingMoney(**dict(zip(_FIELDS, row, strict=True))) for row in rows]


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
