"""The outbox: what is to be said. Each row is sent at least once under its send id."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from wallet_core.storage import tables as t
from wallet_core.storage.database import Database

#: A row that a process took and did not finish is free again after this.
CLAIM_S = 20
_SECOND_US = 1_000_000
#: Names PostgreSQL's advisory lock around `take` (the ASCII codes of "outbox").
_TAKING = 0x6F7574626F78


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """Something to say now.

    For an edit `edits` is the send id of the message, `edits_ref` the network's id of it (None
    while it is not sent), and `shown` the card as it was sent last.
    """

    seq: int
    send_id: str
    network: str
    room_id: str
    person_id: str | None
    reply_to_ref: str | None
    view: str
    ref: str
    body: bytes | None
    edits: str | None
    settled: bool
    tries: int
    edits_ref: str | None = None
    shown: bytes | None = None
    original_state: str | None = None


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome for one row. `shown` None: nothing was sent, the row is dropped."""

    seq: int
    send_id: str
    edits: str | None
    message_ref: str | None
    shown: bytes | None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the bot as it stands in a network."""

    send_id: str
    view: str
    ref: str
    body: bytes
    person_id: str | None


class Outbox:
    """The sender's side; rows get in through the writer."""

    def __init__(self, database: Database, claimant: str) -> None:
        self._database = database
        self._claimant = claimant

    async def take(self, networks: Sequence[str], limit: int) -> list[Due]:
        """Take what is due for these networks, oldest first.

        While an earlier message of a room (or an earlier private one to the same person there) is
        in somebody's hands or has been put off, the later ones wait, whichever process asks.
        """
        async with self._database.read() as connection:
            now_us = await self._database.now_us(connection)
            due = self._due(networks, now_us)
            first = await connection.execute(sa.select(t.outbox.c.seq).where(*due).limit(1))
            if first.first() is None:
                return []
        original = t.outbox.alias("original")
        async with self._database.write() as connection:
            if not self._database.is_sqlite:
                # One taker at a time: what another is just taking could not be seen yet.
                await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_TAKING)))
            now_us = await self._database.now_us(connection)
            free = (
                sa.select(t.outbox.c.seq)
                .where(*self._due(networks, now_us))
                .order_by(t.outbox.c.seq)
                .limit(limit)
                .with_for_update(of=t.outbox, skip_locked=True)
            )
            taken = await connection.execute(
                sa.update(t.outbox)
                .where(t.outbox.c.seq.in_(free.scalar_subquery()))
                .values(
                    claimed_by=self._claimant,
                    due_at_us=now_us + CLAIM_S * _SECOND_US,
                    tries=t.outbox.c.tries + 1,
                )
                .returning(t.outbox.c.seq)
            )
            seqs = [row.seq for row in taken]
            query = (
                sa.select(
                    t.outbox,
                    original.c.message_ref.label("edits_ref"),
                    original.c.shown.label("original_shown"),
                    original.c.state.label("original_state"),
                )
                .join(original, original.c.send_id == t.outbox.c.edits, isouter=True)
                .where(t.outbox.c.seq.in_(seqs))
                .order_by(t.outbox.c.seq)
            )
            rows = (await connection.execute(query)).mappings().all()
        return [
            Due(
                **{
                    name: row[name]
                    for name in Due.__struct_fields__
                    if name not in ("edits_ref", "shown", "original_state")
                },
                edits_ref=row["edits_ref"],
                shown=row["original_shown"],
                original_state=row["original_state"],
            )
            for row in rows
        ]

    @staticmethod
    def _due(networks: Sequence[str], now_us: int) -> tuple[sa.ColumnElement[bool], ...]:
        earlier = t.outbox.alias("earlier")
        held_up = sa.exists().where(
            earlier.c.state == "due",
            earlier.c.due_at_us > now_us,
            earlier.c.network == t.outbox.c.network,
            earlier.c.room_id == t.outbox.c.room_id,
            # One unreachable person's private answers hold up nobody else in the room.
            sa.func.coalesce(earlier.c.person_id, "") == sa.func.coalesce(t.outbox.c.person_id, ""),
            earlier.c.seq < t.outbox.c.seq,
        )
        return (
            t.outbox.c.state == "due",
            t.outbox.c.due_at_us <= now_us,
            t.outbox.c.network.in_(networks),
            ~held_up,
        )

    async def sent(self, outcomes: Sequence[Sent]) -> None:
        """Note what was sent. An edit also settles every older edit of the same message."""
        async with self._database.write() as connection:
            for outcome in outcomes:
                values: dict[str, object] = {
                    "state": "sent" if outcome.shown is not None else "dropped"
                }
                mine = sa.update(t.outbox).where(t.outbox.c.seq == outcome.seq)
                if outcome.edits is None:
                    values |= {"message_ref": outcome.message_ref, "shown": outcome.shown}
                    await connection.execute(mine.values(values))
                    continue
                await connection.execute(
                    sa.update(t.outbox)
                    .where(
                        t.outbox.c.edits == outcome.edits,
                        t.outbox.c.seq <= outcome.seq,
                        t.outbox.c.state == "due",
                    )
                    .values(values)
                )
                if outcome.shown is not None:
                    await connection.execute(
                        sa.update(t.outbox)
                        .where(t.outbox.c.send_id == outcome.edits)
                        .values(shown=outcome.shown)
                    )

    async def later(self, seqs: Sequence[int], pause_s: float) -> None:
        """Send these again after `pause_s` seconds."""
        async with self._database.write() as connection:
            now_us = await self._database.now_us(connection)
            await connection.execute(
                sa.update(t.outbox)
                .where(t.outbox.c.seq.in_(seqs), t.outbox.c.state == "due")
                .values(due_at_us=now_us + round(pause_s * _SECOND_US))
            )

    async def release_all(self) -> None:
        """Free every claim. Only for a process that is alone on its database (embedded SQLite)."""
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(t.outbox).where(t.outbox.c.state == "due").values(due_at_us=0)
            )

    async def shown(self, network: str, message_ref: str) -> Shown | None:
        """The bot's message behind a network's message id."""
        query = sa.select(
            t.outbox.c.send_id,
            t.outbox.c.view,
            t.outbox.c.ref,
            t.outbox.c.shown,
            t.outbox.c.person_id,
        ).where(
            t.outbox.c.network == network,
            t.outbox.c.message_ref == message_ref,
            t.outbox.c.shown.is_not(None),
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query.limit(1))).first()
        if row is None:
            return None
        return Shown(
            send_id=row.send_id,
            view=row.view,
            ref=row.ref,
            body=bytes(row.shown),
            person_id=row.person_id,
        )

    async def latest_shown(
        self, network: str, room_id: str, view: str, person_id: str | None = None
    ) -> Shown | None:
        """The newest message of a view in a room that everybody, or `person_id`, may see."""
        query = (
            sa.select(t.outbox)
            .where(
                t.outbox.c.network == network,
                t.outbox.c.room_id == room_id,
                t.outbox.c.view == view,
                sa.or_(t.outbox.c.person_id.is_(None), t.outbox.c.person_id == person_id),
                t.outbox.c.edits.is_(None),
                t.outbox.c.shown.is_not(None),
            )
            .order_by(t.outbox.c.seq.desc())
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        return Shown(
            send_id=row.send_id, view=view, ref=row.ref, body=bytes(row.shown), person_id=None
        )
