"""Fences: each raise gives a number of its own, and commits are written on what they carry."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from tests.audit import audit
from tests.wallet_core.world import CNY, World, world_at
from wallet_core.commerce.records import TapFacts
from wallet_core.errors import Refusal, Refused, StorageUnavailable
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit, Update, Written
from wallet_core.ledger.transfers import Authorise, EndingAction, named
from wallet_core.storage import tables as t

CROWD = 40
OFFER = "of_few"


@pytest.fixture
async def other(world: World) -> AsyncIterator[World]:
    """Another process on the database of `world`."""
    async with world_at(world.database.url, create=False) as other:
        yield other


def tap(wallet_id: str, key: str, fence: int, offer_id: str | None = None) -> Commit:
    """A payment of 1 under a fence, which takes one of an offer."""
    hold = Authorise(
        id=named(key),
        payer=accounts.wallet(wallet_id, CNY),
        payee=accounts.merchant("m_shop", CNY),
        amount_minor=1,
        ending=EndingAction.CAPTURE,
        ends_after_s=60,
    )
    taken = Update(
        table="offers",
        where={"id": offer_id},
        add={"sold": 1},
        keep_within=(("sold", "stock_total"),),
        refusal=Refusal.SOLD_OUT,
    )
    rows = (taken,) if offer_id else ()
    return Commit(key=key, transfers=(hold,), rows=rows, fences={wallet_id: fence})


@pytest.mark.parametrize("poison", ["\0", "\ud800"])
async def test_a_name_that_no_wallet_can_have_fails_alone(world: World, poison: str) -> None:
    anna = await world.person("anna")
    names = (anna.wallet_id, poison, anna.wallet_id)
    raised = await asyncio.gather(
        *(world.writer.raise_fence(name) for name in names), return_exceptions=True
    )
    assert [raised[0], raised[2]] == [1, 2]
    assert raised[1] == 0 or isinstance(raised[1], Exception)


@pytest.mark.parametrize("poison", ["\0", "\ud800"])
async def test_a_tap_on_what_no_quote_can_be_fails_alone(world: World, poison: str) -> None:
    anna = await world.person("anna")
    await world.open_shop()
    await world.offer()
    quote = await world.quote()
    names = (quote, poison, "q_nothing")
    asked = (world.reader.tap_facts(name, anna.wallet_id) for name in names)
    facts, _, nothing = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(facts, TapFacts)
    assert nothing is None


async def outcome(process: World, commit: Commit) -> Refusal | Written:
    try:
        return await process.writer.commit(commit)
    except Refused as refused:
        return refused.code


@pytest.fixture(params=[5, None])
async def few(world: World, request: pytest.FixtureRequest) -> AsyncIterator[int | None]:
    """How many there are of `OFFER`, which is gone afterwards: no order says what was sold."""
    row = {"id": OFFER, "url": "https://shop.example/few", "host": "shop.example", "title": "Few"}
    counts = {"stock_total": request.param, "sold": 0, "seen_at_us": 1}
    async with world.database.write() as connection:
        await connection.execute(sa.insert(t.offers).values(row | counts))
    yield request.param
    async with world.database.write() as connection:
        await connection.execute(sa.delete(t.offers).where(t.offers.c.id == OFFER))


async def sold(world: World) -> int:
    async with world.database.read() as connection:
        query = sa.select(t.offers.c.sold).where(t.offers.c.id == OFFER)
        return int((await connection.execute(query)).scalar_one())


async def test_raises_at_the_same_time_are_numbers_of_their_own(world: World, other: World) -> None:
    ann = (await world.person("ann", 10)).wallet_id
    bob = (await world.person("bob", 10)).wallet_id
    asked = [
        process.writer.raise_fence(wallet_id)
        for _ in range(CROWD)
        for process in (world, other)
        for wallet_id in (ann, bob)
    ]
    raised = await asyncio.gather(*asked)
    for turn in (0, 1):
        assert sorted(raised[turn::2]) == list(range(1, 2 * CROWD + 1))
    # In one process they come in the order in which they were asked for.
    assert raised[0::4] == sorted(raised[0::4])


async def test_no_such_wallet_has_the_fence_nought(world: World) -> None:
    assert await world.writer.raise_fence("w_nobody") == 0


async def test_a_writer_that_has_ended_raises_no_fence(world: World) -> None:
    async with world_at(world.database.url, create=False) as gone:
        writer = gone.writer
    with pytest.raises(StorageUnavailable):
        await writer.raise_fence("w_anybody")


async def test_a_stale_fence_is_refused_alone(world: World) -> None:
    people = [(await world.person(f"p{n}", 10)).wallet_id for n in range(CROWD)]
    fences = await asyncio.gather(*(world.writer.raise_fence(each) for each in people))
    robbed = people[7]
    await world.writer.raise_fence(robbed)
    outcomes = await asyncio.gather(
        *(
            outcome(world, tap(each, f"tap {each}", fence))
            for each, fence in zip(people, fences, strict=True)
        )
    )
    refused = dict(zip(people, outcomes, strict=True))
    assert refused.pop(robbed) is Refusal.STALE_FENCE
    assert all(isinstance(each, Written) and each.created for each in refused.values())
    await audit(world.database)


async def test_of_two_fences_of_one_wallet_only_the_newer_pays(world: World, other: World) -> None:
    """The older is refused whether it comes in the same batch, before, or from elsewhere."""
    ann = (await world.person("ann", 10)).wallet_id
    old = await world.writer.raise_fence(ann)
    new = await other.writer.raise_fence(ann)
    outcomes = await asyncio.gather(
        outcome(world, tap(ann, "old", old)),
        outcome(world, tap(ann, "new", new)),
        outcome(world, tap(ann, "old again", old)),
        outcome(other, tap(ann, "new again", new)),
    )
    refused = [Refusal.STALE_FENCE if one is Refusal.STALE_FENCE else None for one in outcomes]
    assert refused == [Refusal.STALE_FENCE, None, Refusal.STALE_FENCE, None]


async def test_a_fence_is_not_raised_while_a_commit_that_carries_it_is_written(
    postgres_url: str,
) -> None:
    """SQLite lets one transaction in at a time anyway."""
    async with world_at(postgres_url) as world:
        ann = (await world.person("ann", 10)).wallet_id
        first = await world.writer.raise_fence(ann)
        async with world.database.write() as connection:
            # As the statement that writes locks it.
            row = sa.select(t.wallets.c.id).where(t.wallets.c.id == ann)
            await connection.execute(row.with_for_update(key_share=True))
            raising = asyncio.ensure_future(world.writer.raise_fence(ann))
            assert not (await asyncio.wait({raising}, timeout=0.3))[0]
        assert await raising == first + 1


async def test_never_more_is_sold_than_there_is(
    world: World, other: World, few: int | None
) -> None:
    people = [(await world.person(f"p{n}", 10)).wallet_id for n in range(CROWD)]
    fences = await asyncio.gather(*(world.writer.raise_fence(each) for each in people))
    outcomes = await asyncio.gather(
        *(
            outcome((world, other)[n % 2], tap(each, f"tap {n}", fence, OFFER))
            for n, (each, fence) in enumerate(zip(people, fences, strict=True))
        )
    )
    bought = sum(isinstance(each, Written) for each in outcomes)
    assert bought == await sold(world) == (CROWD if few is None else few)
    assert outcomes.count(Refusal.SOLD_OUT) == CROWD - bought


async def test_nothing_is_sold_of_what_is_not_there(world: World) -> None:
    ann = (await world.person("ann", 10)).wallet_id
    fence = await world.writer.raise_fence(ann)
    assert await outcome(world, tap(ann, "tap", fence, "of_nowhere")) is Refusal.SOLD_OUT
    assert isinstance(await outcome(world, tap(ann, "without", fence)), Written)
