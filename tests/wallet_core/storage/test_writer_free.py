"""Writers on the same accounts make way for each other: what is free is written at once."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from tests.audit import audit
from tests.wallet_core.world import CNY, World, world_at
from wallet_core.errors import Refused
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit, Written
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.storage import tables as t
from wallet_core.storage.writer import Writer

#: Far more than a commit takes that waits for nobody.
_AT_ONCE_S = 20.0
#: So often was another writer quicker that the next batches are locked.
_LOST = 4


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """PostgreSQL only: on SQLite nobody else writes while a transaction is open."""
    return postgres_url


@pytest.fixture
async def people(world: World) -> list[str]:
    """The wallets of people with money."""
    return [(await world.person(f"person {n}", 1_000)).wallet_id for n in range(8)]


@pytest.fixture
async def wary(world: World, people: list[str]) -> AsyncIterator[Writer]:
    """A writer to whom others were quicker, again and again."""
    async with Writer(world.database, lanes=1) as writer:
        await asyncio.gather(
            *(
                writer.commit(send(f"known {n}", each, people[n - 1]))
                for n, each in enumerate(people)
            )
        )
        for n in range(_LOST):
            await world.writer.commit(send(f"theirs {n}", people[0], people[1]))
            await writer.commit(send(f"ours {n}", people[1], people[0]))
        yield writer


def send(key: str, payer: str, payee: str, amount_minor: int = 1) -> Commit:
    legs = (
        Leg(accounts.wallet(payer, CNY), -amount_minor),
        Leg(accounts.wallet(payee, CNY), amount_minor),
    )
    return Commit(transfers=(Post(id=named(key), legs=legs),))


async def test_what_is_free_does_not_wait_for_what_is_not(
    world: World, wary: Writer, people: list[str]
) -> None:
    ann, bob, cid, dan, eve = people[:5]
    async with world.database.write() as held:
        mine = accounts.wallet(bob, CNY).id
        await held.execute(
            sa.select(t.accounts.c.no).where(t.accounts.c.id == mine).with_for_update()
        )
        tasks = [
            asyncio.create_task(wary.commit(send(*each)))
            for each in (("busy", bob, dan), ("after it", dan, eve), ("free", ann, cid))
        ]
        assert (await asyncio.wait_for(tasks[2], _AT_ONCE_S)).created
        # Nobody overtakes a commit that was put off on what it touches.
        assert not tasks[0].done()
        assert not tasks[1].done()
    assert all([(await task).created for task in tasks])
    await audit(world.database)


async def test_who_is_always_busy_is_waited_for(
    world: World, wary: Writer, people: list[str]
) -> None:
    async def others() -> None:
        async with Writer(world.database) as writer:
            for n in range(60):
                await asyncio.gather(
                    *(writer.commit(send(f"o{n}.{m}", people[m], people[0])) for m in (1, 2, 3))
                )

    crowd = asyncio.create_task(others())
    for n in range(60):
        assert (await wary.commit(send(f"w{n}", people[4], people[0]))).created
    await crowd
    await audit(world.database)


async def test_an_account_that_is_not_there_yet_is_opened(
    world: World, wary: Writer, people: list[str]
) -> None:
    new = await world.person("new")
    assert (await wary.commit(send("first", people[0], new.wallet_id))).created
    await audit(world.database)


async def test_what_stands_is_known_and_what_nobody_has_is_refused(
    world: World, wary: Writer, people: list[str]
) -> None:
    again, much, good = await asyncio.gather(
        wary.commit(send("ours 0", people[1], people[0])),
        wary.commit(send("much", people[2], people[3], 1_000_000)),
        wary.commit(send("good", people[4], people[5])),
        return_exceptions=True,
    )
    assert isinstance(again, Written)
    assert not again.created
    assert isinstance(much, Refused)
    assert isinstance(good, Written)
    await audit(world.database)


async def test_four_writers_on_the_same_few_accounts_lose_nothing(
    world: World, people: list[str]
) -> None:
    chance = random.Random(4)
    before = await world.deadlocks()
    async with (
        world_at(world.database.url, create=False) as a,
        world_at(world.database.url, create=False) as b,
        world_at(world.database.url, create=False) as c,
    ):
        writers = [each.writer for each in (world, a, b, c)]

        async def caller(number: int) -> int:
            created = 0
            for n in range(25):
                payer, payee = chance.sample(people, 2)
                written = await writers[number % 4].commit(send(f"{number}.{n}", payer, payee))
                created += written.created
            return created

        assert sum(await asyncio.gather(*(caller(number) for number in range(80)))) == 2_000
    assert await world.deadlocks() == before
    await audit(world.database)


@pytest.mark.parametrize("seed", range(2))
async def test_what_a_lane_only_hopes_to_write_is_not_taken_for_what_stands(
    world: World, people: list[str], seed: int
) -> None:
    """Lanes build on each other's flights where all goes to one, while others write the same."""
    chance = random.Random(seed)
    hot = people[0]
    async with (
        world_at(world.database.url, create=False) as a,
        world_at(world.database.url, create=False) as b,
    ):
        writers = [each.writer for each in (world, a, b)]

        async def caller(number: int) -> None:
            for n in range(12):
                payer, payee = chance.sample(people, 2)
                to = hot if chance.random() < 0.7 and payer != hot else payee
                await writers[number % 3].commit(send(f"{number}.{n}", payer, to))

        await asyncio.gather(*(caller(number) for number in range(240)))
    await audit(world.database)
