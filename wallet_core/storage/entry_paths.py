"""The ways to entries that belong together: those of an account, and those of transfers.

Entries have no index but their number. An account names its newest entry and each entry the one
before it on its account; a transfer names its batch, in whose numbers its entries are.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from wallet_core.ledger.journal import ENTRIES_MAX, first_entry_no
from wallet_core.storage import tables as t

Columns = ReadOnlyColumnCollection[str, sa.ColumnElement[Any]]


def entries_back(*accounts: sa.ColumnElement[bool], limit: int | None = None) -> sa.CTE:
    """All columns of the entries on those accounts, each from its newest one backwards.

    At most `limit` of each account; `place` counts them from 1.
    """
    a, e = t.accounts.c, t.entries
    newest = (
        sa.select(*e.c, sa.literal(1).label("place"))
        .join_from(t.accounts, e, e.c.no == a.newest_entry_no)
        .where(*accounts)
    )
    path = newest.cte("entries_back", recursive=True)
    step = sa.select(*e.c, path.c.place + 1).join_from(path, e, e.c.no == path.c.before_no)
    if limit is not None:
        step = step.where(path.c.place < limit)
    return path.union_all(step)


def path_back(first_no: str, limit: str) -> str:
    """The same from one entry on, at most `limit` of them, as SQL for the drivers themselves.

    Both arguments are words for a number. What follows selects from `path`.
    """
    names = [column.name for column in t.entries.c]
    columns, of_entry = ", ".join(names), ", ".join(f"e.{name}" for name in names)
    return (
        f"WITH RECURSIVE path({columns}, place) AS ("  # noqa: S608 - names of our own columns
        f"SELECT {columns}, 1 FROM entries WHERE no = {first_no} "
        f"UNION ALL SELECT {of_entry}, p.place + 1 FROM path p JOIN entries e "
        f"ON e.no = p.before_no WHERE p.place < {limit})"
    )


def of_transfer(transfers: Columns, entries: Columns) -> sa.ColumnElement[bool]:
    """The condition for joining few transfers with their entries; both are their columns.

    `transfer_id` alone has no index.
    """
    return sa.and_(in_batch(transfers, entries), entries.transfer_id == transfers.id)


def in_batch(batches: Columns, entries: Columns) -> sa.ColumnElement[bool]:
    """Whether entries are of a batch, which is named by its `chain_no` and `batch_no`."""
    chain_no, batch_no = (
        sa.cast(number, sa.BigInteger) for number in (batches.chain_no, batches.batch_no)
    )
    first = chain_no * first_entry_no(1, 0) + batch_no * first_entry_no(0, 1)
    return sa.and_(entries.no >= first, entries.no < first + ENTRIES_MAX)
