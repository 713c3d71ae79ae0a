"""Books of the schema before numbered accounts and the journal become right books after them."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.exc import DBAPIError

from tests.audit import audit
from tests.wallet_core.busy_books import trade
from tests.wallet_core.world import World, world_at
from wallet_core.audit import auditing
from wallet_core.limits import Spending
from wallet_core.storage import tables as t
from wallet_core.storage.audit_reader import books_of
from wallet_core.storage.database import Database
from wallet_core.storage.migrate import alembic_config, migrate

_MOVED = (
    *(t.persons, t.identities, t.wallets, t.merchants, t.merchant_members, t.offers, t.quotes),
    *(t.accounts, t.commits, t.transfers, t.entries, t.holds, t.orders, t.attempts),
    t.funding_requests,
)

Rows = dict[str, list[dict[str, Any]]]


async def rows_of(database: Database) -> Rows:
    """All rows, each entry with the name of its account."""
    async with database.read() as connection:
        found = {
            table.name: [
                dict(row)
                for row in (
                    await connection.execute(sa.select(table).order_by(*table.primary_key))
                ).mappings()
            ]
            for table in (*_MOVED, t.journal, t.chains)
        }
    names = {row["no"]: row["id"] for row in found["accounts"]}
    for entry in found["entries"]:
        entry["account_id"] = names[entry["account_no"]]
    return found


def columns_of(connection: sa.Connection) -> dict[str, set[str]]:
    """Table → the columns that it has by now."""
    found = sa.inspect(connection)
    return {
        table.name: {column["name"] for column in found.get_columns(table.name)} for table in _MOVED
    }


async def fill_as_before(database: Database, rows: Rows) -> None:
    """Bring a database to the schema before, and put the rows into it as they stood there."""
    async with database.write() as connection:
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "0002"))
        there = await connection.run_sync(columns_of)
        for table in _MOVED:
            names = [c.name for c in table.c if c.name in there[table.name]]
            columns = [sa.column(name, table.c[name].type) for name in names]
            if table is t.entries:
                columns.append(sa.column("account_id", sa.String()))
            if table is t.wallets:
                columns.append(sa.column("frozen", sa.Boolean()))
            values = [
                {c.name: row[c.name] for c in columns if c.name != "frozen"}
                | ({"frozen": row["mode"] == "frozen"} if table is t.wallets else {})
                for row in rows[table.name]
            ]
            await connection.execute(sa.insert(sa.table(table.name, *columns)), values)


@pytest.fixture
async def before(tmp_path: Path) -> Rows:
    """What was traded, with a hold in every state and somebody who is frozen."""
    async with world_at(f"sqlite+aiosqlite:///{tmp_path / 'before.db'}") as world:
        await trade(world)
        frozen = await world.person("zoe", 700)
        await world.freeze(frozen.wallet_id)
        return await rows_of(world.database)


def by(rows: Rows, table: str, key: str, *columns: str) -> dict[Any, tuple[Any, ...]]:
    return {row[key]: tuple(row[name] for name in columns) for row in rows[table]}


async def test_old_books_become_right_books(empty_database_url: str, before: Rows) -> None:
    database = Database(empty_database_url)
    await fill_as_before(database, before)
    await migrate(database)
    after = await rows_of(database)

    await audit(database)
    async with books_of(database) as books:
        found = await auditing.audit(books)
    assert found.transfer_count == len(before["transfers"]) > 10

    for table, key, columns in (
        ("accounts", "id", ("owner", "wallet_id", "floor_minor", "balance_minor", "version")),
        ("transfers", "id", ("kind", "hold_id", "payee", "commit_key", "created_at_us")),
        ("holds", "id", ("state", "amount_minor", "captured_minor", "due_at_us")),
        ("wallets", "id", ("mode", "fence", "limits", "limit_group")),
        ("orders", "id", ("number", "hold_id", "state", "captured_minor", "accepted")),
    ):
        assert by(after, table, key, *columns) == by(before, table, key, *columns)
    assert {row["state"] for row in after["holds"]} == {"open", "captured", "voided"}
    assert {row["mode"] for row in after["wallets"]} == {"open", "frozen"}
    ids = [row["id"] for row in after["accounts"]]
    assert ids == sorted(ids)
    assert [row["no"] for row in after["accounts"]] == list(range(1, len(ids) + 1))
    await database.close()


async def test_what_was_spent_before_counts_against_limits_after(
    empty_database_url: str, before: Rows
) -> None:
    database = Database(empty_database_url)
    await fill_as_before(database, before)
    await migrate(database)
    after = await rows_of(database)
    await database.close()
    # The writer's own blocks, when it wrote the same payments: nothing less than those.
    own = {row["id"]: Spending.unpack(row["spending"]) for row in before["accounts"]}
    assert any(spending.month_bound_minor for spending in own.values())
    for row in after["accounts"]:
        assert Spending.unpack(row["spending"]) == own[row["id"]], row["id"]


async def test_all_old_transfers_stand_in_the_journal_in_the_order_of_their_time(
    empty_database_url: str, before: Rows
) -> None:
    database = Database(empty_database_url)
    await fill_as_before(database, before)
    await migrate(database)
    after = await rows_of(database)
    await database.close()
    (batch,) = after["journal"]
    assert batch["transfer_count"] == len(before["transfers"])
    assert after["chains"] == [{"no": 0, "length": 1, "head": batch["hash"]}]
    placed = sorted(after["transfers"], key=lambda row: row["place"])
    assert [row["place"] for row in placed] == list(range(len(placed)))
    times = [row["created_at_us"] for row in placed]
    assert times == sorted(times)
    assert {row["chain_no"] for row in placed} == {0}


async def test_the_writer_goes_on_where_the_old_books_end(
    empty_database_url: str, before: Rows
) -> None:
    database = Database(empty_database_url)
    await fill_as_before(database, before)
    await migrate(database)
    await database.close()
    async with world_at(empty_database_url, create=False) as world:
        await _trade_on(world)
        await audit(world.database)
        async with books_of(world.database) as books:
            found = await auditing.audit(books)
        assert found.transfer_count == len(before["transfers"]) + 2
        with pytest.raises(DBAPIError, match="append-only"):
            async with world.database.write() as connection:
                await connection.execute(sa.delete(t.journal))


async def _trade_on(world: World) -> None:
    await world.person("dora", 90_000)
    anna = await world.person("anna")
    (open_order,) = [
        order
        for order in await world.reader.recent_orders(anna.wallet_id, 10)
        if order.state == "authorised"
    ]
    assert await world.undo(anna, "undo after all", open_order) == "done"


async def test_more_transfers_than_one_batch_takes(empty_database_url: str, before: Rows) -> None:
    add_top_ups(before, 2_500)
    database = Database(empty_database_url)
    await fill_as_before(database, before)
    await migrate(database)
    after = await rows_of(database)
    async with books_of(database) as books:
        await auditing.audit(books)
    await database.close()
    assert [row["transfer_count"] for row in after["journal"][:-1]] == [1000, 1000]
    assert after["chains"][0]["length"] == 3


def add_top_ups(rows: Rows, count: int) -> None:
    """One unit each, all at the same moment and in one commit."""
    accounts = {row["id"]: row for row in rows["accounts"]}
    till = accounts["provider:cash/clearing/CNY"]
    purse = next(row for row in rows["accounts"] if row["wallet_id"] and row["purpose"] != "held")
    pattern = next(row for row in rows["transfers"] if row["kind"] == "post")
    for n in range(count):
        transfer_id = UUID(int=n)
        rows["transfers"].append({**pattern, "id": transfer_id})
        for account, amount_minor in ((till, -1), (purse, 1)):
            account["balance_minor"] += amount_minor
            account["version"] += 1
            rows["entries"].append(
                {
                    "account_id": account["id"],
                    "seq": account["version"],
                    "transfer_id": transfer_id,
                    "amount_minor": amount_minor,
                    "balance_after_minor": account["balance_minor"],
                }
            )
