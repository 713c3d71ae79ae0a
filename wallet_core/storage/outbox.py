"""The outbox: what is to be said. Each row is sent at least once under its send id."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from wallet_core.storage import requests as q
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.grouped import Grouped
from wallet_core.storage.point_reads import Keys
from wallet_core.storage.steady import to_its_end
from wallet_core.storage.transactions import Transactions

#: A row that a process took and did not finish is free again after this.
CLAIM_S = 20
#: How long what was sent may wait to be noted together with others: each transaction takes the
#: database away from taps that wait for it.
_GATHER_S = 0.02
_SECOND_US = 1_000_000
#: Names PostgreSQL's advisory lock around `take` (the ASCII codes of "outbox").
_TAKING = 0x6F7574626F78


def _any_due(networks: str, now_us: str) -> str:
    return f"""SELECT 1 FROM outbox WHERE state = 'due' AND due_at_us <= {now_us}
      AND network IN (SELECT value FROM {networks}) LIMIT 1"""  # noqa: S608 - our own words


_TAKE_COLUMNS = (
    *("seq", "send_id", "network", "room_id", "person_id", "reply_to_ref", "view", "ref", "body"),
    *("edits", "settled", "tries"),
)
#: What is told of the message that a row edits, and its columns there.
_ORIGINAL = {"edits_ref": "message_ref", "shown": "shown", "original_state": "state"}
# So that the index of all that is due does not lead to it: rows are found by their keys. To a
# planner who has seen the outbox while nothing was due, that index looks like the shortest way to
# any of them. The index of edits that are due has these words too.
_IS_DUE = "state || '' = 'due'"


def _take(networks: str, now_us: str, limit: str, claimant: str, among_free: str) -> str:
    # Where the first one stands that is in somebody's hands or put off is told by sorting all rows
    # once: compared with each other they would cost their number squared, a crowd's most of a core.
    # One unreachable person's private answers hold up nobody else in the room.
    told = ", ".join(f"outbox.{name}" for name in _TAKE_COLUMNS)
    # As a text, for what is returned has no type in SQLite, and no index is for that.
    originals = ", ".join(
        f"(SELECT e.{name} FROM outbox e WHERE e.send_id = CAST(outbox.edits AS TEXT))"  # noqa: S608 - our own words
        for name in _ORIGINAL.values()
    )
    return f"""
      WITH now AS MATERIALIZED (SELECT {now_us} AS us), due AS MATERIALIZED (
        SELECT o.seq, o.due_at_us, min(CASE WHEN o.due_at_us > (SELECT us FROM now) THEN o.seq END)
          OVER (PARTITION BY o.room_id, o.network, coalesce(o.person_id, '')) AS held_from
        FROM outbox o WHERE o.state = 'due' AND o.network IN (SELECT value FROM {networks})
      ), free AS MATERIALIZED (
        SELECT seq FROM due WHERE due_at_us <= (SELECT us FROM now)
          AND (held_from IS NULL OR held_from > seq) ORDER BY seq LIMIT {limit}
      )
      UPDATE outbox SET claimed_by = {claimant}, tries = outbox.tries + 1,
        due_at_us = (SELECT us FROM now) + {CLAIM_S * _SECOND_US}
      {among_free} AND outbox.{_IS_DUE} RETURNING {told}, {originals}"""  # noqa: S608 - same


_PG_NETWORKS = "json_array_elements_text((($1::text[])[1])::json)"
_PG_NOW = f"coalesce(($2::bigint[])[1], {q.CLOCK})"
_ANY_DUE = q.Statement(_any_due(_PG_NETWORKS, _PG_NOW), _any_due("json_each(?1)", "?2"))
# The same to both, but each walks through all rows in the other's words.
_TAKE = q.Statement(
    _take(
        *(_PG_NETWORKS, _PG_NOW, "($3::bigint[])[1]", "($4::text[])[1]"),
        "FROM free WHERE outbox.seq = free.seq",
    ),
    _take("json_each(?1)", "?2", "?3", "?4", "WHERE outbox.seq IN (SELECT seq FROM free)"),
)
_SETTLE = q.Statement(
    f"""UPDATE outbox AS o SET state = k.state
        FROM unnest($1::text[], $2::bigint[], $3::text[]) AS k(edits, seq, state)
        WHERE o.edits = k.edits AND o.seq <= k.seq AND o.{_IS_DUE} RETURNING 1""",  # noqa: S608 - same
    f"UPDATE outbox SET state = ?3 WHERE edits = ?1 AND seq <= ?2 AND {_IS_DUE}",  # noqa: S608 - same
)
_LATER = q.Statement(
    f"""UPDATE outbox AS o SET due_at_us = coalesce(k.now_us, {q.CLOCK}) + k.pause_us
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k(seq, pause_us, now_us)
        WHERE o.seq = k.seq AND o.{_IS_DUE} RETURNING 1""",  # noqa: S608 - same
    f"UPDATE outbox SET due_at_us = ?3 + ?2 WHERE seq = ?1 AND {_IS_DUE}",  # noqa: S608 - same
)


#: Rows by their numbers, and for how many microseconds they are put off.
_Pause = tuple[tuple[int, ...], int]


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
    """The outcome for one row. `shown` None: nothing was sent, the row is dropped.

    `live`: whether passing changes are shown there too.
    """

    seq: int
    send_id: str
    edits: str | None
    message_ref: str | None
    shown: bytes | None
    live: bool | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the bot as it stands in a network."""

    send_id: str
    view: str
    ref: str
    body: bytes
    person_id: str | None


