"""The writer on real databases: all or nothing, once, and never below a floor."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.peers.tables import create_tables
from wallet_core.errors import KeyConflict, Refusal, Refused, Unwritable
from wallet_core.ledger.accounts import AccountRef, clearing, merchant, wallet
from wallet_core.ledger.commits import Commit, Insert, Notice, Refresh, Update, Written
from wallet_core.ledger.transfers import (
    Authorise,
    Capture,
    EndingAction,
    Leg,
    Post,
    Transfer,
    Void,
    named,
)
from wallet_core.storage import chain_rows
from wallet_core.storage import tables as t
from wallet_core.storage.chain_rows import TooManyEntries
from wallet_core.storage.database import Database
from wallet_core.storage.writer import Writer

ANNA = wallet("w_anna", "CNY")
SHOP = merchant("m_shop", "CNY")
TILL = clearing("cash", "CNY")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await create_tables(database)
    yield database
    await database.close()


@pytest.fixture
async def writer(database: Database) -> AsyncIterator[Writer]:
    async with Writer(database) as writer:
        await writer.commit(
            Commit(
                key="people",
                rows=(
                    Insert("persons", {"id": "p_anna", "wallet_id": "w_anna", "admin": False}),
                    Insert(
                        "wallets",
                        {"id": "w_anna", "person_id": "p_anna", "mode": "open", "fence": 0},
                    ),
                ),
            )
        )
        yield writer


async def test_a_writer_that_is_closed_before_it_began_ends(database: Database) -> None:
    async with asyncio.timeout(10), Writer(database):
        pass


def top_up(amount_minor: int, key: str = "topup", to: AccountRef = ANNA) -> Commit:
    legs = (Leg(TILL, -amount_minor), Leg(to, amount_minor))
    return Commit(key=key, transfers=(Post(id=named(key), legs=legs),))


def hold(amount_minor: int, key: str) -> Authorise:
    return Authorise(
        id=named(key),
        payer=ANNA,
        payee=SHOP,
        amount_minor=amount_minor,
        ending=EndingAction.CAPTURE,
        ends_after_s=8,
    )


async def balances(database: Database) -> dict[str, int]:
    async with database.read() as connection:
        rows = await connection.execute(sa.select(t.accounts.c.id, t.accounts.c.balance_minor))
        return {row.id: row.balance_minor for row in rows if row.balance_minor}


async def test_a_transfer_writes_entries_that_sum_to_zero_with_balances_after(
    writer: Writer, database: Database
) -> None:
    await writer.commit(top_up(500))
    await writer.commit(top_up(200, "again"))
    async with database.read() as connection:
        query = sa.select(t.entries, t.accounts.c.id.label("account_id"))
        query = query.join(t.accounts, t.accounts.c.no == t.entries.c.account_no)
        rows = (await connection.execute(query.order_by(t.entries.c.seq))).all()
    assert sum(row.amount_minor for row in rows) == 0
    mine = [row for row in rows if row.account_id == ANNA.id]
    assert [(r.seq, r.amount_minor, r.balance_after_minor) for r in mine] == [
        (1, 500, 500),
        (2, 200, 700),
    ]


async def test_the_same_key_writes_once_and_other_parameters_are_a_conflict(
    writer: Writer, database: Database
) -> None:
    first = await writer.commit(top_up(500))
    second = await writer.commit(top_up(500))
    assert (first.created, second.created) == (True, False)
    with pytest.raises(KeyConflict):
        await writer.commit(top_up(501))
    assert (await balances(database))[ANNA.id] == 500


async def test_a_transfer_id_is_spent_once_under_whatever_commit_key(
    writer: Writer, database: Database
) -> None:
    transfer = top_up(500).transfers
    await writer.commit(Commit(key="a", transfers=transfer))
    await writer.commit(Commit(key="b", transfers=transfer))
    assert (await balances(database))[ANNA.id] == 500


@pytest.mark.parametrize("ending", ["capture", "void"])
async def test_a_hold_ends_once(writer: Writer, database: Database, ending: str) -> None:
    await writer.commit(top_up(500))
    await writer.commit(Commit(key="tap", transfers=(hold(300, "tap"),)))
    assert await balances(database) == {TILL.id: -500, ANNA.id: 200, ANNA.held.id: 300}
    ends: dict[str, Transfer] = {
        "capture": Capture(id=named("end"), hold_id=named("tap")),
        "void": Void(id=named("end"), hold_id=named("tap")),
    }
    await writer.commit(Commit(key="end", transfers=(ends[ending],)))
    where = SHOP.id if ending == "capture" else ANNA.id
    assert (await balances(database))[where] == (300 if ending == "capture" else 500)
    for late in (
        Capture(id=named("late c"), hold_id=named("tap")),
        Void(id=named("late v"), hold_id=named("tap")),
    ):
        with pytest.raises(Refused) as refused:
            await writer.commit(Commit(key=f"late{late.id}", transfers=(late,)))
        assert refused.value.code is Refusal.NOT_OPEN


async def test_a_refused_commit_leaves_nothing_and_harms_no_neighbour(
    writer: Writer, database: Database
) -> None:
    await writer.commit(top_up(500))
    commits = [
        Commit(
            key=f"spend{n}",
            transfers=(hold(300, f"spend{n}"),),
            rows=(Insert("cursors", {"network": f"n{n}", "value": "x"}),),
        )
        for n in range(20)
    ]
    results = await asyncio.gather(*map(writer.commit, commits), return_exceptions=True)
    refused = [result for result in results if isinstance(result, Refused)]
    assert len(refused) == 19
    assert {refusal.code for refusal in refused} == {Refusal.NO_FUNDS}
    async with database.read() as connection:
        kept = (await connection.execute(sa.select(t.cursors))).all()
    assert len(kept) == 1
    assert (await balances(database))[ANNA.id] == 200


async def test_a_refused_row_takes_its_money_back(writer: Writer, database: Database) -> None:
    await writer.commit(top_up(500))
    with pytest.raises(Refused) as refused:
        await writer.commit(
            Commit(
                key="tap",
                transfers=(hold(300, "tap"),),
                rows=(
                    Insert("cursors", {"network": "n", "value": "x"}),
                    Update(
                        table="wallets",
                        where={"id": "nobody"},
                        values={"mode": "frozen"},
                        refusal=Refusal.SOLD_OUT,
                    ),
                ),
            )
        )
    assert refused.value.code is Refusal.SOLD_OUT
    assert await balances(database) == {TILL.id: -500, ANNA.id: 500}
    assert await writer.written("tap") is None


async def test_two_writers_on_one_database_spend_the_money_once(
    writer: Writer, database: Database, database_url: str
) -> None:
    await writer.commit(top_up(500))
    other_database = Database(database_url)
    async with Writer(other_database) as other:
        spends = [
            (writer, other)[n % 2].commit(Commit(key=f"s{n}", transfers=(hold(500, f"s{n}"),)))
            for n in range(100)
        ]
        results = await asyncio.gather(*spends, return_exceptions=True)
    await other_database.close()
    assert sum(1 for result in results if isinstance(result, Refused)) == 99
    assert await balances(database) == {TILL.id: -500, ANNA.held.id: 500}


async def test_two_writers_with_the_same_keys_write_each_once(
    writer: Writer, database: Database, database_url: str
) -> None:
    other_database = Database(database_url)
    async with Writer(other_database) as other:
        results = await asyncio.gather(
            *(w.commit(top_up(1, f"k{n}")) for n in range(50) for w in (writer, other))
        )
    await other_database.close()
    assert sum(result.created for result in results) == 50
    assert (await balances(database))[ANNA.id] == 50


async def test_the_database_refuses_an_overdraft_whatever_the_code_above_does(
    writer: Writer, database: Database
) -> None:
    await writer.commit(top_up(500))
    with pytest.raises(DBAPIError):
        async with database.write() as connection:
            await connection.execute(
                sa.update(t.accounts).where(t.accounts.c.id == ANNA.id).values(balance_minor=-1)
            )


@pytest.mark.parametrize("table", [t.entries, t.transfers, t.commits, t.journal])
@pytest.mark.parametrize("verb", ["update", "delete", "replace"])
async def test_the_books_are_append_only_in_the_database(
    writer: Writer, database: Database, table: sa.Table, verb: str
) -> None:
    await writer.commit(top_up(500))
    column = list(table.c)[-1]
    if verb == "replace":
        # A new row with the key of an old one, which goes.
        key = ", ".join(each.name for each in table.primary_key)
        one = f"(SELECT * FROM {table.name} LIMIT 1)"  # noqa: S608 - names of our own tables
        other = f"UPDATE SET {column.name} = excluded.{column.name}"
        statement: sa.Executable = sa.text(
            f"REPLACE INTO {table.name} SELECT * FROM {one}"  # noqa: S608 - same
            if database.is_sqlite
            else f"INSERT INTO {table.name} {one} ON CONFLICT ({key}) DO {other}"
        )
    elif verb == "delete":
        statement = sa.delete(table)
    else:
        statement = sa.update(table).values({column: column})
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.write() as connection:
            await connection.execute(statement)


async def test_a_wallet_that_gets_money_can_hold_it_without_opening_another_account(
    writer: Writer, database: Database
) -> None:
    await writer.commit(top_up(500))
    async with database.read() as connection:
        opened = set(await connection.scalars(sa.select(t.accounts.c.id)))
    await writer.commit(Commit(key="tap", transfers=(hold(1, "tap"),)))
    async with database.read() as connection:
        afterwards = set(await connection.scalars(sa.select(t.accounts.c.id)))
    assert ANNA.held.id in opened
    assert opened == afterwards


async def test_a_newer_lease_refuses_commits_of_an_older_one(writer: Writer) -> None:
    await writer.commit(top_up(500))
    old = await writer.raise_fence("w_anna")
    new = await writer.raise_fence("w_anna")
    assert new == old + 1
    with pytest.raises(Refused) as refused:
        await writer.commit(Commit(key="old", transfers=(hold(1, "old"),), fences={"w_anna": old}))
    assert refused.value.code is Refusal.STALE_FENCE
    await writer.commit(Commit(key="new", transfers=(hold(1, "new"),), fences={"w_anna": new}))


async def test_a_frozen_wallet_receives_but_does_not_pay(
    writer: Writer, database: Database
) -> None:
    await writer.commit(
        Commit(
            key="freeze",
            rows=(Update(table="wallets", where={"id": "w_anna"}, values={"mode": "frozen"}),),
        )
    )
    await writer.commit(top_up(500))
    with pytest.raises(Refused) as refused:
        await writer.commit(Commit(key="tap", transfers=(hold(1, "tap"),)))
    assert refused.value.code is Refusal.WALLET_FROZEN
    assert (await balances(database))[ANNA.id] == 500


async def test_what_is_said_stands_with_what_was_done_and_is_brought_up_to_date(
    writer: Writer, database: Database
) -> None:
    notice = Notice(send_id="card1", network="web", room_id="lobby", view="offer", ref="q1")
    await writer.commit(Commit(key="card", outbox=(notice,)))
    await writer.commit(Commit(key="sold", outbox=(Refresh(view="offer", ref="q1"),)))
    async with database.read() as connection:
        rows = (await connection.execute(sa.select(t.outbox).order_by(t.outbox.c.seq))).all()
    assert [row.edits for row in rows] == [None, "card1"]
    assert {row.room_id for row in rows} == {"lobby"}


async def test_a_commit_with_more_entries_than_a_batch_can_number_is_refused_alone(
    writer: Writer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain_rows, "ENTRIES_MAX", 7)
    await writer.commit(top_up(500))
    large = Commit(
        key="large", transfers=tuple(top_up(1, f"large {n}").transfers[0] for n in range(4))
    )
    commits = [top_up(1, "one"), large, top_up(1, "two"), top_up(1, "three")]
    results = await asyncio.gather(*map(writer.commit, commits), return_exceptions=True)
    assert [type(result) for result in results] == [Written, TooManyEntries, Written, Written]
    assert (await balances(database))[ANNA.id] == 503
    assert (await writer.commit(top_up(5, "later"))).created


def held_by(key: str, subject: str) -> Commit:
    """A hold of Anna's that says what it is for."""
    hold = Authorise(
        id=named(key),
        subject=subject,
        payer=ANNA,
        payee=SHOP,
        amount_minor=1,
        ending=EndingAction.CAPTURE,
        ends_after_s=60,
    )
    return Commit(key=key, transfers=(hold,))


