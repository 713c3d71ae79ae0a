"""Entries are found by the words they say of each other, on both databases."""

from typing import Any

import sqlalchemy as sa

from tests.wallet_core.busy_books import trade
from tests.wallet_core.world import World
from wallet_core.ledger.journal import BATCHES_MAX, ENTRIES_MAX, first_entry_no
from wallet_core.storage import tables as t
from wallet_core.storage.entry_paths import entries_back, of_transfer


async def rows_of(world: World, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
    async with world.database.read() as connection:
        return [tuple(row) for row in await connection.execute(query)]


async def test_an_accounts_entries_are_found_from_its_newest_one_backwards(world: World) -> None:
    await trade(world)
    e = t.entries.c
    for no, newest in await rows_of(world, sa.select(t.accounts.c.no, t.accounts.c.version)):
        back = entries_back(t.accounts.c.no == no).c
        found = await rows_of(world, sa.select(back.no, back.seq).order_by(back.place))
        direct = sa.select(e.no, e.seq).where(e.account_no == no).order_by(e.seq.desc())
        assert found == await rows_of(world, direct)
        assert len(found) == newest


async def test_of_several_accounts_each_gives_as_many_as_are_wanted(world: World) -> None:
    await trade(world)
    back = entries_back(t.accounts.c.version > 3, limit=3).c
    counts = sa.select(back.account_no, sa.func.count()).group_by(back.account_no)
    found = await rows_of(world, counts)
    assert len(found) > 3
    assert {count for _, count in found} == {3}


async def test_a_transfers_entries_are_found_in_its_batch(world: World) -> None:
    await trade(world)
    m, e = t.transfers.c, t.entries.c
    query = sa.select(m.chain_no, m.batch_no, e.no, e.transfer_id == m.id).join_from(
        t.transfers, t.entries, of_transfer(m, e)
    )
    found = await rows_of(world, query)
    assert len(found) == await world.count(t.entries)
    for chain_no, batch_no, no, same in found:
        assert same
        assert 0 <= no - first_entry_no(chain_no, batch_no) < ENTRIES_MAX


def test_numbers_of_all_chains_fit_into_63_bits_and_never_meet() -> None:
    last = first_entry_no(255, BATCHES_MAX - 1) + ENTRIES_MAX - 1
    assert last == 2**63 - 1
    assert first_entry_no(0, BATCHES_MAX - 1) + ENTRIES_MAX == first_entry_no(1, 0)
    assert first_entry_no(3, 7) + ENTRIES_MAX == first_entry_no(3, 8)
