"""The rows of accounts, holds and commits that a batch has changed or made."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from uuid import UUID

import msgspec

from wallet_core.ledger.commits import Commit, Hold
from wallet_core.ledger.posting import Books
from wallet_core.limits import NOTHING_SPENT
from wallet_core.storage import requests as q
from wallet_core.storage import tables as t

_HOLD = tuple(Hold.__struct_fields__)
_number = attrgetter("no")


def commit_rows(new: Sequence[tuple[Commit, bytes]], now_us: int) -> q.Insert:
    """Commits with what tells a reused key from a repeated one."""
    columns = ("key", "fingerprint", "refusal", "result", "created_at_us")
    return q.Insert(
        t.commits,
        columns,
        [(commit.key, mark, commit.refusal, commit.result, now_us) for commit, mark in new],
    )


def changed_accounts(books: Books) -> list[q.Change]:
    """The accounts on which anything was entered, once their entries are numbered."""
    # All in one, in the order of their numbers: that is how everybody locks accounts.
    changed = sorted((a for a in books.accounts.values() if a.changed), key=_number)
    # Of one length, as they go to the database in one piece.
    nothing = NOTHING_SPENT if any(a.spent for a in changed) else None
    rows = [
        (a.no, a.version_seen, a.balance_minor, a.version, a.newest_entry_no, a.pack() or nothing)
        for a in changed
    ]
    columns = ("balance_minor", "version", "newest_entry_no", "spending")
    return [q.Change(t.accounts, ("no",), columns, rows, seen=("version",))] if rows else []


def new_holds(books: Books) -> list[q.Insert]:
    """The holds that were made."""
    new = [msgspec.structs.astuple(books.holds[hold_id]) for hold_id in sorted(books.new_holds)]
    return [q.Insert(t.holds, _HOLD, new)] if new else []


def changed_holds(books: Books, before: Mapping[UUID, Hold]) -> list[q.Change]:
    """The holds that were captured or ended; `before` is how they were read."""
    rows = [
        (hold_id, before[hold_id].state, before[hold_id].captured_minor, hold.state,
         hold.captured_minor)
        for hold_id in sorted(books.touched_holds - books.new_holds)
        for hold in (books.holds[hold_id],)
    ]  # fmt: skip
    changes = ("state", "captured_minor")
    return [q.Change(t.holds, ("id",), changes, rows, seen=changes)] if rows else []
