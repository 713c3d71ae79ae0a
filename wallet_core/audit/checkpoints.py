"""Checkpoints: signed statements of where all chains of the journal stood at one moment.

A chain of hashes shows that nothing inside it was changed, not that its end or a whole chain was
cut off: who can do that can write shorter books that are right in themselves. A checkpoint that
was kept elsewhere shows it.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from wallet_core.audit.findings import BrokenBooks
from wallet_core.audit.receipts import instant
from wallet_core.audit.signing import NotProven, PublicKey, SigningKey, opened

KIND = "payontap-checkpoint"


class Head(msgspec.Struct, frozen=True):
    """A chain: its number, how many batches it has, and the hash of the last one in hex."""

    chain: int
    length: int
    head: str


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where all chains that had a batch stood at the moment `at` (UTC, ISO 8601).

    `minute` is the one since 1970 by which it stands among the instance's own: that of `at`, or a
    later one after the clock was set back. None for one that was made at somebody's wish.
    """

    v: int = 1
    at: str
    chains: tuple[Head, ...]
    minute: int | None = None


class ChainReader(Protocol):
    """The journal, as far as checkpoints ask for it."""

    async def chain_at(self, chain_no: int, batch_no: int) -> tuple[int, str] | None:
        """How long a chain is and the hash of one of its batches (hex, empty where it is gone)."""


class CheckpointsHeld(msgspec.Struct, frozen=True):
    """What was compared and found right; `newest` is None where there was nothing to compare."""

    count: int
    newest: Checkpoint | None


def signed_checkpoint(
    key: SigningKey, at_us: int, heads: Sequence[Head], minute: int | None = None
) -> str:
    """A checkpoint as a compact JWS."""
    return key.sign(KIND, Checkpoint(at=instant(at_us), chains=tuple(heads), minute=minute))


def opened_checkpoint(text: str, known: PublicKey | None = None) -> Checkpoint:
    """A checkpoint that holds. Raises `NotProven`."""
    checkpoint, _ = opened(text, KIND, Checkpoint, known)
    return checkpoint


async def compare(
    lines: Iterable[str], journal: ChainReader, known: PublicKey | None = None
) -> CheckpointsHeld:
    """Whether every chain still has at each checkpoint's length the head that it had then.

    `lines` are signed checkpoints, one a line, as a log has them. Raises `NotProven` for one that
    is not signed as it should be, and `BrokenBooks` where a chain or its end is missing or another.
    """
    count, newest = 0, None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            checkpoint = opened_checkpoint(line, known)
        except NotProven as error:
            raise NotProven(f"The checkpoint in line {number} proves nothing. {error}") from error
        for head in checkpoint.chains:
            await _compare(head, checkpoint.at, journal)
        count, newest = count + 1, checkpoint
    return CheckpointsHeld(count, newest)


async def _compare(head: Head, at: str, journal: ChainReader) -> None:
    found = await journal.chain_at(head.chain, head.length)
    if found is None:
        raise _broken(head, f"had {head.length} batches at {at} and is no longer there")
    length, batch_hash = found
    if length < head.length:
        raise _broken(
            head, f"had {head.length} batches at {at} and has {length} now: its end was cut off"
        )
    if batch_hash != head.head:
        raise _broken(
            head,
            f"had another batch {head.length} at {at}: the journal was written anew since then",
        )


def _broken(head: Head, what: str) -> BrokenBooks:
    return BrokenBooks(f"chain {head.chain}", f"Chain {head.chain} {what}.")
