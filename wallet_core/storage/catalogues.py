"""Catalogues in the database: who may work on a source, what was read, what is listed.

A source is worked on under a claim. Its fence rises with each claim, and whatever is written for a
reading checks it in the same transaction: two processes never write for one source.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection

from wallet_core.commerce.catalogue import (
    FILE_PREFIX,
    CatalogueItem,
    CatalogueSource,
    ListedItem,
    Listing,
    LostClaim,
    SourceState,
)
from wallet_core.storage import tables as t
from wallet_core.storage.catalogue_tables import (
    catalogue_items,
    catalogue_sources,
    catalogue_staged,
)
from wallet_core.storage.database import Database
from wallet_core.storage.requests import Statement

_SOURCE = [catalogue_sources.c[name] for name in CatalogueSource.__struct_fields__]
_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(CatalogueItem).decode
#: How much one statement names at most; SQLite takes 32,766 values.
_NAMED_MAX = 500
#: Listings of one page that are looked at: its variants.
_LISTINGS_MAX = 300


def _listed_by(rank: int, column: str, merchant_id: str, name: str) -> str:
    return (
        f"SELECT {rank} AS rank, i.source_id, i.key, i.body, s.kind, s.read_at_us, s.url "  # noqa: S608 - names of our own columns
        "FROM catalogue_items i JOIN catalogue_sources s ON s.id = i.source_id "
        f"WHERE i.merchant_id = {merchant_id} AND i.{column} = {name} AND i.listed "
        f"AND s.state <> '{SourceState.REMOVED}' "
        "AND s.kind IS NOT NULL AND s.read_at_us IS NOT NULL"
    )


def _listed(*words: str) -> str:
    return (
        "SELECT rank, body, kind, read_at_us, url FROM ("  # noqa: S608 - same
        f"{_listed_by(0, 'name', *words)} UNION ALL {_listed_by(1, 'page', *words)}) AS found "
        f"ORDER BY rank, source_id, key LIMIT {_LISTINGS_MAX}"
    )


# Asked for each card of a shop, so by the driver itself.
_LISTED = Statement(_listed("($1::text[])[1]", "($2::text[])[1]"), _listed("?1", "?2"))


class Claim(msgspec.Struct, frozen=True):
    """The right to work on a source."""

    source: CatalogueSource
    fence: int
    taken_to: str


class Taking(msgspec.Struct, frozen=True):
    """What is written of one page: items as they are now, up to the key `to`.

    `gone` are items that are listed no more. `stated` are the addresses of offers and what their
    availability is now. `over` are those at which nothing of this page is sold any more: address →
    name, and the word for their availability unless something else is still listed there.
    """

    to: str
    items: Sequence[tuple[CatalogueItem, str, str]]
    gone: Sequence[str]
    stated: Mapping[str, str | None]
    over: Mapping[str, tuple[str, str]] = {}


class PageOfBoth(msgspec.Struct, frozen=True):
    """What is listed and what was read, for the same range of keys that ends with `to`.

    `to` is None behind the last one.
    """

    listed: Mapping[str, ListedItem]
    read: Mapping[str, CatalogueItem]
    to: str | None


def digest_of(text: str) -> str:
    """A name for a text of any length: 32 hex digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Catalogues:
    """Sources, staged and listed items. All of it raises `StorageUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- sources -----------------------------------------------------------------------------

    async def sources_of(self, merchant_id: str) -> Sequence[CatalogueSource]:
        """A merchant's sources, oldest first; not those that he has removed."""
        query = (
            sa.select(*_SOURCE)
            .where(
                catalogue_sources.c.merchant_id == merchant_id,
                catalogue_sources.c.state != SourceState.REMOVED,
            )
            .order_by(catalogue_sources.c.created_at_us, catalogue_sources.c.id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [CatalogueSource(**row) for row in rows]

    async def source(self, source_id: str) -> CatalogueSource | None:
        """One source."""
        query = sa.select(*_SOURCE).where(catalogue_sources.c.id == source_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        return CatalogueSource(**row) if row else None

    async def claim(
        self,
        now_us: int,
        until_us: int,
        *,
        source_id: str | None = None,
        but_for: Sequence[str] = (),
    ) -> Claim | None:
        """The right to work on the source that is due first, or on `source_id`; None for none.

        What is due of the merchants `but_for` is left for later.
        """
        s = catalogue_sources.c
        free = sa.or_(s.claimed_until_us.is_(None), s.claimed_until_us <= now_us)
        if source_id is None:
            others = s.merchant_id.not_in(but_for)
            wanted = sa.and_(s.due_at_us <= now_us, s.state != SourceState.REMOVED, free, others)
        else:
            wanted = sa.and_(s.id == source_id, free)
        first = sa.select(s.id).where(wanted).order_by(s.due_at_us, s.id).limit(1)
        async with self._database.read() as connection:
            if (await connection.execute(first)).first() is None:
                return None
        locked = first.with_for_update(skip_locked=True)
        async with self._database.write() as connection:
            found = (await connection.execute(locked)).scalar_one_or_none()
            if found is None:
                return None
            row = (
                await connection.execute(
                    sa.update(catalogue_sources)
                    .where(s.id == found)
                    .values(fence=s.fence + 1, claimed_until_us=until_us)
                    .returning(*_SOURCE, s.fence, s.taken_to)
                )
            ).mappings().one()  # fmt: skip
        values = dict(row)
        fence, taken_to = values.pop("fence"), values.pop("taken_to")
        return Claim(CatalogueSource(**values), fence, taken_to)

    async def renew(self, claim: Claim, until_us: int) -> None:
        """Keep the claim for longer. Raises `LostClaim`."""
        async with self._database.write() as connection:
            await _hold(connection, claim, claimed_until_us=until_us)

    async def settle(self, claim: Claim, values: Mapping[str, object]) -> None:
        """Note how it went, and give the claim up. Raises `LostClaim`."""
        async with self._database.write() as connection:
            await _hold(connection, claim, **values, claimed_until_us=None)

    # --- readings ----------------------------------------------------------------------------

    async def begin_reading(self, claim: Claim, until_us: int) -> int:
        """Forget what is staged; gives the number of the new reading. Raises `LostClaim`."""
        reading = claim.source.reading + 1
        async with self._database.write() as connection:
            await _hold(connection, claim, reading=reading, taken_to="", claimed_until_us=until_us)
            await connection.execute(_staged_of(claim))
        return reading

    async def stage(self, claim: Claim, items: Sequence[CatalogueItem], until_us: int) -> int:
        """Stage what was read; an item that is staged already stays as it is.

        Gives how many were new. Raises `LostClaim`.
        """
        first: dict[str, CatalogueItem] = {}
        for item in items:
            first.setdefault(item.key, item)
        r, source_id = catalogue_staged.c, claim.source.id
        async with self._database.write() as connection:
            await _hold(connection, claim, claimed_until_us=until_us)
            for keys in _parts(list(first)):
                there = sa.select(r.key).where(r.source_id == source_id, r.key.in_(keys))
                for key in (await connection.execute(there)).scalars():
                    del first[key]
            rows = [
                {"source_id": source_id, "key": key, "body": _encode(item)}
                for key, item in first.items()
            ]
            if rows:
                await connection.execute(sa.insert(catalogue_staged), rows)
        return len(rows)

    async def page(self, source_id: str, after: str, limit: int) -> PageOfBoth:
        """The next `limit` keys at most of what is listed and of what was read."""
        i, r = catalogue_items.c, catalogue_staged.c
        listed = sa.select(i.key, i.listed, i.body).where(i.source_id == source_id, i.key > after)
        read = sa.select(r.key, r.body).where(r.source_id == source_id, r.key > after)
        async with self._database.read() as connection:
            old = (await connection.execute(listed.order_by(i.key).limit(limit))).all()
            new = (await connection.execute(read.order_by(r.key).limit(limit))).all()
        # Where one side has more to come, nothing is known yet of keys behind its last one.
        ends = [rows[-1].key for rows in (old, new) if len(rows) == limit]
        keys = [row.key for row in (*old, *new)]
        to = min(ends) if ends else max(keys, default=None)
        if to is None:
            return PageOfBoth({}, {}, None)
        return PageOfBoth(
            {row.key: ListedItem(_decode(row.body), row.listed) for row in old if row.key <= to},
            {row.key: _decode(row.body) for row in new if row.key <= to},
            to,
        )

    async def take(self, claim: Claim, taking: Taking, now_us: int, until_us: int) -> None:
        """Write one page in one transaction. Doing it again changes nothing. Raises `LostClaim`."""
        source = claim.source
        rows = [
            {
                "source_id": source.id,
                "key": item.key,
                "merchant_id": source.merchant_id,
                "name": name,
                "page": page,
                "listed": True,
                "body": _encode(item),
                "changed_at_us": now_us,
            }
            for item, name, page in taking.items
        ]
        i = catalogue_items.c
        async with self._database.write() as connection:
            await _hold(connection, claim, taken_to=taking.to, claimed_until_us=until_us)
            if rows:
                await connection.execute(_upsert(connection), rows)
            for keys in _parts(taking.gone):
                await connection.execute(
                    sa.update(catalogue_items)
                    .where(i.source_id == source.id, i.key.in_(keys), i.listed)
                    .values(listed=False, changed_at_us=now_us)
                )
            sold = await _still_listed(connection, source, taking.over)
            over = {url: word for url, (name, word) in taking.over.items() if name not in sold}
            await _state(connection, source.merchant_id, {**over, **taking.stated})

    async def finish_taking(self, claim: Claim, values: Mapping[str, object]) -> None:
        """Forget what was staged, note how it went, give the claim up. Raises `LostClaim`."""
        async with self._database.write() as connection:
            await _hold(connection, claim, **values, taken_to="", claimed_until_us=None)
            await connection.execute(_staged_of(claim))

    async def sweep(self) -> None:
        """Forget what was staged for sources that were removed since."""
        s, r = catalogue_sources.c, catalogue_staged.c
        removed = sa.select(s.id).where(s.state == SourceState.REMOVED)
        async with self._database.write() as connection:
            await connection.execute(sa.delete(catalogue_staged).where(r.source_id.in_(removed)))

    async def listed_count(self, source_id: str) -> int:
        """How many items of a source are listed now."""
        i = catalogue_items.c
        query = sa.select(sa.func.count()).where(i.source_id == source_id, i.listed)
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def known_items(self, source_id: str, keys: Sequence[str]) -> Mapping[str, CatalogueItem]:
        """The listed items among these keys."""
        i = catalogue_items.c
        found: dict[str, CatalogueItem] = {}
        async with self._database.read() as connection:
            for part in _parts(keys):
                query = sa.select(i.key, i.body).where(
                    i.source_id == source_id, i.key.in_(part), i.listed
                )
                found |= {row.key: _decode(row.body) for row in await connection.execute(query)}
        return found

    # --- what counts -------------------------------------------------------------------------

    async def listings(self, merchant_id: str, identity: str) -> Sequence[Listing]:
        """What a merchant's catalogues list at an address, or else on the page that it names.

        `identity` is what `items` of `Taking` were named by.
        """
        rows = await self._database.ask(_LISTED, ([merchant_id], [digest_of(identity)]))
        # What is listed at the very address comes before the rest of its product's page.
        first = min((row[0] for row in rows), default=0)
        return [
            Listing(_decode(body), kind, read_at_us, url.startswith(FILE_PREFIX))
            for rank, body, kind, read_at_us, url in rows
            if rank == first
        ]


async def _hold(connection: AsyncConnection, claim: Claim, **values: object) -> None:
    """Change the claimed source; raises `LostClaim` where somebody else has claimed it since."""
    s = catalogue_sources.c
    changed = await connection.execute(
        sa.update(catalogue_sources)
        .where(
            s.id == claim.source.id, s.fence == claim.fence, s.state != SourceState.REMOVED
        )
        .values(**values)
    )  # fmt: skip
    if cast("CursorResult[object]", changed).rowcount != 1:
        raise LostClaim("Another process reads this catalogue now, or it was removed.")


def _staged_of(claim: Claim) -> sa.Delete:
    return sa.delete(catalogue_staged).where(catalogue_staged.c.source_id == claim.source.id)


def _upsert(connection: AsyncConnection) -> sqlite.Insert | postgresql.Insert:
    key = ("source_id", "key")
    names = ("name", "page", "listed", "body", "changed_at_us")
    if connection.dialect.name == "sqlite":
        insert = sqlite.insert(catalogue_items)
        new = {name: insert.excluded[name] for name in names}
        return insert.on_conflict_do_update(index_elements=key, set_=new)
    postgres = postgresql.insert(catalogue_items)
    new = {name: postgres.excluded[name] for name in names}
    return postgres.on_conflict_do_update(index_elements=key, set_=new)


async def _state(
    connection: AsyncConnection, merchant_id: str, stated: Mapping[str, str | None]
) -> None:
    """Say on the merchant's offers what their availability is now; quotes and orders stay."""
    for urls in _parts(sorted(stated)):
        known = sa.select(t.offers.c.id, t.offers.c.url).where(
            t.offers.c.url.in_(urls), t.offers.c.merchant_id == merchant_id
        )
        for offer in (await connection.execute(known.order_by(t.offers.c.id))).all():
            await connection.execute(
                sa.update(t.offers)
                .where(t.offers.c.id == offer.id)
                .values(availability=stated[offer.url])
            )


async def _still_listed(
    connection: AsyncConnection, source: CatalogueSource, over: Mapping[str, tuple[str, str]]
) -> set[str]:
    """The names among these under which a catalogue of the merchant lists something."""
    i, s = catalogue_items.c, catalogue_sources.c
    counts = sa.and_(s.state != SourceState.REMOVED, s.read_at_us.is_not(None))
    found: set[str] = set()
    for names in _parts(sorted({name for name, _ in over.values()})):
        query = (
            sa.select(i.name)
            .join(catalogue_sources, s.id == i.source_id)
            .where(i.merchant_id == source.merchant_id, i.name.in_(names), i.listed)
            .where(sa.or_(s.id == source.id, counts))
        )
        found.update((await connection.execute(query)).scalars())
    return found


def _parts(keys: Sequence[str]) -> list[Sequence[str]]:
    return [keys[n : n + _NAMED_MAX] for n in range(0, len(keys), _NAMED_MAX)]
