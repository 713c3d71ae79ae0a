"""What a writer remembers is never more right than the database."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest
import sqlalchemy as sa

from tests.audit import audit
from tests.wallet_core.world import CNY, World, world_at
from wallet_core.errors import KeyConflict, Refusal, Refused
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit, Update, Value
from wallet_core.ledger.posting import AccountState
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.limits import Limits, WalletLimits
from wallet_core.storage import tables as t
from wallet_core.storage.postgres_session import PostgresSession
from wallet_core.storage.remembered import RememberedAccounts, Standing
from wallet_core.storage.requests import Open, Opened, Request
from wallet_core.storage.sqlite_session import SqliteTransactions


@pytest.fixture
async def other(world: World) -> AsyncIterator[World]:
    """Another process on the database of `world`."""
    async with world_at(world.database.url, create=False) as other:
        yield other


def send(amount_minor: int, key: str, payer: str = "w_ann", payee: str = "w_bob") -> Commit:
    legs = (
        Leg(accounts.wallet(payer, CNY), -amount_minor),
        Leg(accounts.wallet(payee, CNY), amount_minor),
    )
    return Commit(transfers=(Post(id=named(key), legs=legs),))


def change_wallet(wallet_id: str, **values: Value) -> Commit:
    row = Update(table="wallets", where={"id": wallet_id}, values=values)
    return Commit(key=f"change-{wallet_id}-{sorted(values)}", rows=(row,))


async def balances(world: World) -> Mapping[str, int]:
    query = sa.select(t.accounts.c.id, t.accounts.c.balance_minor)
    async with world.database.read() as connection:
        return {row.id: row.balance_minor for row in await connection.execute(query)}


@pytest.fixture
async def pair(world: World) -> tuple[str, str]:
    """The wallets of two people, both with money, and both remembered by the writer."""
    ann, bob = await world.person("ann", 500), await world.person("bob", 500)
    await world.writer.commit(send(1, "there", ann.wallet_id, bob.wallet_id))
    await world.writer.commit(send(1, "and back", bob.wallet_id, ann.wallet_id))
    return ann.wallet_id, bob.wallet_id


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What batches asked the database about accounts from now on."""
    asked: list[Request] = []
    on_postgres, on_sqlite = PostgresSession._open, SqliteTransactions._open

    async def postgres(
        session: PostgresSession, connection: object, request: Open, **more: bool
    ) -> Opened:
        if request.account_ids:
            asked.append(request)
        return await on_postgres(session, connection, request, **more)  # type: ignore[arg-type]

    def sqlite(session: SqliteTransactions, connection: object, request: Open) -> Opened:
        if request.account_ids:
            asked.append(request)
        return on_sqlite(session, connection, request)  # type: ignore[arg-type]

    monkeypatch.setattr(PostgresSession, "_open", postgres)
    monkeypatch.setattr(SqliteTransactions, "_open", sqlite)
    return asked


async def test_what_is_remembered_is_not_asked_for_again(
    world: World, pair: tuple[str, str], questions: list[Request]
) -> None:
    for n in range(10):
        await world.writer.commit(send(10, f"s{n}", *pair))
    assert questions == []
    assert sorted((await balances(world)).values())[-2:] == [400, 600]
    await audit(world.database)


async def test_a_crowd_that_pays_one_merchant_is_written_in_its_order_and_as_a_whole(
    world: World,
) -> None:
    payers = [await world.person(f"p{n}", 100) for n in range(60)]
    shop = accounts.merchant("m_shop", CNY)

    async def pay(wallet_id: str, name: str) -> None:
        for n in range(10):
            legs = (Leg(accounts.wallet(wallet_id, CNY), -10), Leg(shop, 10))
            await world.writer.commit(Commit(transfers=(Post(id=named(name, n), legs=legs),)))

    await asyncio.gather(*(pay(p.wallet_id, f"crowd{n}") for n, p in enumerate(payers)))
    assert (await balances(world))[shop.id] == 60 * 100
    await audit(world.database)