def _due(row: q.Row) -> Due:
    values: dict[str, Any] = dict(zip((*_TAKE_COLUMNS, *_ORIGINAL), row, strict=True))
    values["settled"] = bool(values["settled"])
    return Due(**values)


def _taken(asked: Keys) -> q.Work[list[Due]]:
    rows = yield q.Ask(_TAKE, asked)
    return sorted((_due(row) for row in rows), key=lambda due: due.seq)


def _postponed(rows: Sequence[tuple[int, int, int | None]]) -> q.Work[None]:
    """Rows by number, each put off by so many microseconds from a time; None: from now."""
    yield q.Ask(_LATER, tuple(zip(*rows, strict=True)))


def _noted(outcomes: Sequence[Sent], *, together: bool) -> q.Work[None]:
    """Each row is met by one write only if they are to be made `together`."""
    writes: list[q.Write] = []
    new = [x for x in outcomes if x.edits is None]
    if new:
        rows = [(x.seq, _state(x), x.message_ref, x.shown, x.live) for x in new]
        columns = ("state", "message_ref", "shown", "live")
        writes.append(q.Change(t.outbox, ("seq",), columns, rows, exactly=False))
    edits = [x for x in outcomes if x.edits is not None]
    if edits:
        keys = ([x.edits for x in edits], [x.seq for x in edits], [_state(x) for x in edits])
        writes.append(q.Run(_SETTLE, keys))
    # The newest is what stands there.
    shown = {x.edits: x.shown for x in sorted(edits, key=lambda x: x.seq) if x.shown is not None}
    if shown:
        cards = list(shown.items())
        writes.append(q.Change(t.outbox, ("send_id",), ("shown",), cards, exactly=False))
    for each in [writes] if together else [[write] for write in writes]:
        yield q.Save(each)


def _state(outcome: Sent) -> str:
    return "sent" if outcome.shown is not None else "dropped"


class Outbox:
    """The sender's side; rows get in through the writer."""

    def __init__(self, database: Database, claimant: str) -> None:
        self._database = database
        self._claimant = claimant
        # One taker at a time: what another is just taking could not be seen yet. A claim that is
        # lost with the database's memory is as good as one that has run out.
        self._taking = Transactions(database, turn=_TAKING, lasting=False)
        self._noting = Transactions(database)
        self._notes: Grouped[tuple[Sent, ...], bool] = Grouped(self._note, gather_s=_GATHER_S)
        self._pauses: Grouped[_Pause, bool] = Grouped(self._put_off, gather_s=_GATHER_S)

    async def take(self, networks: Sequence[str], limit: int) -> list[Due]:
        """Take what is due for these networks, oldest first.

        While an earlier message of a room (or an earlier private one to the same person there) is
        in somebody's hands or has been put off, the later ones wait, whichever process asks.
        Raises `StorageUnavailable`.
        """
        now_us = self._database.clock_us() if self._database.is_sqlite else None
        asked = ([msgspec.json.encode(networks).decode()], [now_us], [limit], [self._claimant])
        # A look costs no transaction, for which taps would have to wait.
        if not await self._database.ask(_ANY_DUE, asked[:2]):
            return []
        return await self._taking.run(_taken(asked))

    async def sent(self, outcomes: Sequence[Sent]) -> None:
        """Note what was sent. An edit also settles every older edit of the same message.

        What comes while others are being noted is noted with the next ones. Whoever is cancelled
        waits for it: what was sent and not noted would be sent again.
        """
        if outcomes:
            await to_its_end(self._notes.asked(tuple(outcomes)))

    async def _note(self, groups: Sequence[tuple[Sent, ...]]) -> Mapping[tuple[Sent, ...], bool]:
        outcomes = [outcome for group in groups for outcome in group]
        # Not where a message and an edit of it were sent before either was noted.
        apart = {x.send_id for x in outcomes}.isdisjoint({x.edits for x in outcomes})
        await self._noting.run(_noted(outcomes, together=apart), single=apart)
        return dict.fromkeys(groups, True)

    async def later(self, seqs: Sequence[int], pause_s: float) -> None:
        """Send these again after `pause_s` seconds. Raises `StorageUnavailable`.

        A network that slows down says so to many at once, so they are noted together.
        """
        if seqs:
            await to_its_end(self._pauses.asked((tuple(seqs), round(pause_s * _SECOND_US))))

    async def _put_off(self, pauses: Sequence[_Pause]) -> Mapping[_Pause, bool]:
        now_us = self._database.clock_us() if self._database.is_sqlite else None
        rows = [(seq, pause_us, now_us) for seqs, pause_us in pauses for seq in seqs]
        await self._noting.run(_postponed(rows), single=True)
        return dict.fromkeys(pauses, True)

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
