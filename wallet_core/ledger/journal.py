"""The journal: each writer's batches as a chain of hashes, so that no row changes unseen.

Each transfer has a *leaf*, each batch a *hash* over the batch before it and its leaves. All of it
is SHA-256 over the bytes described here (numbers big-endian and signed, texts in UTF-8 after their
length in two bytes), so that anybody can compute it anew:

    leaf  = H(02 | id 16 | hold id 16, zeros for none | fingerprint 16 | time 8 | kind | subject
              | payee, empty for none | commit key | number of entries 2
              | each entry: account id | number on the account 8 | amount 8 | balance after it 8,
              in the order of these bytes)
    batch = H(03 | hash of the batch before it 32, zeros for the first | chain 4 | number of the
              batch, from 1, 8 | time 8 | number of leaves 4 | the leaves in their order)
"""

import struct
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256

#: What the first batch of a chain follows.
GENESIS = bytes(32)

_NO_HOLD = bytes(16)
_COUNT = struct.Struct(">H")
_pack_entry = struct.Struct(">qqq").pack
_pack_leaf = struct.Struct(">B16s16s16sq").pack
_EMPTY = _COUNT.pack(0)
_BATCH = struct.Struct(">iqqi")

#: An entry's number, of 63 bits: its chain, its batch, and its place in that.
_CHAIN_BITS, _BATCH_BITS, _PLACE_BITS = 8, 39, 16
#: How many there can be: chains, batches of one chain, entries of one batch.
CHAINS_MAX, BATCHES_MAX, ENTRIES_MAX = 1 << _CHAIN_BITS, 1 << _BATCH_BITS, 1 << _PLACE_BITS


def first_entry_no(chain_no: int, batch_no: int) -> int:
    """The number of a batch's first entry; the others have the `ENTRIES_MAX` numbers from there."""
    return ((chain_no << _BATCH_BITS) + batch_no) << _PLACE_BITS


def text_bytes(text: str) -> bytes:
    """A text as it stands in a leaf: its length in two bytes, then UTF-8."""
    encoded = text.encode()
    return _COUNT.pack(len(encoded)) + encoded


#: There are only a few.
_kind_bytes = lru_cache(maxsize=20)(text_bytes)


def entry_bytes(account: bytes, seq: int, amount_minor: int, balance_after_minor: int) -> bytes:
    """An entry as it stands in a leaf; `account` is what `text_bytes` makes of the account's id."""
    return account + _pack_entry(seq, amount_minor, balance_after_minor)


def leaf_hash(
    transfer_id: bytes,
    hold_id: bytes | None,
    fingerprint: bytes,
    at_us: int,
    texts: tuple[str, str, str, str],
    entries: list[bytes],
) -> bytes:
    """The leaf of a transfer; `texts` are its kind, subject, payee and commit key.

    `entries` may come in any order: rows of a database have none.
    """
    entries.sort()
    kind, subject, payee, commit_key = texts
    # Most of them are empty, which takes no looking up.
    parts = (
        _pack_leaf(2, transfer_id, hold_id or _NO_HOLD, fingerprint, at_us),
        _kind_bytes(kind),
        text_bytes(subject) if subject else _EMPTY,
        text_bytes(payee) if payee else _EMPTY,
        text_bytes(commit_key) if commit_key else _EMPTY,
        _COUNT.pack(len(entries)),
        *entries,
    )
    return sha256(b"".join(parts)).digest()


def batch_hash(
    before: bytes, chain_no: int, batch_no: int, at_us: int, leaves: Iterable[bytes]
) -> bytes:
    """The hash of a batch; the next one of its chain follows it."""
    joined = b"".join(leaves)
    head = _BATCH.pack(chain_no, batch_no, at_us, len(joined) // 32)
    return sha256(b"\x03" + before + head + joined).digest()
