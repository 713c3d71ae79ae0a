"""The inbox: what was heard, durable before the network is told so.

An event stays `waiting` until the commit that answers it marks it `done`. Whoever works on it
holds a claim for a while; the claim of a process that died runs out and another takes over. An
event that fails again and again is `parked`, so that it holds up nobody.
"""

import asyncio
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from wallet_core.errors import StorageUnavailable
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.insertion import insert_if_absent

#: How long a claim lasts. Longer than any event may take, short enough after a crash.
CLAIM_S = 30
#: An event that failed this often is parked.
TRIES_MAX = 8
_SECOND_US = 1_000_000


class Heard(msgspec.Struct, frozen=True):
    """An event as it lies in the inbox; `tries` counts how often it was begun before."""

    seq: int
    event_id: str
    body: bytes
    tries: int


class _Delivery(msgspec.Struct, frozen=True, eq=False):
    events: Sequence[tuple[str, bytes]]
    cursor: tuple[str, str] | None
    claim: bool
    done: "asyncio.Future[list[Heard]]"


class Inbox:
    """Keeps events for this process (`claimant`); deliveries that come together share a commit."""

    def __init__(self, database: Database, claimant: str) -> None:
        self._database = database
        self._claimant = claimant
        self._deliveries: list[_Delivery] = []
        self._flush: asyncio.Task[None] | None = None

    async def keep(
        self,
        events: Sequence[tuple[str, bytes]],
        cursor: tuple[str, str] | None = None,
        *,
        claim: bool,
    ) -> list[Heard]:
        """Keep (event id, body) pairs and the cursor (network, value); gives those that are new.

        With `claim` they are this process's to work on. Raises `StorageUnavailable`; then the
        network must not be told that they were heard.
        """
        done: asyncio.Future[list[Heard]] = asyncio.get_running_loop().create_future()
        self._deliveries.append(_Delivery(events, cursor, claim, done))
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._write_all(), name="inbox")
        return await asyncio.shield(done)

    async def _write_all(self) -> None:
        while self._deliveries:
            deliveries, self._deliveries = self._deliveries, []
            await self._write(deliveries)

    async def _write(self, deliveries: Sequence[_Delivery]) -> None:
        try:
            async with self._database.write() as connection:
                kept = [await self._keep(connection, delivery) for delivery in deliveries]
        except Exception as error:  # noqa: BLE001 - each of those who wait must hear of it
            if len(deliveries) > 1 and not isinstance(error, StorageUnavailable):
                # One of them cannot be kept; alone it harms no other.
                for delivery in deliveries:
                    await self._write([delivery])
                return
            for delivery in deliveries:
                if not delivery.done.done():
                    delivery.done.set_exception(error)
            return
        for delivery, heard in zip(deliveries, kept, strict=True):
            if not delivery.done.done():
                delivery.done.set_result(heard)

    async def _keep(self, connection: AsyncConnection, delivery: _Delivery) -> list[Heard]:
        now_us = await self._database.now_us(connection)
        heard = []
        for event_id, body in delivery.events:
            statement = (
                insert_if_absent(connection, t.inbox)
                .values(
                    event_id=event_id,
                    body=body,
                    state="waiting",
                    tries=0,
                    received_at_us=now_us,
                    claimed_by=self._claimant if delivery.claim else None,
                    claimed_until_us=now_us + CLAIM_S * _SECOND_US if delivery.claim else None,
                )
                .returning(t.inbox.c.seq)
            )
            seq = (await connection.execute(statement)).scalar_one_or_none()
            if seq is not None:
                heard.append(Heard(seq, event_id, body, 0))
        if delivery.cursor is not None:
            network, value = delivery.cursor
            await connection.execute(sa.delete(t.cursors).where(t.cursors.c.network == network))
            await connection.execute(sa.insert(t.cursors).values(network=network, value=value))
        return heard

    async def claim(self, limit: int) -> list[Heard]:
        """Take over waiting events that nobody works on (their process died, or they failed)."""
        if not await self._any_unclaimed():
            return []
        async with self._database.write() as connection:
            now_us = await self._database.now_us(connection)
            free = (
                sa.select(t.inbox.c.seq)
                .where(*self._free(now_us))
                .order_by(t.inbox.c.seq)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            claimed = await connection.execute(
                sa.update(t.inbox)
                .where(t.inbox.c.seq.in_(free.scalar_subquery()))
                .values(
                    claimed_by=self._claimant,
                    claimed_until_us=now_us + CLAIM_S * _SECOND_US,
                    tries=t.inbox.c.tries + 1,
                )
                .returning(t.inbox.c.seq, t.inbox.c.event_id, t.inbox.c.body, t.inbox.c.tries)
            )
            rows = claimed.all()
        return sorted(
            (Heard(row.seq, row.event_id, bytes(row.body), row.tries) for row in rows),
            key=lambda heard: heard.seq,
        )

    async def _any_unclaimed(self) -> bool:
        async with self._database.read() as connection:
            now_us = await self._database.now_us(connection)
            query = sa.select(t.inbox.c.seq).where(*self._free(now_us)).limit(1)
            return (await connection.execute(query)).first() is not None

    @staticmethod
    def _free(now_us: int) -> tuple[sa.ColumnElement[bool], ...]:
        until = t.inbox.c.claimed_until_us
        return (t.inbox.c.state == "waiting", sa.or_(until.is_(None), until < now_us))

    async def release_all(self) -> None:
        """Free every claim. Only for a process that is alone on its database (embedded SQLite)."""
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(t.inbox)
                .where(t.inbox.c.state == "waiting")
                .values(claimed_by=None, claimed_until_us=None)
            )

    async def failed(self, heard: Heard, error: str, pause_s: float) -> bool:
        """Note a failure: the event comes again after `pause_s`; True when it is parked instead."""
        parked = heard.tries + 1 >= TRIES_MAX
        async with self._database.write() as connection:
            now_us = await self._database.now_us(connection)
            await connection.execute(
                sa.update(t.inbox)
                .where(t.inbox.c.seq == heard.seq, t.inbox.c.state == "waiting")
                .values(
                    state="parked" if parked else "waiting",
                    error=_storable(error),
                    claimed_until_us=now_us + round(pause_s * _SECOND_US),
                )
            )
        return parked

    async def waiting_count(self) -> int:
        """How many events wait to be answered."""
        async with self._database.read() as connection:
            query = sa.select(sa.func.count()).where(t.inbox.c.state == "waiting")
            return int((await connection.execute(query)).scalar_one())

    async def load_cursor(self, network: str) -> str | None:
        """Where a network's reading stood when its last events were kept."""
        async with self._database.read() as connection:
            query = sa.select(t.cursors.c.value).where(t.cursors.c.network == network)
            return (await connection.execute(query)).scalar_one_or_none()


def _storable(text: str) -> str:
    """At most 2,000 characters, without those that no database takes."""
    return text[:2000].encode(errors="replace").decode().replace("\x00", "")
