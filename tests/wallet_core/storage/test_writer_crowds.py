"""Many commits together: each has its own fate, in one batch and between two writers."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from tests.audit import audit
from tests.wallet_core.world import CNY, World, world_at
from wallet_core.errors import PayontapError, Refused
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit, Insert, Update, Written
from wallet_core.ledger.transfers import Authorise, Capture, EndingAction, Void, named
from wallet_core.storage import tables as t
from wallet_core.storage.writer import Writer

SHOP = accounts.merchant("m_shop", CNY)


@pytest.fixture
async def other(world: World) -> AsyncIterator[World]:
    """Another process on the database of `world`."""
    async with world_at(world.database.url, create=False) as other:
        yield other


def hold(wallet_id: str, amount_minor: int, key: str) -> Authorise:
    return Authorise(
        id=named(key),
        payer=accounts.wallet(wallet_id, CNY),
        payee=SHOP,
        amount_minor=amount_minor,
        ending=EndingAction.CAPTURE,
        ends_after_s=8,
    )


async def test_the_same_commits_by_two_writers_are_answered_alike_when_the_money_is_gone(
    world: World, other: World
) -> None:
    """Whoever comes second hears that it stands, not that its money is gone."""
    for n in range(20):
        payer = await world.person(f"p{n}", 500)
        commit = Commit(
            key=f"k{n}",
            transfers=(hold(payer.wallet_id, 500, f"h{n}"),),
            rows=(Insert("cursors", {"network": f"n{n}", "value": "x"}),),
        )
        both = await asyncio.gather(world.writer.commit(commit), other.writer.commit(commit))
        assert sorted(written.created for written in both) == [False, True]


async def test_the_same_ending_by_two_writers_stands_for_both(world: World, other: World) -> None:
    for n in range(20):
        payer = await world.person(f"p{n}", 500)
        await world.writer.commit(
            Commit(key=f"h{n}", transfers=(hold(payer.wallet_id, 500, f"h{n}"),))
        )
        end = Commit(key=f"e{n}", transfers=(Void(id=named("v", n), hold_id=named(f"h{n}")),))
        both = await asyncio.gather(world.writer.commit(end), other.writer.commit(end))
        assert sorted(written.created for written in both) == [False, True]


@pytest.mark.parametrize("together", [True, False])
async def test_a_hold_may_be_captured_in_the_batch_that_makes_it(
    world: World, *, together: bool
) -> None:
    payer = await world.person("anna", 1_000)
    await world.writer.commit(
        Commit(
            key="before",
            transfers=(
                hold(payer.wallet_id, 100, "first"),
                Capture(id=named("c first"), hold_id=named("first")),
            ),
        )
    )
    authorise = hold(payer.wallet_id, 300, "h")
    capture = Capture(id=named("c"), hold_id=named("h"))
    if together:
        await world.writer.commit(Commit(key="both", transfers=(authorise, capture)))
    else:
        # Order is kept on one lane only; whoever needs it otherwise waits for the first.
        async with Writer(world.database, lanes=1) as writer:
            await asyncio.gather(
                writer.commit(Commit(key="one", transfers=(authorise,))),
                writer.commit(Commit(key="two", transfers=(capture,))),
            )
    assert await world.reader.balance_minor(SHOP) == 400
    assert await world.balance(payer) == (600, 0)


POISON = {
    "a text with a zero byte": "a\x00b",
    "half a character": "a\ud800b",
    "a text that is too long": "x" * 300,
}


@pytest.mark.parametrize("what", [*POISON, "a number beyond 64 bits", "a missing parent"])
async def test_a_poisonous_commit_harms_no_neighbour(world: World, what: str) -> None:
    payer = await world.person("anna", 1_000)
    rows: tuple[Insert | Update, ...]
    if what in POISON:
        rows = (Insert("cursors", {"network": POISON[what], "value": "x"}),)
    elif what == "a missing parent":
        rows = (Insert("merchant_members", {"merchant_id": "m_no", "person_id": "p_no"}),)
    else:
        rows = (Update(table="wallets", where={"id": payer.wallet_id}, values={"fence": 10**30}),)
    commits = [
        Commit(key=f"k{n}", transfers=(hold(payer.wallet_id, 1, f"h{n}"),)) for n in range(9)
    ]
    commits.insert(4, Commit(key="poison", rows=rows))
    results = await asyncio.gather(*map(world.writer.commit, commits), return_exceptions=True)
    poisoned = results.pop(4)
    assert all(isinstance(result, Written) for result in results)
    assert isinstance(poisoned, PayontapError | Written)
    assert await world.balance(payer) == (991, 9)
    # And the writer goes on.
    await world.writer.commit(Commit(key="after", transfers=(hold(payer.wallet_id, 1, "after"),)))


async def test_two_writers_that_change_the_same_rows_in_turn_wait_for_no_deadlock(
    world: World, other: World
) -> None:
    await world.open_shop()
    offers = [await world.offer(name=name) for name in ("tea", "cup")]

    def sale(n: int) -> Commit:
        offer_id = offers[n % 2]
        return Commit(
            key=f"s{n}", rows=(Update(table="offers", where={"id": offer_id}, add={"sold": 1}),)
        )

    before = await world.deadlocks()
    for n in range(0, 400, 8):
        # Each writer's batch takes both offers, in opposite orders.
        await asyncio.gather(
            *(world.writer.commit(sale(m)) for m in (n, n + 1, n + 2, n + 3)),
            *(other.writer.commit(sale(m)) for m in (n + 5, n + 4, n + 7, n + 6)),
        )
    async with world.database.write() as connection:
        sold = (await connection.execute(sa.select(sa.func.sum(t.offers.c.sold)))).scalar_one()
        await connection.execute(sa.update(t.offers).values(sold=0))
    assert sold == 400
    assert await world.deadlocks() == before


async def test_a_refused_commit_can_be_handed_in_again_once_the_rule_allows_it(
    world: World,
) -> None:
    payer = await world.person("anna", 100)
    commit = Commit(key="k", transfers=(hold(payer.wallet_id, 200, "h"),))
    with pytest.raises(Refused):
        await world.writer.commit(commit)
    await world.top_up(payer.wallet_id, 100, "more")
    assert (await world.writer.commit(commit)).created
    await audit(world.database)


async def test_a_commit_whose_caller_left_is_written_all_the_same(world: World) -> None:
    payer = await world.person("anna", 100)
    asking = asyncio.create_task(
        world.writer.commit(Commit(key="k", transfers=(hold(payer.wallet_id, 60, "h"),)))
    )
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    async with asyncio.timeout(30):
        while await world.writer.written("k") is None:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    assert await world.balance(payer) == (40, 60)
