"""What people ask of the books: balances, sums and the entries of an owner or a subject."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from wallet_core.storage import tables as t
from wallet_core.storage.entry_paths import Columns, entries_back, of_transfer


class Balance(msgspec.Struct, frozen=True):
    """What stands on an account, or on all accounts of a kind."""

    owner: str
    purpose: str
    currency: str
    balance_minor: int


class HistoryLine(msgspec.Struct, frozen=True):
    """An entry together with the transfer that made it."""

    account_id: str
    amount_minor: int
    balance_after_minor: int
    kind: str
    subject: str
    created_at_us: int
    transfer_id: UUID


def balances_of(owner: str) -> sa.Select[Any]:
    """All balances of an owner (`wallet:…`), zero ones left out, as rows of `Balance`."""
    return (
        sa.select(t.accounts)
        .where(t.accounts.c.owner == owner, t.accounts.c.balance_minor != 0)
        .order_by(t.accounts.c.currency, t.accounts.c.purpose)
    )


def sums_of_kinds(*, is_sqlite: bool) -> sa.Select[Any]:
    """The books' sums for each kind of owner, purpose and currency, as rows of `Balance`."""
    find = sa.func.instr if is_sqlite else sa.func.strpos
    owner = t.accounts.c.owner
    kind = sa.func.substr(owner, 1, find(owner, ":") - 1).label("owner")
    total = sa.cast(sa.func.sum(t.accounts.c.balance_minor), sa.BigInteger)
    return (
        sa.select(kind, t.accounts.c.purpose, t.accounts.c.currency, total.label("balance_minor"))
        .group_by(kind, t.accounts.c.purpose, t.accounts.c.currency)
        .order_by(t.accounts.c.currency, kind)
    )


def newest_lines(owner: str, limit: int) -> sa.Select[Any]:
    """An owner's newest entries, newest first, as rows of `HistoryLine`."""
    entries = entries_back(t.accounts.c.owner == owner, limit=limit).c
    return (
        sa.select(*_line(entries))
        .join(t.transfers, t.transfers.c.id == entries.transfer_id)
        .join(t.accounts, t.accounts.c.no == entries.account_no)
        .order_by(t.transfers.c.created_at_us.desc(), entries.seq.desc())
        .limit(limit)
    )


def lines_about(subject: str) -> sa.Select[Any]:
    """All entries of the transfers about a subject, in their order, as rows of `HistoryLine`."""
    return (
        sa.select(*_line(t.entries.c))
        .join(t.transfers, of_transfer(t.transfers.c, t.entries.c))
        .join(t.accounts, t.accounts.c.no == t.entries.c.account_no)
        .where(t.transfers.c.subject == subject)
        .order_by(t.transfers.c.created_at_us, t.accounts.c.id)
    )


def _line(entries: Columns) -> Sequence[sa.ColumnElement[Any]]:
    return (
        t.accounts.c.id.label("account_id"),
        entries.amount_minor,
        entries.balance_after_minor,
        t.transfers.c.kind,
        t.transfers.c.subject,
        t.transfers.c.created_at_us,
        t.transfers.c.id.label("transfer_id"),
    )
