"""Proofs of liabilities: each signed statement, and the tree of the newest ones, hashed anew."""

from collections.abc import Sequence

import msgspec

from wallet_core.audit.findings import BrokenBooks
from wallet_core.audit.liabilities import KIND, Statement
from wallet_core.audit.receipts import instant
from wallet_core.audit.signing import NotProven, opened
from wallet_core.audit.sum_tree import Node, joined, leaf


class StatementLine(msgspec.Struct, frozen=True):
    """What was published of one currency; `kept` where the paths of its tree are still kept."""

    proof: str
    currency: str
    leaf_count: int
    signed: str
    at_us: int
    kept: bool


class LeafLine(msgspec.Struct, frozen=True):
    """A leaf beside its node at the bottom of the tree; the node's fields are None without one."""

    proof: str
    currency: str
    position: int
    owner: str
    amount_minor: int
    salt: bytes
    digest: bytes | None
    sum_minor: int | None


class NodeLine(msgspec.Struct, frozen=True):
    """A node of a tree beside the two below it; None where there is none."""

    proof: str
    currency: str
    level: int
    position: int
    digest: bytes
    sum_minor: int
    left_digest: bytes | None
    left_minor: int | None
    right_digest: bytes | None
    right_minor: int | None


class StatementCheck:
    """Each statement is signed and says what its row says; `kept` has those with a tree."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Statement] = {}

    def see(self, row: StatementLine) -> None:
        """Look at the next statement."""
        try:
            said, _ = opened(row.signed, KIND, Statement, None)
        except NotProven as error:
            raise _broken(row.proof, row.currency, f"proves nothing. {error}") from error
        says = (said.proof, said.currency, said.leaf_count, said.at)
        if says != (row.proof, row.currency, row.leaf_count, instant(row.at_us)):
            raise _broken(row.proof, row.currency, "says something else than what was signed")
        if row.kept:
            self.kept[row.proof, row.currency] = said

    def end(self) -> None:
        """Nothing is left to look at."""


class LeafCheck:
    """Each leaf makes its node, and each kept statement has as many as it says.

    Wants the leaves of a tree together, by position.
    """

    def __init__(self, statements: StatementCheck) -> None:
        self._statements = statements
        self._counts: dict[tuple[str, str], int] = {}

    def see(self, row: LeafLine) -> None:
        """Look at the next leaf."""
        tree = (row.proof, row.currency)
        position = self._counts.setdefault(tree, 0)
        self._counts[tree] += 1
        if row.position != position:
            raise _broken(*tree, f"misses leaf {position}: the next one there is {row.position}")
        if not _fits(row):
            raise _broken(*tree, f"has another leaf {position} than the one that was hashed")

    def end(self) -> None:
        """Look at the numbers of all trees."""
        for tree, said in self._statements.kept.items():
            count = self._counts.get(tree, 0)
            if count != said.leaf_count:
                raise _broken(*tree, f"says {said.leaf_count} leaves and has {count}")


class TreeCheck:
    """Each kept statement states the root of its tree.

    Wants the nodes of a tree together, by level and position.
    """

    def __init__(self, statements: StatementCheck) -> None:
        self._statements = statements
        self._tree: tuple[str, str] | None = None
        self._counts: list[int] = []
        self._last: Node | None = None
        self._seen: set[tuple[str, str]] = set()

    def see(self, row: NodeLine) -> None:
        """Look at the next node."""
        tree = (row.proof, row.currency)
        if tree != self._tree:
            self._close()
            self._tree, self._counts = tree, []
        if row.level == len(self._counts):
            self._counts.append(0)
        if (row.level, row.position) != (len(self._counts) - 1, self._counts[-1]):
            raise _broken(*tree, f"misses a node before {_place(row)}")
        self._counts[-1] += 1
        self._last = Node(row.digest, row.sum_minor)
        if row.level and self._last != _made(row):
            raise _broken(*tree, f"has another node {_place(row)} than what is below it makes")

    def end(self) -> None:
        """Look at the last tree as a whole."""
        self._close()
        for tree in self._statements.kept:
            if tree not in self._seen:
                raise _broken(*tree, "has no tree")

    def _close(self) -> None:
        if self._tree is None or self._last is None:
            return
        self._seen.add(self._tree)
        said = self._statements.kept[self._tree]
        if self._counts != _shape(said.leaf_count):
            raise _broken(*self._tree, f"has no tree of {said.leaf_count} leaves")
        if (self._last.digest.hex(), self._last.sum_minor) != (said.root, said.total_minor):
            raise _broken(*self._tree, "states another root than its tree has")


def _fits(row: LeafLine) -> bool:
    try:
        made = leaf(row.owner, row.amount_minor, row.salt)
    except NotProven:
        return False
    return (made.digest, made.sum_minor) == (row.digest, row.sum_minor)


def _made(row: NodeLine) -> Node | None:
    """The node that the two below make, or the one that goes up as it is; None without any."""
    if row.left_digest is None or row.left_minor is None:
        return None
    left = Node(row.left_digest, row.left_minor)
    if row.right_digest is None or row.right_minor is None:
        return left
    try:
        return joined(left, Node(row.right_digest, row.right_minor))
    except NotProven:
        return None


def _shape(leaf_count: int) -> Sequence[int]:
    """How many nodes each level has, from the leaves to the one root."""
    counts = [leaf_count]
    while counts[-1] > 1:
        counts.append((counts[-1] + 1) // 2)
    return counts


def _place(row: NodeLine) -> str:
    return f"{row.position} of level {row.level}"


def _broken(proof: str, currency: str, what: str) -> BrokenBooks:
    return BrokenBooks(f"proof {proof}", f"Proof {proof} in {currency} {what}.")
