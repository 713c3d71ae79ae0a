"""The journal, hashed anew: each transfer's leaf, each batch, each chain up to its head."""

from wallet_core.audit.findings import BrokenBooks, Reckoning
from wallet_core.audit.rows import JournalLine
from wallet_core.ledger.journal import (
    ENTRIES_MAX,
    GENESIS,
    batch_hash,
    entry_bytes,
    first_entry_no,
    leaf_hash,
    text_bytes,
)


class JournalCheck:
    """Wants the lines of a chain together, by batch and place, and those of a transfer together."""

    def __init__(self) -> None:
        self.chain_count = 0
        self.batch_count = 0
        self._line: JournalLine | None = None
        self._entries: list[bytes] = []
        self._leaves: list[bytes] = []
        self._head = GENESIS

    def see(self, row: JournalLine) -> None:
        """Look at the next entry of a transfer."""
        line = self._line
        if line is None:
            self._open_chain(row)
        elif line.chain_no != row.chain_no:
            self._close_chain(line)
            self._open_chain(row)
        elif line.batch_no != row.batch_no:
            self._close_batch(line)
            self._open_batch(row, line.batch_no + 1)
        elif line.place != row.place or line.transfer_id != row.transfer_id:
            self._close_transfer(line)
            self._open_transfer(row)
        self._line = row
        if row.account_id is not None:
            self._check_number(row)
            self._entries.append(
                entry_bytes(
                    text_bytes(row.account_id),
                    row.seq or 0,
                    row.amount_minor or 0,
                    row.balance_after_minor or 0,
                )
            )

    def end(self) -> None:
        """Look at the last chain as a whole."""
        if self._line is not None:
            self._close_chain(self._line)

    def _check_number(self, row: JournalLine) -> None:
        place = (row.entry_no or 0) - first_entry_no(row.chain_no, row.batch_no)
        if not 0 <= place < ENTRIES_MAX:
            raise BrokenBooks(
                f"transfer {row.transfer_id}",
                f"Transfer {row.kind} {row.transfer_id} has an entry numbered {row.entry_no}, "
                f"which is no number of batch {row.batch_no} of chain {row.chain_no}.",
            )

    def _open_chain(self, row: JournalLine) -> None:
        self.chain_count += 1
        self._head = GENESIS
        self._open_batch(row, 1)

    def _open_batch(self, row: JournalLine, due_no: int) -> None:
        self.batch_count += 1
        self._leaves = []
        if row.batch_no != due_no:
            raise _broken_chain(row, f"misses batch {due_no}: the next one there is {row.batch_no}")
        if row.batch_hash is None:
            raise _broken_batch(row, "is not in the journal, but transfers say that they are in it")
        self._open_transfer(row)

    def _open_transfer(self, row: JournalLine) -> None:
        self._entries = []
        if row.place != len(self._leaves):
            raise _broken_batch(
                row, f"has transfer {row.transfer_id} at place {row.place}, not {len(self._leaves)}"
            )

    def _close_transfer(self, line: JournalLine) -> None:
        leaf = leaf_hash(
            line.transfer_id.bytes,
            None if line.hold_id is None else line.hold_id.bytes,
            line.fingerprint,
            line.at_us,
            (line.kind, line.subject, line.payee or "", line.commit_key),
            self._entries,
        )
        name = f"{line.kind} {line.transfer_id}"
        if leaf != line.leaf:
            raise BrokenBooks(
                f"transfer {line.transfer_id}",
                f"Transfer {name} or one of its entries is not as it was written: its leaf in the "
                f"journal is {line.leaf.hex()}, but its rows come to {leaf.hex()}.",
            )
        self._leaves.append(leaf)

    def _close_batch(self, line: JournalLine) -> None:
        # Not the row that comes after it, which is the one that is being looked at.
        with Reckoning(line):
            self._end_batch(line)

    def _end_batch(self, line: JournalLine) -> None:
        self._close_transfer(line)
        if line.transfer_count != len(self._leaves):
            raise _broken_batch(
                line, f"counts {line.transfer_count} transfers and has {len(self._leaves)}"
            )
        head = batch_hash(
            self._head, line.chain_no, line.batch_no, line.batch_at_us or 0, self._leaves
        )
        if head != line.batch_hash:
            raise _broken_batch(line, "has another hash than its transfers and the batch before it")
        self._head = head

    def _close_chain(self, line: JournalLine) -> None:
        self._close_batch(line)
        if line.length is None or line.head is None:
            raise _broken_chain(line, "has batches, but is not among the chains")
        if line.length != line.batch_no:
            raise _broken_chain(line, f"says {line.length} batches and has {line.batch_no}")
        if line.head != self._head:
            raise _broken_chain(line, "has another head than its last batch")


def _broken_chain(row: JournalLine, what: str) -> BrokenBooks:
    return BrokenBooks(f"chain {row.chain_no}", f"Chain {row.chain_no} {what}.")


def _broken_batch(row: JournalLine, what: str) -> BrokenBooks:
    name = f"{row.batch_no} of chain {row.chain_no}"
    return BrokenBooks(f"batch {row.batch_no}", f"Batch {name} {what}.")
