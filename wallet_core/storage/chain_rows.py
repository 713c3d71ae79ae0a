"""The rows of transfers, entries and the journal, with the hashes that chain them."""

from wallet_core.ledger.journal import batch_hash, entry_bytes, leaf_hash
from wallet_core.ledger.posting import Books, TransferRow
from wallet_core.storage import requests as q
from wallet_core.storage import tables as t

_TRANSFER = (
    *("id", "kind", "fingerprint", "subject", "hold_id", "payee", "commit_key", "created_at_us"),
    *("chain_no", "batch_no", "place", "leaf"),
)
_ENTRY = ("account_no", "seq", "transfer_id", "amount_minor", "balance_after_minor")
_JOURNAL = ("chain_no", "batch_no", "transfer_count", "hash", "at_us")


def chained(books: Books, opened: q.Opened) -> list[q.Insert | q.Change]:
    """All that the books have come to, as the next batch of the chain."""
    chain_no, batch_no, at_us = opened.chain_no, opened.length + 1, books.now_us
    leaves = [_leaf(row, at_us) for row in books.transfer_rows]
    transfers = [
        (
            *(row.id, row.kind, row.fingerprint, row.subject, row.hold_id, row.payee),
            *(row.commit_key, at_us, chain_no, batch_no, place, leaf),
        )
        for place, (row, leaf) in enumerate(zip(books.transfer_rows, leaves, strict=True))
    ]
    entries = [
        (
            *(entry.account.no, entry.seq, entry.transfer_id),
            *(entry.amount_minor, entry.balance_after_minor),
        )
        for row in books.transfer_rows
        for entry in row.entries
    ]
    head = batch_hash(opened.head, chain_no, batch_no, at_us, leaves)
    return [
        q.Insert(t.transfers, _TRANSFER, transfers),
        q.Insert(t.entries, _ENTRY, entries),
        q.Insert(t.journal, _JOURNAL, [(chain_no, batch_no, len(transfers), head, at_us)]),
        # Another writer on this chain was quicker if its length is another by now.
        q.Change(
            t.chains, ("no", "length"), ("length", "head"),
            [(chain_no, opened.length, batch_no, head)],
        ),
    ]  # fmt: skip


def _leaf(row: TransferRow, at_us: int) -> bytes:
    return leaf_hash(
        row.id,
        row.hold_id,
        row.fingerprint,
        at_us,
        (row.kind, row.subject, row.payee or "", row.commit_key),
        [
            entry_bytes(e.account.id_bytes, e.seq, e.amount_minor, e.balance_after_minor)
            for e in row.entries
        ],
    )
