"""Reading conversions, and what a wallet could convert."""

from collections.abc import Sequence

import sqlalchemy as sa

from wallet_core.commerce.conversion import Conversion
from wallet_core.commerce.conversion_checkout import Funds
from wallet_core.ledger.accounts import Purpose
from wallet_core.storage import tables as t
from wallet_core.storage import trade_tables as trade
from wallet_core.storage.database import Database

_FIELDS = Conversion.__struct_fields__


class Conversions:
    """`ConversionReader` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def conversion(self, conversion_id: str) -> Conversion | None:
        """One quote or conversion."""
        c = trade.conversions.c
        query = sa.select(trade.conversions).where(c.id == conversion_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        return Conversion(**{name: row[name] for name in _FIELDS}) if row is not None else None

    async def funds(self, wallet_id: str) -> Sequence[Funds]:
        """What a wallet can spend, by currency, with its standing consents."""
        a, c = t.accounts.c, trade.conversion_consents.c
        balances = sa.select(a.currency, a.balance_minor).where(
            a.wallet_id == wallet_id,
            a.owner == f"wallet:{wallet_id}",
            a.purpose == Purpose.AVAILABLE,
        )
        consents = sa.select(c.currency, c.cap_minor).where(c.wallet_id == wallet_id)
        async with self._database.read() as connection:
            available = {r.currency: r.balance_minor for r in await connection.execute(balances)}
            caps = {r.currency: r.cap_minor for r in await connection.execute(consents)}
        return [
            Funds(currency, available.get(currency, 0), caps.get(currency))
            for currency in sorted({*available, *caps})
        ]
