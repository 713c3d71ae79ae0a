"""The inbox: what was heard, durable before the network is told so.

An event stays `waiting` until the commit that answers it marks it `done`. Whoever works on it
holds a claim for a while; the claim of a process that died runs out and another takes over. An
event that fails again and again is `parked`, so that it holds up nobody.
"""

import asyncio
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from wallet_core.errors import StorageUnavailable
from wallet_core.storage import requests as q
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.transactions import Transactions

#: How long a claim lasts. Longer than any event may take, short enough after a crash.
CLAIM_S = 30
#: An event that failed this often is parked.
TRIES_MAX = 8
_SECOND_US = 1_000_000


# Of a time that is not given PostgreSQL's own clock knows.
_KEEP = q.Statement(
    f"""INSERT INTO inbox (event_id, body, state, tries, claimed_by, received_at_us,
          claimed_until_us)
        SELECT k.event_id, k.body, 'waiting', 0, k.claimed_by, coalesce(k.now_us, c.now_us),
          CASE WHEN k.claimed_by IS NOT NULL
            THEN coalesce(k.now_us, c.now_us) + {CLAIM_S * _SECOND_US} END
        FROM unnest($1::text[], $2::bytea[], $3::text[], $4::bigint[])
            AS k(event_id, body, claimed_by, now_us),
          (SELECT {q.CLOCK} AS now_us) c
        ON CONFLICT DO NOTHING RETURNING event_id, seq""",  # noqa: S608 - our own words
    f"""INSERT INTO inbox (event_id, body, claimed_by, received_at_us, state, tries,
          claimed_until_us)
        VALUES (?1, ?2, ?3, ?4, 'waiting', 0,
          CASE WHEN ?3 IS NOT NULL THEN ?4 + {CLAIM_S * _SECOND_US} END)
        ON CONFLICT DO NOTHING RETURNING event_id, seq""",  # noqa: S608 - same
)
_MOVE_CURSOR = q.Statement(
    """INSERT INTO cursors (network, value) SELECT * FROM unnest($1::text[], $2::text[])
       ON CONFLICT (network) DO UPDATE SET value = excluded.value""",
    """INSERT INTO cursors (network, value) VALUES (?, ?)
       ON CONFLICT (network) DO UPDATE SET value = excluded.value""",
)
_UNCLAIMED = q.Statement(
    f"""SELECT seq FROM inbox WHERE state = 'waiting'
        AND (claimed_until_us IS NULL OR claimed_until_us < coalesce(($1::bigint[])[1], {q.CLOCK}))
        LIMIT 1""",  # noqa: S608 - same
    """SELECT seq FROM inbox WHERE state = 'waiting'
       AND (claimed_until_us IS NULL OR claimed_until_us < ?) LIMIT 1""",
)


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
        self._transactions = Transactions(database)
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
        return await done

    async def _write_all(self) -> None:
        while self._deliveries:
            deliveries, self._deliveries = self._deliveries, []
            await self._write(deliveries)

    async def _write(self, deliveries: Sequence[_Delivery]) -> None:
        try:
            single = all(delivery.cursor is None for delivery in deliveries)
            kept = await self._transactions.run(self._keep(deliveries), single=single)
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

    def _keep(self, deliveries: Sequence[_Delivery]) -> q.Work[list[list[Heard]]]:
        """What of each delivery is new."""
        now_us = self._database.clock_us() if self._database.is_sqlite else None
        rows = [
            (event_id, body, self._claimant if delivery.claim else None, now_us)
            for delivery in deliveries
            for event_id, body in delivery.events
        ]
        new: dict[str, int] = {}
        if rows:
            kept = yield q.Ask(_KEEP, tuple(map(list, zip(*rows, strict=True))))
            new = dict(kept)
        cursors = dict(x.cursor for x in deliveries if x.cursor is not None)
        if cursors:
            yield q.Ask(_MOVE_CURSOR, (list(cursors), list(cursors.values())))
        heard = []
        for delivery in deliveries:
            # What came twice is new to the first who brought it.
            found = [
                (new.pop(event_id, None), event_id, body) for event_id, body in delivery.events
            ]
            heard.append(
                [Heard(seq, name, body, 0) for seq, name, body in found if seq is not None]
            )
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
        now_us = self._database.clock_us() if self._database.is_sqlite else None
        return bool(await self._database.ask(_UNCLAIMED, ([now_us],)))

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
