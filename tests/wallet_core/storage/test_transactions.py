"""Short transactions: in turns over all processes, and what need not last waits for no disk."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.wallet_core.world import World, world_at
from wallet_core.errors import StorageUnavailable
from wallet_core.storage import requests as q
from wallet_core.storage.transactions import Transactions

_KEEP = "INSERT INTO cursors (network, value) VALUES ({}) ON CONFLICT DO NOTHING RETURNING network"
KEEP = q.Statement(_KEEP.format("($1::text[])[1], ($2::text[])[1]"), _KEEP.format("?, ?"))
READ = q.Statement(
    "SELECT value FROM cursors WHERE network = ANY($1::text[])",
    "SELECT value FROM cursors WHERE network = ?",
)
COUNT_ON = q.Statement(
    "UPDATE cursors SET value = k.value FROM unnest($1::text[], $2::text[]) AS k(network, value)"
    " WHERE cursors.network = k.network RETURNING 1",
    "UPDATE cursors SET value = ?2 WHERE network = ?1",
)
BROKEN = q.Statement("SELECT 1 / 0 WHERE $1::text[] IS NOT NULL", "SELECT nothing FROM no WHERE ?")
DURABILITY = q.Statement(
    "SELECT current_setting('synchronous_commit') WHERE $1::text[] IS NOT NULL",
    "SELECT synchronous FROM pragma_synchronous WHERE ? = 'x'",
)
TURN = 17


def asked(statement: q.Statement, *keys: str) -> q.Work[list[Any]]:
    rows = yield q.Ask(statement, tuple([key] for key in keys))
    return [row[0] for row in rows]


def counted_on(network: str) -> q.Work[None]:
    (value,) = yield from asked(READ, network)
    yield from asked(COUNT_ON, network, str(int(value) + 1))


@pytest.fixture
async def other(world: World) -> AsyncIterator[World]:
    """Another process on the same database."""
    async with world_at(world.database.url, create=False) as other:
        yield other


@pytest.mark.parametrize("single", [False, True])
async def test_what_one_wrote_the_next_sees(world: World, *, single: bool) -> None:
    transactions = Transactions(world.database)
    assert await transactions.run(asked(KEEP, "a", "1"), single=single) == ["a"]
    assert await transactions.run(asked(KEEP, "a", "2"), single=single) == []
    assert await transactions.run(asked(READ, "a"), single=single) == ["1"]


@pytest.mark.parametrize("single", [False, True])
async def test_one_that_fails_leaves_the_way_free(world: World, *, single: bool) -> None:
    transactions = Transactions(world.database)
    with pytest.raises(StorageUnavailable):
        await transactions.run(asked(BROKEN, "x"), single=single)
    assert await transactions.run(asked(KEEP, "a", "1"), single=single) == ["a"]


async def test_with_a_turn_nothing_is_read_before_what_others_write_stands(
    world: World, other: World
) -> None:
    each = [Transactions(database, turn=TURN) for database in (world.database, other.database)]
    await each[0].run(asked(KEEP, "a", "0"))
    await asyncio.gather(*(each[n % 2].run(counted_on("a")) for n in range(40)))
    assert await each[0].run(asked(READ, "a")) == ["40"]


async def test_only_what_need_not_last_waits_for_no_disk(world: World) -> None:
    kept = await Transactions(world.database).run(asked(DURABILITY, "x"))
    passing = await Transactions(world.database, lasting=False).run(asked(DURABILITY, "x"))
    assert (kept, passing) == (([2], [1]) if world.database.is_sqlite else (["on"], ["off"]))
