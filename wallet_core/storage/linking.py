"""Identities that were joined to one person: the tables, and what linking reads of them."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from wallet_core.commerce.linking import Holdings, LinkRequest, Owned
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database, metadata

_NAMED = sa.String(500)

link_requests = sa.Table(
    "link_requests",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    # Only the digest of a code is kept.
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
    sa.Column("network", sa.String(20), nullable=False),
    sa.Column("network_person_id", _NAMED, nullable=False),
    sa.Column("room_id", _NAMED, nullable=False),
    sa.Column("person_id", sa.String(40), nullable=False),
    sa.Column("confirmed", sa.Boolean, nullable=False),
    sa.Column("other_network", sa.String(20)),
    sa.Column("other_network_person_id", _NAMED),
    sa.Column("other_room_id", _NAMED),
    sa.Column("other_person_id", sa.String(40)),
    sa.Column("other_confirmed", sa.Boolean, nullable=False),
)

#: Who brought an identity, a wallet or a shop into a joined person; it leaves with them.
link_homes = sa.Table(
    "link_homes",
    metadata,
    sa.Column("kind", sa.String(10), primary_key=True),
    sa.Column("ref", sa.String(530), primary_key=True),
    sa.Column("home_person_id", sa.String(40), nullable=False),
)

#: People who were ever joined. A group only grows: limits count for all of it, for ever.
person_groups = sa.Table(
    "person_groups",
    metadata,
    sa.Column("person_id", sa.String(40), primary_key=True),
    sa.Column("group_id", sa.String(40), nullable=False, index=True),
)


class Links:
    """Reads what linking needs, and who belongs together. Writing is the writer's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def request_of_code(self, digest: str) -> LinkRequest | None:
        """The request of a code, by the code's digest."""
        return await self._request(link_requests.c.digest == digest)

    async def request(self, request_id: str) -> LinkRequest | None:
        """A request by its id."""
        return await self._request(link_requests.c.id == request_id)

    async def _request(self, condition: sa.ColumnElement[bool]) -> LinkRequest | None:
        query = sa.select(link_requests).where(condition)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        return None if row is None else LinkRequest(**row)

    async def holdings(self, person_id: str) -> Holdings:
        """All that is a person's, what they brought themselves first."""
        identity = t.identities.c.network + ":" + t.identities.c.network_person_id
        queries = (
            ("identity", sa.select(identity).where(t.identities.c.person_id == person_id)),
            ("wallet", sa.select(t.wallets.c.id).where(t.wallets.c.person_id == person_id)),
            (
                "shop",
                sa.select(t.merchant_members.c.merchant_id).where(
                    t.merchant_members.c.person_id == person_id
                ),
            ),
        )
        owned: list[Owned] = []
        async with self._database.read() as connection:
            person = (
                await connection.execute(sa.select(t.persons).where(t.persons.c.id == person_id))
            ).one()
            for kind, query in queries:
                refs = sorted((await connection.execute(query)).scalars())
                homes = await _homes(connection, kind, refs)
                owned += [Owned(kind, ref, homes.get(ref, person_id)) for ref in refs]
        owned.sort(key=lambda each: each.home_person_id != person_id)
        return Holdings(person_id, person.wallet_id, person.admin, tuple(owned))

    async def groups(self, person_ids: Sequence[str]) -> dict[str, str]:
        """Person → group, of these people and of all who are in the same groups."""
        theirs = sa.select(person_groups.c.group_id).where(
            person_groups.c.person_id.in_(person_ids)
        )
        query = sa.select(person_groups).where(person_groups.c.group_id.in_(theirs))
        async with self._database.read() as connection:
            return {row.person_id: row.group_id for row in await connection.execute(query)}

    async def wallets(self, person_ids: Sequence[str]) -> list[str]:
        """All wallets of these people."""
        query = sa.select(t.wallets.c.id).where(t.wallets.c.person_id.in_(person_ids))
        async with self._database.read() as connection:
            return list((await connection.execute(query.order_by(t.wallets.c.id))).scalars())

    async def owns(self, person_id: str, wallet_id: str) -> bool:
        """Whether a wallet is this person's."""
        query = sa.select(t.wallets.c.id).where(
            t.wallets.c.id == wallet_id, t.wallets.c.person_id == person_id
        )
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None


async def _homes(connection: AsyncConnection, kind: str, refs: Sequence[str]) -> dict[str, str]:
    query = sa.select(link_homes.c.ref, link_homes.c.home_person_id).where(
        link_homes.c.kind == kind, link_homes.c.ref.in_(refs)
    )
    return {row.ref: row.home_person_id for row in await connection.execute(query)}
