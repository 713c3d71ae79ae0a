"""What was heard: kept once, worked on by one, and never lost with whoever worked on it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from tests.wallet_core.world import World, world_at
from wallet_core.ledger.commits import Commit
from wallet_core.storage import tables as t
from wallet_core.storage.inbox import TRIES_MAX, Inbox


@pytest.fixture
async def inbox(world: World) -> Inbox:
    return world.inbox


@pytest.fixture
async def other(world: World) -> AsyncIterator[Inbox]:
    """The inbox of another process."""
    async with world_at(world.database.url, create=False) as other:
        yield other.inbox


def events(*names: str) -> list[tuple[str, bytes]]:
    return [(name, name.encode(errors="replace")) for name in names]


async def let_claims_run_out(world: World) -> None:
    async with world.database.write() as connection:
        await connection.execute(sa.update(t.inbox).values(claimed_until_us=1))


async def test_a_duplicate_is_kept_once_and_only_new_ones_are_given_back(inbox: Inbox) -> None:
    first = await inbox.keep(events("a", "b", "a"), claim=True)
    again = await inbox.keep([("b", b"other words"), ("c", b"c")], claim=True)
    assert [heard.event_id for heard in first] == ["a", "b"]
    assert [(heard.event_id, heard.body) for heard in again] == [("c", b"c")]
    assert await inbox.waiting_count() == 3


async def test_many_deliveries_at_once_keep_each_event_once(inbox: Inbox, other: Inbox) -> None:
    kept = await asyncio.gather(
        *((inbox, other)[n % 2].keep(events(f"e{n // 4}"), claim=True) for n in range(80))
    )
    names = sorted(heard.event_id for heards in kept for heard in heards)
    assert names == sorted({f"e{n}" for n in range(20)})


async def test_the_cursor_stands_in_the_transaction_that_keeps_the_events(
    inbox: Inbox, other: Inbox
) -> None:
    assert await inbox.load_cursor("matrix") is None
    await inbox.keep(events("a"), ("matrix", "s1"), claim=True)
    await inbox.keep((), ("matrix", "s2"), claim=True)
    await inbox.keep(events("b"), ("web", "w1"), claim=False)
    assert await other.load_cursor("matrix") == "s2"
    assert await other.load_cursor("web") == "w1"


@pytest.mark.parametrize("poison", ["half a character \ud800", "x" * 600])
async def test_one_delivery_that_cannot_be_kept_fails_alone_and_moves_no_cursor(
    inbox: Inbox, world: World, poison: str
) -> None:
    await inbox.keep(events("first"), ("matrix", "s1"), claim=True)
    fails = not world.database.is_sqlite or "\ud800" in poison  # SQLite takes a text of any length
    results = await asyncio.gather(
        inbox.keep(events("a"), claim=True),
        inbox.keep(events("good company", poison), ("matrix", "s2"), claim=True),
        inbox.keep(events("b"), claim=True),
        return_exceptions=True,
    )
    assert [isinstance(result, Exception) for result in results] == [False, fails, False]
    assert await inbox.waiting_count() == (3 if fails else 5)
    assert await inbox.load_cursor("matrix") == ("s1" if fails else "s2")


async def test_what_one_process_works_on_is_not_given_to_another(
    inbox: Inbox, other: Inbox
) -> None:
    await inbox.keep(events("mine"), claim=True)
    await inbox.keep(events("free"), claim=False)
    assert [heard.event_id for heard in await other.claim(10)] == ["free"]
    assert await inbox.claim(10) == []
    assert await other.claim(10) == []


async def test_a_claim_that_ran_out_is_taken_over_by_one(
    inbox: Inbox, other: Inbox, world: World
) -> None:
    await inbox.keep(events(*(f"e{n}" for n in range(40))), claim=True)
    await let_claims_run_out(world)
    rounds = await asyncio.gather(*((inbox, other)[n % 2].claim(7) for n in range(16)))
    taken = [heard.event_id for heards in rounds for heard in heards]
    assert len(taken) == len(set(taken))
    while more := await other.claim(7):
        taken += [heard.event_id for heard in more]
    assert sorted(taken) == sorted(f"e{n}" for n in range(40))


async def test_events_are_claimed_oldest_first_and_no_more_than_asked_for(inbox: Inbox) -> None:
    await inbox.keep(events("c", "a", "b"), claim=False)
    assert [heard.event_id for heard in await inbox.claim(2)] == ["c", "a"]
    assert [heard.event_id for heard in await inbox.claim(2)] == ["b"]


async def test_a_commit_puts_its_event_away(inbox: Inbox, world: World) -> None:
    await inbox.keep(events("a", "b"), claim=True)
    await world.writer.commit(Commit(key="answer", event_id="a"))
    assert await inbox.waiting_count() == 1
    assert await inbox.keep(events("a"), claim=True) == []
    await let_claims_run_out(world)
    assert [heard.event_id for heard in await inbox.claim(10)] == ["b"]


async def test_a_repeated_commit_puts_a_late_event_away(inbox: Inbox, world: World) -> None:
    await world.writer.commit(Commit(key="answer", event_id="a"))
    await inbox.keep(events("a"), claim=True)
    await world.writer.commit(Commit(key="answer", event_id="a"))
    assert await inbox.waiting_count() == 0


async def test_an_event_that_fails_comes_again_after_its_pause(inbox: Inbox) -> None:
    (heard,) = await inbox.keep(events("a"), claim=True)
    assert await inbox.failed(heard, "no", pause_s=3600) is False
    assert await inbox.claim(10) == []
    assert await inbox.failed(heard, "no", pause_s=-1) is False
    (again,) = await inbox.claim(10)
    assert (again.event_id, again.body, again.tries) == ("a", b"a", 1)


async def test_an_event_that_fails_again_and_again_is_parked(inbox: Inbox, world: World) -> None:
    (heard,) = await inbox.keep(events("poison"), claim=True)
    for n in range(1, TRIES_MAX):
        assert await inbox.failed(heard, f"no {n}", pause_s=-1) is False
        (heard,) = await inbox.claim(10)
    assert await inbox.failed(heard, "no, never", pause_s=-1) is True
    assert await inbox.claim(10) == []
    assert await inbox.waiting_count() == 0
    async with world.database.read() as connection:
        row = (await connection.execute(sa.select(t.inbox))).one()
    assert (row.state, row.error) == ("parked", "no, never")
    # Delivered again it is known, and stays parked.
    assert await inbox.keep(events("poison"), claim=True) == []


@pytest.mark.parametrize("error", ["a\x00b", "x" * 5000, "half a character: \ud800"])
async def test_whatever_the_error_says_it_is_noted(inbox: Inbox, error: str) -> None:
    (heard,) = await inbox.keep(events("a"), claim=True)
    assert await inbox.failed(heard, error, pause_s=-1) is False
    assert len(await inbox.claim(10)) == 1


async def test_a_failure_after_the_answer_changes_nothing(inbox: Inbox, world: World) -> None:
    (heard,) = await inbox.keep(events("a"), claim=True)
    await world.writer.commit(Commit(key="answer", event_id="a"))
    await inbox.failed(heard, "too late", pause_s=-1)
    assert await inbox.claim(10) == []


async def test_a_process_that_is_alone_frees_what_its_predecessor_held(
    inbox: Inbox, other: Inbox
) -> None:
    await inbox.keep(events("a", "b"), claim=True)
    await other.release_all()
    assert [heard.event_id for heard in await other.claim(10)] == ["a", "b"]
