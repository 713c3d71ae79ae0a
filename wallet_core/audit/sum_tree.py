"""A Merkle tree whose nodes also state sums: nobody can be left out of the total unseen.

A leaf is SHA-256(0x00 ‖ salt ‖ amount ‖ owner), a node SHA-256(0x01 ‖ left digest ‖ left sum ‖
right digest ‖ right sum); salts have 32 bytes, amounts and sums are 8 bytes, big-endian, without
a sign. Both sums stand in the node, so neither can be understated behind the other's back. The
last node of a level with an odd number goes up as it is.
"""

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from wallet_core.audit.signing import NotProven

SALT_BYTES = 32
_DIGEST_BYTES = 32
_SUM_BYTES = 8
_SUM_MAX = 2**63 - 1


class Node(msgspec.Struct, frozen=True):
    """A digest, and the sum of all leaves below it in minor units."""

    digest: bytes
    sum_minor: int


def leaf(owner: str, amount_minor: int, salt: bytes) -> Node:
    """The leaf of `owner`. Raises `NotProven` for an amount or a salt that no leaf can have."""
    if len(salt) != SALT_BYTES:
        raise NotProven(f"A salt has {SALT_BYTES} bytes.")
    text = b"\x00" + salt + _sum_bytes(amount_minor) + owner.encode()
    return Node(sha256(text).digest(), amount_minor)


def joined(left: Node, right: Node) -> Node:
    """The node above two others. Raises `NotProven` for sums that no node can have."""
    text = b"\x01"
    for node in (left, right):
        if len(node.digest) != _DIGEST_BYTES:
            raise NotProven(f"A digest has {_DIGEST_BYTES} bytes.")
        text += node.digest + _sum_bytes(node.sum_minor)
    sum_minor = left.sum_minor + right.sum_minor
    _sum_bytes(sum_minor)
    return Node(sha256(text).digest(), sum_minor)


def levels_of(leaves: Sequence[Node]) -> list[list[Node]]:
    """All levels, from the leaves to the one root; empty for no leaves."""
    levels: list[list[Node]] = []
    level = list(leaves)
    while level:
        levels.append(level)
        if len(level) == 1:
            break
        pairs = [joined(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return levels


def siblings(position: int, leaf_count: int) -> list[tuple[int, int]]:
    """Where the nodes beside the way from a leaf to the root are: (level, position).

    Raises `NotProven` for a position that the tree does not have.
    """
    if not 0 <= position < leaf_count:
        raise NotProven(f"There is no leaf {position} in a tree of {leaf_count}.")
    found = []
    level = 0
    while leaf_count > 1:
        if position ^ 1 < leaf_count:
            found.append((level, position ^ 1))
        level, position, leaf_count = level + 1, position // 2, (leaf_count + 1) // 2
    return found


def root_of(start: Node, position: int, leaf_count: int, path: Sequence[Node]) -> Node:
    """The root to which a leaf and the nodes beside its way lead.

    Raises `NotProven` when the path has not as many nodes as the tree's shape wants.
    """
    beside = siblings(position, leaf_count)
    if len(beside) != len(path):
        raise NotProven(f"The path has {len(path)} steps instead of {len(beside)}.")
    node = start
    for (_, place), sibling in zip(beside, path, strict=True):
        node = joined(node, sibling) if place % 2 else joined(sibling, node)
    return node


def _sum_bytes(sum_minor: int) -> bytes:
    if not 0 <= sum_minor <= _SUM_MAX:
        raise NotProven(f"{sum_minor} is no sum that a tree can have.")
    return sum_minor.to_bytes(_SUM_BYTES)
