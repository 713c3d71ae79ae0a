"""Whether the books are right, read from nothing but their rows."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from tests.audit_trade import TABLES, trade_fits
from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.transfers import HoldState
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database

Rows = Sequence[sa.Row[Any]]

#: What an order's state says about its hold.
_HOLD_OF_ORDER = {
    "authorised": "open",
    "paid": "captured",
    "refunded": "captured",
    "undone": "voided",
    "declined": "voided",
    "expired": "expired",
}


async def audit(database: Database) -> None:
    """Fails where the rows contradict each other."""
    rows = await _rows_of(database)
    _books_are_right(rows)
    _orders_fit_their_holds(rows["orders"], rows["holds"])
    _stock_fits_the_orders(rows["offers"], rows["orders"])
    trade_fits(rows)


async def audit_books(database: Database) -> None:
    """The same without orders and stock, where a test has none that are whole."""
    _books_are_right(await _rows_of(database))


async def _rows_of(database: Database) -> dict[str, Rows]:
    tables = (*TABLES, t.holds, t.offers, t.commits, t.chains, t.journal)
    async with database.engine.connect() as connection:
        if not database.is_sqlite:
            await connection.execution_options(isolation_level="REPEATABLE READ")
        rows = {table.name: (await connection.execute(sa.select(table))).all() for table in tables}
        named = sa.select(t.entries, t.accounts.c.id.label("account_id"))
        named = named.join(t.accounts, t.accounts.c.no == t.entries.c.account_no, isouter=True)
        rows["entries"] = (await connection.execute(named)).all()
    return rows


def _books_are_right(rows: Mapping[str, Rows]) -> None:
    _entries_make_the_balances(rows["accounts"], rows["entries"])
    _transfers_balance(rows["entries"], rows["transfers"], rows["commits"])
    _the_journal_holds_every_transfer(rows["chains"], rows["journal"], rows["transfers"])
    _held_money_is_open_holds(rows["accounts"], rows["holds"])


def _entries_make_the_balances(accounts: Rows, entries: Rows) -> None:
    lines: dict[str, list[Any]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: (entry.account_id, entry.seq)):
        lines[entry.account_id].append(entry)
    assert set(lines) <= {account.id for account in accounts}
    for account in accounts:
        mine = lines[account.id]
        assert account.version == len(mine), account.id
        assert [entry.seq for entry in mine] == list(range(1, len(mine) + 1)), account.id
        balance = 0
        for entry in mine:
            balance += entry.amount_minor
            assert entry.balance_after_minor == balance, (account.id, entry.seq)
        assert account.balance_minor == balance, account.id
        floor = AccountRef.of_id(account.id).floor_minor
        assert floor is None or all(entry.balance_after_minor >= floor for entry in mine)


def _transfers_balance(entries: Rows, transfers: Rows, commits: Rows) -> None:
    sums: Counter[tuple[object, str]] = Counter()
    for entry in entries:
        sums[entry.transfer_id, AccountRef.of_id(entry.account_id).currency] += entry.amount_minor
    assert not any(sums.values())
    assert {transfer_id for transfer_id, _ in sums} == {row.id for row in transfers}
    assert {row.commit_key for row in transfers} - {""} <= {row.key for row in commits}


def _the_journal_holds_every_transfer(chains: Rows, journal: Rows, transfers: Rows) -> None:
    """Hashed by the words of docs/ledger.md alone; the leaves themselves are the audit's part."""
    leaves: dict[tuple[int, int], dict[int, bytes]] = defaultdict(dict)
    for row in transfers:
        batch = leaves[row.chain_no, row.batch_no]
        assert row.place not in batch
        batch[row.place] = row.leaf
    assert set(leaves) == {(row.chain_no, row.batch_no) for row in journal}
    heads: dict[int, tuple[int, bytes]] = {}
    for row in sorted(journal, key=lambda row: (row.chain_no, row.batch_no)):
        length, before = heads.get(row.chain_no, (0, bytes(32)))
        assert row.batch_no == length + 1
        mine = leaves[row.chain_no, row.batch_no]
        assert sorted(mine) == list(range(row.transfer_count))
        text = b"\x03" + before + row.chain_no.to_bytes(4, "big") + row.batch_no.to_bytes(8, "big")
        text += row.at_us.to_bytes(8, "big") + row.transfer_count.to_bytes(4, "big")
        text += b"".join(mine[place] for place in range(row.transfer_count))
        assert row.hash == sha256(text).digest()
        heads[row.chain_no] = (row.batch_no, row.hash)
    assert heads == {row.no: (row.length, row.head) for row in chains if row.length}


def _held_money_is_open_holds(accounts: Rows, holds: Rows) -> None:
    held: Counter[str] = Counter()
    for hold in holds:
        if hold.state == HoldState.OPEN:
            left_minor = hold.amount_minor - hold.captured_minor
            held[AccountRef.of_id(hold.payer_account_id).held.id] += left_minor
    for account in accounts:
        if account.purpose == "held":
            assert account.balance_minor == held.pop(account.id, 0), account.id
    assert not held


def _orders_fit_their_holds(orders: Rows, holds: Rows) -> None:
    by_id = {hold.id: hold for hold in holds}
    for order in orders:
        hold = by_id.pop(order.hold_id)
        assert hold.state == _HOLD_OF_ORDER[order.state], (order.id, order.state, hold.state)
        assert hold.amount_minor == order.amount_minor
        captured = order.captured_minor
        assert captured == hold.captured_minor
        assert 0 <= order.refunded_minor <= captured
        whole = captured > 0 and order.refunded_minor == captured
        assert (order.state == "refunded") == whole
    assert not [hold for hold in by_id.values() if hold.subject.startswith("order:")]


def _stock_fits_the_orders(offers: Rows, orders: Rows) -> None:
    gone = Counter(o.offer_id for o in orders if o.state in ("authorised", "paid", "refunded"))
    for offer in offers:
        assert offer.sold == gone[offer.id], offer.id
        assert offer.stock_total is None or offer.sold <= offer.stock_total
