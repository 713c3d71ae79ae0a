"""What is to be said: in order in each room, taken by one, edits after what they edit."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Sequence

import msgspec
import pytest
import sqlalchemy as sa

from tests.wallet_core.world import NETWORK, World, world_at
from wallet_core.ledger.commits import Commit, Notice, Refresh
from wallet_core.storage import outbox as outbox_module
from wallet_core.storage import tables as t
from wallet_core.storage.database import metadata
from wallet_core.storage.outbox import Due, Outbox, Sent


@pytest.fixture
async def outbox(world: World) -> Outbox:
    return world.outbox


@pytest.fixture
async def other(world: World) -> AsyncIterator[Outbox]:
    """The outbox of another process."""
    async with world_at(world.database.url, create=False) as other:
        yield other.outbox


def notice(name: str, room_id: str = "lobby", **more: str) -> Notice:
    return Notice(send_id=name, network=NETWORK, room_id=room_id, body=b"{}", **more)


async def say(world: World, *notices: Notice | Refresh, key: str = "") -> None:
    await world.writer.commit(Commit(key=key or f"say {notices[0]}"[:190], outbox=notices))


async def refresh(world: World, n: int, *, settled: bool = True) -> None:
    await say(world, Refresh(view="offer", ref="q1", settled=settled), key=f"refresh {n}")


async def take(outbox: Outbox, limit: int = 100) -> list[Due]:
    return await outbox.take([NETWORK], limit)


def names(due: Iterable[Due]) -> list[str]:
    return [row.send_id for row in due]


def sent(row: Due, ref: str | None = None, shown: bytes | None = b"card") -> Sent:
    return Sent(seq=row.seq, send_id=row.send_id, edits=row.edits, message_ref=ref, shown=shown)


async def all_sent(outbox: Outbox, due: Sequence[Due]) -> None:
    await outbox.sent([sent(row, f"ref of {row.send_id}") for row in due])


async def test_messages_come_in_their_order_and_once(world: World, outbox: Outbox) -> None:
    for name in ("c", "a", "b"):
        await say(world, notice(name))
    due = await take(outbox)
    assert names(due) == ["c", "a", "b"]
    assert await take(outbox) == []
    await all_sent(outbox, due)
    await outbox.release_all()
    assert await take(outbox) == []


async def test_a_send_id_is_said_once(world: World, outbox: Outbox) -> None:
    await say(world, notice("a"), key="one")
    await say(world, notice("a"), notice("b"), key="two")
    assert names(await take(outbox)) == ["a", "b"]


async def test_only_the_networks_of_this_process_are_taken(world: World, outbox: Outbox) -> None:
    await say(world, notice("a"))
    assert await outbox.take(["matrix"], 10) == []
    assert await outbox.take([], 10) == []
    assert names(await take(outbox)) == ["a"]


async def test_two_processes_never_take_the_same_row(
    world: World, outbox: Outbox, other: Outbox
) -> None:
    for n in range(60):
        await say(world, notice(f"m{n}", room_id=f"room{n % 20}"))
    taken: list[str] = []
    for _ in range(10):
        rounds = await asyncio.gather(
            *((outbox, other)[n % 2].take([NETWORK], 7) for n in range(6))
        )
        due = [row for rows in rounds for row in rows]
        taken += names(due)
        await all_sent(outbox, due)
    assert len(taken) == len(set(taken)) == 60


async def test_two_processes_keep_the_order_of_a_room(
    world: World, outbox: Outbox, other: Outbox
) -> None:
    """While one process has a message of a room in hand, later ones of that room wait."""
    for name in ("a1", "a2"):
        await say(world, notice(name, room_id="a"))
    await say(world, notice("b1", room_id="b"))
    first = await take(outbox, limit=1)
    assert names(first) == ["a1"]
    assert names(await take(other)) == ["b1"]
    await all_sent(outbox, first)
    assert names(await take(other)) == ["a2"]


async def test_a_message_that_waits_holds_up_its_room_and_no_other(
    world: World, outbox: Outbox
) -> None:
    await say(world, notice("a1", room_id="a"))
    await outbox.later([row.seq for row in await take(outbox)], pause_s=3600)
    await say(world, notice("a2", room_id="a"))
    await say(world, notice("b1", room_id="b"))
    other_room = await take(outbox)
    assert names(other_room) == ["b1"]
    await all_sent(outbox, other_room)
    await outbox.release_all()
    assert names(await take(outbox)) == ["a1", "a2"]


async def test_in_each_room_and_for_each_person_what_comes_after_a_held_one_waits(
    world: World, outbox: Outbox
) -> None:
    chance = random.Random(7)
    lanes = [(f"room{n % 7}", (None, "anna", "bert")[n % 3]) for n in range(21)]
    said = [chance.choice(lanes) for _ in range(120)]
    for n, (room_id, person_id) in enumerate(said):
        to = {} if person_id is None else {"person_id": person_id}
        await say(world, notice(f"m{n}", room_id=room_id, **to))
    due = await take(outbox, limit=len(said))
    held = set(chance.sample(range(len(said)), 15))
    for n, row in enumerate(due):
        await outbox.later([row.seq], pause_s=3600 if n in held else -1)
    behind = {n for n, lane in enumerate(said) if any(h < n and said[h] == lane for h in held)}
    assert names(await take(outbox, limit=len(said))) == [
        f"m{n}" for n in range(len(said)) if n not in held | behind
    ]


async def test_a_message_put_off_comes_again_and_counts_its_tries(
    world: World, outbox: Outbox
) -> None:
    await say(world, notice("a"))
    for tries in (1, 2, 3):
        (row,) = await take(outbox)
        assert row.tries == tries
        await outbox.later([row.seq], pause_s=-1)


async def test_what_a_dead_process_took_is_free_again(
    world: World, outbox: Outbox, other: Outbox
) -> None:
    await say(world, notice("a"))
    assert names(await take(outbox)) == ["a"]
    assert await take(other) == []
    async with world.database.write() as connection:
        claim_s = sa.select(t.outbox.c.due_at_us).scalar_subquery()
        left_us = await connection.scalar(sa.select(claim_s)) or 0
        assert left_us <= await world.database.now_us(connection) + 60_000_000
    await other.release_all()
    assert names(await take(other)) == ["a"]


async def test_an_edit_knows_the_message_that_it_edits(world: World, outbox: Outbox) -> None:
    await say(world, notice("card", view="offer", ref="q1"))
    await refresh(world, 1)
    first, edit = await take(outbox)
    assert (edit.edits, edit.edits_ref, edit.original_state) == ("card", None, "due")
    await outbox.sent([sent(first, "m1", b"shown")])
    await outbox.later([edit.seq], pause_s=-1)
    (edit,) = await take(outbox)
    assert (edit.edits_ref, edit.shown, edit.original_state) == ("m1", b"shown", "sent")
    assert (edit.view, edit.ref, edit.room_id) == ("offer", "q1", "lobby")


async def test_an_edit_settles_the_older_edits_of_its_message_only(
    world: World, outbox: Outbox
) -> None:
    await say(world, notice("card", view="offer", ref="q1"))
    await say(world, notice("card2", room_id="else", view="offer", ref="q1"))
    await all_sent(outbox, await take(outbox))
    for n in range(3):
        await refresh(world, n)
    edits = await take(outbox)
    assert len(edits) == 6
    mine = [row for row in edits if row.edits == "card"]
    await outbox.sent([sent(mine[1], "m1", b"newer")])
    await outbox.release_all()
    left = await take(outbox)
    assert names(row for row in left if row.edits == "card") == [mine[2].send_id]
    assert len([row for row in left if row.edits == "card2"]) == 3
    shown = await outbox.shown(NETWORK, "ref of card")
    assert shown is not None
    assert shown.body == b"newer"


async def test_a_dropped_message_gets_no_edits(world: World, outbox: Outbox) -> None:
    await say(world, notice("card", view="offer", ref="q1"))
    (row,) = await take(outbox)
    await outbox.sent([sent(row, None, None)])
    await refresh(world, 1)
    assert await take(outbox) == []


async def test_every_room_that_shows_a_card_gets_its_edit(world: World, outbox: Outbox) -> None:
    for room in ("a", "b", "c"):
        await say(world, notice(f"card {room}", room_id=room, view="offer", ref="q1"))
    await say(world, notice("other", view="offer", ref="q2"))
    await all_sent(outbox, await take(outbox))
    await refresh(world, 1, settled=False)
    edits = await take(outbox)
    assert sorted(row.room_id for row in edits) == ["a", "b", "c"]
    assert not any(row.settled for row in edits)


PASSING = Refresh(view="offer", ref="q1", settled=False)
AS_SHOWN = Refresh(view="offer", ref="q1", as_shown=True)
CHANGED = Refresh(view="offer", ref="q1")


@pytest.mark.parametrize(
    ("live", "edited_by"),
    [
        (None, [PASSING, AS_SHOWN, CHANGED]),
        (True, [PASSING, CHANGED]),
        (False, [AS_SHOWN, CHANGED]),
    ],
    ids=["unknown", "live", "not live"],
)
async def test_passing_changes_are_for_live_messages_and_what_they_showed_for_the_others(
    world: World, outbox: Outbox, *, live: bool | None, edited_by: list[Refresh]
) -> None:
    await say(world, notice("card", view="offer", ref="q1"))
    (row,) = await take(outbox)
    await outbox.sent([msgspec.structs.replace(sent(row, "ref"), live=live)])
    edited = []
    for n, change in enumerate((PASSING, AS_SHOWN, CHANGED)):
        await say(world, change, key=f"refresh {n}")
        due = await take(outbox)
        edited += [change for row in due if row.edits == "card"]
        await all_sent(outbox, due)
    assert edited == edited_by


async def test_of_changes_written_together_the_one_that_shows_more_counts(
    world: World, outbox: Outbox
) -> None:
    await say(world, notice("card", view="offer", ref="q1"))
    (row,) = await take(outbox)
    await outbox.sent([msgspec.structs.replace(sent(row, "ref"), live=True)])
    await say(world, AS_SHOWN, PASSING, key="refresh")
    (edit,) = await take(outbox)
    assert edit.settled


async def test_a_message_is_found_by_the_networks_id(world: World, outbox: Outbox) -> None:
    await say(world, notice("card", view="offer", ref="q1", person_id="anna"))
    await all_sent(outbox, await take(outbox))
    shown = await outbox.shown(NETWORK, "ref of card")
    assert shown is not None
    assert (shown.view, shown.ref, shown.person_id) == ("offer", "q1", "anna")
    assert await outbox.shown("matrix", "ref of card") is None
    assert await outbox.shown(NETWORK, "no such ref") is None


async def test_the_newest_public_card_of_a_room_is_found(world: World, outbox: Outbox) -> None:
    await say(world, notice("one", view="offer", ref="q1"))
    await say(world, notice("two", view="offer", ref="q2"))
    await say(world, notice("private", view="offer", ref="q3", person_id="anna"))
    await say(world, notice("elsewhere", room_id="else", view="offer", ref="q4"))
    assert await outbox.latest_shown(NETWORK, "lobby", "offer") is None
    await all_sent(outbox, await take(outbox))
    latest = await outbox.latest_shown(NETWORK, "lobby", "offer")
    assert latest is not None
    assert latest.ref == "q2"


def test_a_round_on_sqlite_walks_through_no_more_than_what_is_due() -> None:
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.connect() as connection:
        told = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {outbox_module._TAKE.sqlite}",
            ('["web"]', 1, 200, "me"),
        )
        plan = [row["detail"] for row in told.mappings()]
    assert any("ix_outbox_due" in step for step in plan)
    assert not {"SCAN outbox", "SCAN o", "SCAN e"}.intersection(plan)
