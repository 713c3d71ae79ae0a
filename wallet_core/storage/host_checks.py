"""Reading which proofs of hosts are to be looked for, and whom their news concern."""

from collections.abc import Sequence

import sqlalchemy as sa

from wallet_core.commerce.records import HostClaim, Merchant, Place
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database

#: Cards that are brought up to date when a host loses its proof, or finds it again.
_QUOTES_MAX = 200
_CLAIM = [t.merchant_hosts.c[name] for name in HostClaim.__struct_fields__]
_MERCHANT = [t.merchants.c[name] for name in Merchant.__struct_fields__]


class HostCheckRows:
    """`HostCheckReader` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due_hosts(self, now_us: int, limit: int) -> Sequence[HostClaim]:
        """Claims whose proof is to be looked for, the longest due first."""
        h = t.merchant_hosts.c
        never = sa.and_(h.verified_host.is_not(None), h.check_due_us.is_(None))
        query = (
            sa.select(*_CLAIM)
            .where(sa.or_(h.check_due_us <= now_us, never))
            .order_by(sa.func.coalesce(h.check_due_us, 0), h.host)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [HostClaim(**row) for row in rows]

    async def merchant(self, merchant_id: str) -> Merchant | None:
        """One merchant."""
        query = sa.select(*_MERCHANT).where(t.merchants.c.id == merchant_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        return Merchant(**row) if row is not None else None

    async def members(self, merchant_id: str) -> Sequence[Place]:
        """Where those who act for a merchant are reached in private."""
        i, m = t.identities.c, t.merchant_members.c
        query = (
            sa.select(i.network, i.room_id, i.network_person_id)
            .join(t.merchant_members, m.person_id == i.person_id)
            .where(m.merchant_id == merchant_id)
            .order_by(i.network, i.network_person_id)
        )
        async with self._database.read() as connection:
            return [Place(*row) for row in await connection.execute(query)]

    async def open_quotes(self, claim: HostClaim, now_us: int) -> Sequence[str]:
        """Quotes of the claim's merchant on its host that have not expired, the newest first."""
        q = t.quotes.c
        query = (
            sa.select(q.id)
            .join(t.offers, t.offers.c.id == q.offer_id)
            .where(q.merchant_id == claim.merchant_id, t.offers.c.host == claim.host)
            .where(q.expires_at_us > now_us)
            .order_by(q.created_at_us.desc())
            .limit(_QUOTES_MAX)
        )
        async with self._database.read() as connection:
            return [row.id for row in await connection.execute(query)]