UNWRITABLE = {
    "no Unicode in a key": Commit(key="k\ud800", transfers=top_up(1, "k").transfers),
    "no Unicode in a subject": held_by("subject", "tea \udfff"),
    "no Unicode in a result": Commit(key="result", result="tea \ud800"),
    "too long a subject": held_by("long", "s" * 70_000),
    "an unknown table": Commit(key="table", rows=(Insert("nothing", {"id": 1}),)),
    "an unknown column": Commit(key="column", rows=(Insert("wallets", {"nothing": 1}),)),
}


@pytest.mark.parametrize("what", UNWRITABLE)
async def test_what_can_never_be_written_is_told_so_and_harms_no_neighbour(
    writer: Writer, what: str
) -> None:
    before, after = [top_up(100, f"before {n}") for n in range(3)], [top_up(100, "after")]
    commits = [*before, UNWRITABLE[what], *after]
    results = await asyncio.gather(*map(writer.commit, commits), return_exceptions=True)
    assert isinstance(results.pop(3), Unwritable)
    assert [isinstance(result, Written) and result.created for result in results] == [True] * 4
    assert (await balances(writer.database))[ANNA.id] == 400


@pytest.mark.parametrize("words", ["a\0b", "k" * 201])
async def test_what_one_database_takes_and_the_other_does_not_is_told_so_too(
    writer: Writer, words: str
) -> None:
    if writer.database.is_sqlite:
        assert (await writer.commit(top_up(1, words))).created
        return
    with pytest.raises(Unwritable):
        await writer.commit(top_up(1, words))
    assert (await writer.commit(top_up(1, "after"))).created


async def test_a_known_transfer_under_a_new_key_is_created_and_moves_nothing(
    writer: Writer,
) -> None:
    transfers = top_up(100).transfers
    first, second, again = [
        await writer.commit(Commit(key=key, transfers=transfers)) for key in ("a", "b", "b")
    ]
    assert (first.created, second.created, again.created) == (True, True, False)
    assert (await balances(writer.database))[ANNA.id] == 100


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "postgresql://127.0.0.1:1/none"])
async def test_what_an_outage_refused_is_not_kept_in_memory(url: str) -> None:
    away = Database(url)
    async with Writer(away) as refusing:
        first = await _futures_after_a_crowd(refusing)
        assert await _futures_after_a_crowd(refusing) <= first
    await away.close()


async def _futures_after_a_crowd(refusing: Writer) -> int:
    commits = [top_up(1, f"k{n}") for n in range(50)]
    await asyncio.gather(*map(refusing.commit, commits), return_exceptions=True)
    gc.collect()
    return sum(isinstance(each, asyncio.Future) for each in gc.get_objects())
