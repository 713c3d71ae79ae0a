"""The rows of transfers, entries and the journal, with the hashes that chain them."""

from wallet_core.ledger.journal import batch_hash, entry_bytes, leaf_hash
from wallet_core.ledger.posting import Books
from wallet_core.storage import requests as q
from wallet_core.storage import tables as t

_TRANSFER = (
    *("id", "kind", "fingerprint", "subject", "hold_id", "payee", "commit_key", "created_at_us"),
    *("chain_no", "batch_no", "place", "leaf"),
)
_ENTRY = ("account_no", "seq", "transfer_id", "amount_minor", "balance_after_minor")
_JOURNAL = ("chain_no", "batch_no", "transfer_count", "hash", "at_us")


def chained(books: Books, opened: q.Opened) -> tuple[list[q.Insert | q.Change], bytes]:
    """All that the books have come to, as the next batch of the chain, and its hash."""
    chain_no, batch_no, at_us = opened.chain_no, opened.length + 1, books.now_us
    transfers: list[q.Row] = []
    entries: list[q.Row] = []
    leaves: list[bytes] = []
    for place, row in enumerate(books.transfer_rows):
        id_bytes = row.id.bytes
        # Its digits are wanted once for the transfer and once for each entry.
        digits = id_bytes.hex()
        packed = []
        for entry in row.entries:
            account = entry.account
            line = entry.seq, entry.amount_minor, entry.balance_after_minor
            packed.append(entry_bytes(account.id_bytes, *line))
            entries.append((account.no, line[0], digits, line[1], line[2]))
        hold_bytes = None if row.hold_id is None else row.hold_id.bytes
        texts = row.kind, row.subject, row.payee or "", row.commit_key
        leaf = leaf_hash(id_bytes, hold_bytes, row.fingerprint, at_us, texts, packed)
        leaves.append(leaf)
        transfers.append(
            (
                *(digits, row.kind, row.fingerprint, row.subject, row.hold_id, row.payee),
                *(row.commit_key, at_us, chain_no, batch_no, place, leaf),
            )
        )
    head = batch_hash(opened.head, chain_no, batch_no, at_us, leaves)
    writes: list[q.Insert | q.Change] = [
        # Another writer on this chain was quicker if its length is another by now.
        q.Change(
            t.chains, ("no", "length"), ("length", "head"),
            [(chain_no, opened.length, batch_no, head)],
        ),
        q.Insert(t.transfers, _TRANSFER, transfers),
        q.Insert(t.entries, _ENTRY, entries),
        q.Insert(t.journal, _JOURNAL, [(chain_no, batch_no, len(transfers), head, at_us)]),
    ]  # fmt: skip
    return writes, head