async def test_who_was_decided_on_what_was_not_written_is_decided_anew(
    world: World, other: World
) -> None:
    """Two processes pay one merchant: each spoils what the other has decided."""
    shop = accounts.merchant("m_shop", CNY)

    async def pay(process: World, wallet_id: str, name: str) -> None:
        for n in range(10):
            legs = (Leg(accounts.wallet(wallet_id, CNY), -10), Leg(shop, 10))
            commit = Commit(transfers=(Post(id=named(name, n), legs=legs),))
            assert (await process.writer.commit(commit)).created

    payers = [await world.person(f"p{n}", 100) for n in range(40)]
    await asyncio.gather(
        *(pay((world, other)[n % 2], p.wallet_id, f"two{n}") for n, p in enumerate(payers))
    )
    assert (await balances(world))[shop.id] == 40 * 100
    await audit(world.database)


async def test_money_that_another_process_spent_is_not_there(
    world: World, other: World, pair: tuple[str, str]
) -> None:
    await other.writer.commit(send(500, "elsewhere", *pair))
    with pytest.raises(Refused) as refused:
        await world.writer.commit(send(1, "here", *pair))
    assert refused.value.code is Refusal.NO_FUNDS
    await audit(world.database)


async def test_money_that_another_process_brought_can_be_spent(
    world: World, other: World, pair: tuple[str, str]
) -> None:
    await world.writer.commit(send(500, "all of it", *pair))
    await other.writer.commit(send(300, "some back", *reversed(pair)))
    assert (await world.writer.commit(send(300, "again", *pair))).created
    await audit(world.database)


async def test_a_wallet_that_another_process_froze_pays_no_more(
    world: World, other: World, pair: tuple[str, str]
) -> None:
    await other.writer.commit(change_wallet(pair[0], mode="frozen"))
    with pytest.raises(Refused) as refused:
        await world.writer.commit(send(1, "cold", *pair))
    assert refused.value.code is Refusal.WALLET_FROZEN


async def test_a_limit_that_another_process_set_holds_at_once(
    world: World, other: World, pair: tuple[str, str]
) -> None:
    limits = WalletLimits(admin={CNY: Limits(payment_max_minor=5)}).text()
    await other.writer.commit(change_wallet(pair[0], limits=limits))
    assert (await world.writer.commit(send(5, "little", *pair))).created
    with pytest.raises(Refused) as refused:
        await world.writer.commit(send(6, "much", *pair))
    assert refused.value.code is Refusal.PAYMENT_LIMIT


async def test_an_id_that_stands_is_answered_as_standing_or_as_a_conflict(
    world: World, other: World, pair: tuple[str, str]
) -> None:
    await other.writer.commit(send(5, "once", *pair))
    assert not (await world.writer.commit(send(5, "once", *pair))).created
    with pytest.raises(KeyConflict):
        await world.writer.commit(send(6, "once", *pair))
    await audit(world.database)


async def test_two_processes_that_pay_by_turns_from_one_wallet_lose_nothing(
    world: World, other: World, pair: tuple[str, str]
) -> None:
    for n in range(20):
        writer = (world, other)[n % 2].writer
        assert (await writer.commit(send(10, f"turn{n}", *pair))).created
    assert sorted((await balances(world)).values())[-2:] == [300, 700]
    await audit(world.database)


def state(wallet_id: str) -> AccountState:
    return AccountState.opened(accounts.wallet(wallet_id, CNY))


def test_the_memory_of_accounts_has_an_end_and_forgets_the_oldest() -> None:
    remembered = RememberedAccounts(accounts_max=2)
    states = {each.ref.id: each for each in map(state, ("a", "b", "c"))}
    remembered.keep(states.values(), 0)
    assert list(remembered.recall(states)) == list(states)[1:]


def test_a_change_of_wallets_makes_all_older_memories_worthless() -> None:
    remembered = RememberedAccounts()
    old, new, late = map(state, ("old", "new", "late"))
    remembered.keep([old], 1)
    remembered.keep([new], 2)
    remembered.keep([late], 1)
    assert list(remembered.recall([old.ref.id, new.ref.id, late.ref.id])) == [new.ref.id]


def test_time_is_not_counted_on_for_long_where_the_clock_is_the_databases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = 100.0
    monkeypatch.setattr("wallet_core.storage.remembered.time.monotonic", lambda: now_s)
    standing = Standing(RememberedAccounts())
    standing.keep(Opened(7_000_000, 0, 3, b"head"), [state("a")])
    now_s = 100.5
    recalled, _ = standing.recall([])
    assert recalled is not None
    assert (recalled.now_us, recalled.length) == (7_500_000, 3)
    now_s = 102.0
    assert standing.recall([]) == (None, {})
