"""Rows by their keys, on both databases, alone and in a crowd."""

import asyncio
from uuid import uuid4

import msgspec
import pytest
import sqlalchemy as sa

from tests.wallet_core.world import World
from wallet_core.errors import StorageUnavailable
from wallet_core.storage import tables as t
from wallet_core.storage.requests import Statement, fetch
from wallet_core.storage.rows_by_key import RecordLookups, RowLookups

_CURSOR = fetch(t.cursors, ("network", "value"), ("network",))


class _Person(msgspec.Struct, frozen=True):
    wallet_id: str
    admin: bool


class _Chained(msgspec.Struct, frozen=True):
    kind: str


async def _keep(world: World, **cursors: str) -> None:
    async with world.database.write() as connection:
        rows = [{"network": name, "value": value} for name, value in cursors.items()]
        await connection.execute(sa.insert(t.cursors), rows)


async def test_each_key_gets_its_own_row_and_an_unknown_one_none(world: World) -> None:
    await _keep(world, a="1", b="2")
    lookups = RowLookups(world.database, _CURSOR)
    found = await asyncio.gather(*(lookups.row(name) for name in ("b", "a", "nobody", "b")))
    assert [row and tuple(row) for row in found] == [("b", "2"), ("a", "1"), None, ("b", "2")]


@pytest.mark.parametrize("poison", ["\0", "\ud800"])
async def test_a_key_that_can_never_be_asked_for_fails_alone(world: World, poison: str) -> None:
    await _keep(world, a="1", b="2")
    lookups = RowLookups(world.database, _CURSOR)
    keys = ("a", poison, "b", "nobody")
    found = await asyncio.gather(*(lookups.row(key) for key in keys), return_exceptions=True)
    rows = [row and not isinstance(row, BaseException) and tuple(row) for row in found]
    assert (rows[0], rows[2], rows[3]) == (("a", "1"), ("b", "2"), None)
    # SQLite looks for NUL, and finds none.
    assert isinstance(found[1], Exception | None)
    assert not isinstance(found[1], StorageUnavailable)


async def test_what_was_committed_before_is_seen(world: World) -> None:
    lookups = RowLookups(world.database, _CURSOR)
    assert await lookups.row("a") is None
    await _keep(world, a="1")
    assert await lookups.row("a") is not None


async def test_truth_values_are_such_on_both_databases(world: World) -> None:
    person = await world.people.meet("web", "anna", "lobby")
    found = await RecordLookups(world.database, t.persons, _Person).get(person.id)
    assert found == _Person(wallet_id=person.wallet_id, admin=False)
    assert found.admin is False


async def test_a_uuid_is_a_key_like_any_other(world: World) -> None:
    assert await RecordLookups(world.database, t.transfers, _Chained).get(uuid4()) is None


async def test_nothing_can_be_written_by_asking(world: World) -> None:
    writing = Statement(
        "INSERT INTO cursors VALUES (($1::text[])[1], '1') RETURNING network",
        "INSERT INTO cursors VALUES (?, '1') RETURNING network",
    )
    with pytest.raises(Exception, match=r"read-?only|readonly"):
        await world.database.ask(writing, (["a"],))
    assert await world.count(t.cursors) == 0


async def test_a_database_that_went_away_is_a_sentence_and_is_asked_again(world: World) -> None:
    lookups = RowLookups(world.database, _CURSOR)
    await _keep(world, a="1")
    assert await lookups.row("a") is not None
    if not world.database.is_sqlite:
        async with world.database.write() as connection:
            await connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        # Whoever asks just then is told so, or gets his row from a new connection.
        async with asyncio.timeout(30):
            while True:
                try:
                    row = await lookups.row("a")
                except StorageUnavailable:
                    continue
                break
        assert row is not None
