"""Whether our books are right after a measurement, read from nothing but their rows.

The only place here that knows columns of the books.
"""

from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from wallet_core.storage import tables as t
from wallet_core.storage.database import Database


class WrongBooks(Exception):
    """Something that was acknowledged does not stand, or the books contradict themselves."""


@dataclass
class Acknowledged:
    """What the callers were told, since the books at `url` were opened."""

    url: str
    opening_transfers: int
    transfers: list[int] = field(default_factory=list)
    taps: list[int] = field(default_factory=list)

    async def check_sums(self) -> None:
        """Quick, after each measurement: all sums are zero, and there are as many rows as answers.

        Raises WrongBooks.
        """
        database = Database(self.url)
        try:
            async with database.read() as connection:
                await self._compare(connection)
        finally:
            await database.close()

    async def check_rows(self) -> None:
        """Thorough: each answer's row is there, each transfer balances, balances are their entries.

        Raises WrongBooks.
        """
        database = Database(self.url)
        try:
            async with database.read() as connection:
                await self._compare(connection)
                standing = await connection.stream_scalars(sa.select(t.transfers.c.id))
                lost = set(self.transfers) - {transfer_id.int async for transfer_id in standing}
                refs = await connection.stream_scalars(sa.select(t.attempts.c.tap_ref))
                lost |= set(self.taps) - {UUID(hex=ref).int async for ref in refs if ref}
                _zero("acknowledged and lost", len(lost))
                _zero("transfers that do not balance", await _count(connection, _UNBALANCED))
                _zero("balances unlike their entries", await _count(connection, _DIFFERENT))
        finally:
            await database.close()

    async def _compare(self, connection: AsyncConnection) -> None:
        _zero("sum of all balances", await _value(connection, _BALANCES))
        _zero("sum of all entries", await _value(connection, _ENTRIES))
        wanted = self.opening_transfers + len(self.transfers) + len(self.taps)
        _equal("transfers", await _count(connection, t.transfers), wanted)
        _equal("orders", await _count(connection, t.orders), len(self.taps))


_BALANCES = sa.select(sa.func.coalesce(sa.func.sum(t.accounts.c.balance_minor), 0))
_ENTRIES = sa.select(sa.func.coalesce(sa.func.sum(t.entries.c.amount_minor), 0))
_UNBALANCED = (
    sa.select(t.entries.c.transfer_id)
    .group_by(t.entries.c.transfer_id)
    .having(sa.func.sum(t.entries.c.amount_minor) != 0)
    .subquery()
)
_OF_ACCOUNT = (
    sa.select(
        t.entries.c.account_no,
        sa.func.sum(t.entries.c.amount_minor).label("balance_minor"),
        sa.func.count().label("version"),
    )
    .group_by(t.entries.c.account_no)
    .subquery()
)
_DIFFERENT = (
    sa.select(t.accounts.c.id)
    .outerjoin(_OF_ACCOUNT, _OF_ACCOUNT.c.account_no == t.accounts.c.no)
    .where(
        (t.accounts.c.balance_minor != sa.func.coalesce(_OF_ACCOUNT.c.balance_minor, 0))
        | (t.accounts.c.version != sa.func.coalesce(_OF_ACCOUNT.c.version, 0))
    )
    .subquery()
)


async def _value(connection: AsyncConnection, query: sa.Select[int]) -> int:
    return int((await connection.execute(query)).scalar_one())


async def _count(connection: AsyncConnection, rows: sa.FromClause) -> int:
    return await _value(connection, sa.select(sa.func.count()).select_from(rows))


def _zero(name: str, found: int) -> None:
    _equal(name, found, 0)


def _equal(name: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise WrongBooks(f"{name}: {found}, not {wanted}")
