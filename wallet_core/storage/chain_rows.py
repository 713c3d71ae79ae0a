"""The rows of transfers, entries and the journal, with the hashes that chain them."""

from wallet_core.errors import PayontapError
from wallet_core.ledger.journal import (
    ENTRIES_MAX,
    batch_hash,
    entry_bytes,
    first_entry_no,
    leaf_hash,
)
from wallet_core.ledger.posting import Books
from wallet_core.storage import requests as q
from wallet_core.storage import tables as t

_TRANSFER = (
    *("id", "kind", "fingerprint", "subject", "hold_id", "payee", "commit_key", "created_at_us"),
    *("chain_no", "batch_no", "leaf"),
)
_ENTRY = (
    "account_no", "seq", "before_no", "transfer_id", "amount_minor", "balance_after_minor",
)  # fmt: skip
_JOURNAL = ("chain_no", "batch_no", "transfer_count", "hash", "at_us")


class TooManyEntries(PayontapError):
    """A batch has more entries than it has numbers for; nothing of it was written."""


def chained(books: Books, opened: q.Opened) -> tuple[list[q.Insert | q.Change], bytes]:
    """All that the books have come to, as the next batch of the chain, and its hash.

    The accounts get to know the newest of their entries. Raises `TooManyEntries`.
    """
    chain_no, batch_no, at_us = opened.chain_no, opened.length + 1, books.now_us
    first_no = entry_no = first_entry_no(chain_no, batch_no)
    transfers: list[q.Row] = []
    entries: list[q.Row] = []
    leaves: list[bytes] = []
    for row in books.transfer_rows:
        id_bytes = row.id.int.to_bytes(16, "big")
        # Its digits are wanted once for the transfer and once for each entry.
        digits = id_bytes.hex()
        packed = []
        for entry in row.entries:
            account, seq = entry.account, entry.seq
            amount_minor, after_minor = entry.amount_minor, entry.balance_after_minor
            packed.append(entry_bytes(account.id_bytes, seq, amount_minor, after_minor))
            entries.append(
                (account.no, seq, account.newest_entry_no, digits, amount_minor, after_minor)
            )
            account.newest_entry_no = entry_no
            entry_no += 1
        kind, mark, hold_id = row.kind, row.fingerprint, row.hold_id
        subject, payee, key = row.subject, row.payee, row.commit_key
        hold_bytes = None if hold_id is None else hold_id.bytes
        leaf = leaf_hash(
            id_bytes, hold_bytes, mark, at_us, (kind, subject, payee or "", key), packed
        )
        leaves.append(leaf)
        transfers.append(
            (
                digits, kind, mark, subject, hold_id, payee,
                key, at_us, chain_no, batch_no, leaf,
            )
        )  # fmt: skip
    if entry_no - first_no > ENTRIES_MAX:
        raise TooManyEntries(f"{entry_no - first_no} entries in one batch")
    head = batch_hash(opened.head, chain_no, batch_no, at_us, leaves)
    writes: list[q.Insert | q.Change] = [
        # Another writer on this chain was quicker if its length is another by now.
        q.Change(
            t.chains, ("no", "length"), ("length", "head"),
            [(chain_no, opened.length, batch_no, head)],
        ),
        q.Insert(t.transfers, _TRANSFER, transfers, counted=("place", 0)),
        q.Insert(t.entries, _ENTRY, entries, counted=("no", first_no)),
        q.Insert(t.journal, _JOURNAL, [(chain_no, batch_no, len(transfers), head, at_us)]),
    ]  # fmt: skip
    return writes, head
