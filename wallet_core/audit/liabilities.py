"""Proof of liabilities: what the instance owes in total, and that each one's balance is in it.

A leaf is what one person is owed (available, held and pending, over all wallets), what one shop
is owed, or what is kept for the owner of a domain. Whoever is below zero counts as zero. Leaves
are salted and stand in the order of their digests, which is no order at all to a reader.
"""

import secrets
from collections.abc import Iterable, Sequence

import msgspec

from wallet_core.audit.findings import amount_words, printable
from wallet_core.audit.receipts import instant
from wallet_core.audit.signing import NotProven, PublicKey, SigningKey, opened
from wallet_core.audit.sum_tree import SALT_BYTES, Node, leaf, levels_of, root_of

KIND = "payontap-liabilities"


class Liability(msgspec.Struct, frozen=True):
    """What is owed to `owner` (`person:…`, `merchant:…` or `escrow:…`)."""

    owner: str
    currency: str
    amount_minor: int


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What is published of one currency. `proof` names the snapshot; all currencies share it."""

    v: int = 1
    proof: str
    at: str
    currency: str
    total_minor: int
    leaf_count: int
    root: str


class Leaf(msgspec.Struct, frozen=True):
    """A leaf with what only its owner gets to see."""

    owner: str
    amount_minor: int
    salt: bytes
    node: Node


class Tree(msgspec.Struct, frozen=True):
    """One currency's tree: leaves by position, and all levels of nodes from the leaves up."""

    currency: str
    leaves: Sequence[Leaf]
    levels: Sequence[Sequence[Node]]

    @property
    def root(self) -> Node:
        """The top."""
        return self.levels[-1][0]


class RootFile(msgspec.Struct, frozen=True, kw_only=True):
    """The public file. Each of `signed` is a statement as a compact JWS; the rest is to be read."""

    kind: str = KIND
    proof: str
    at: str
    public_key: str
    statements: tuple[Statement, ...]
    signed: tuple[str, ...]


class PersonalProof(msgspec.Struct, frozen=True, kw_only=True):
    """What one owner gets: his leaf, the way to the root, and the signed statement of it.

    `path` has the digest (hex) and the sum of each node beside the way, from the leaf up.
    """

    statement: str
    owner: str
    amount_minor: int
    salt: str
    position: int
    path: tuple[tuple[str, int], ...]


def tree_of(currency: str, liabilities: Iterable[Liability]) -> Tree:
    """The tree of one currency, with fresh salts. There must be at least one liability."""
    leaves = []
    for each in liabilities:
        salt, amount_minor = secrets.token_bytes(SALT_BYTES), max(0, each.amount_minor)
        node = leaf(each.owner, amount_minor, salt)
        leaves.append(Leaf(each.owner, amount_minor, salt, node))
    leaves.sort(key=lambda one: one.node.digest)
    return Tree(currency, leaves, levels_of([one.node for one in leaves]))


def statement_of(tree: Tree, proof: str, at_us: int) -> Statement:
    """What is published of a tree."""
    return Statement(
        proof=proof,
        at=instant(at_us),
        currency=tree.currency,
        total_minor=tree.root.sum_minor,
        leaf_count=len(tree.leaves),
        root=tree.root.digest.hex(),
    )


def signed_statement(key: SigningKey, statement: Statement) -> str:
    """A statement as a compact JWS."""
    return key.sign(KIND, statement)


def checked_proof(
    proof: PersonalProof, known: PublicKey | None = None, published: RootFile | None = None
) -> tuple[Statement, PublicKey]:
    """The statement that a proof leads to, and the key that signed it.

    Raises `NotProven` when the balance is not in the stated total, or when `published` states
    another root.
    """
    statement, key = opened(proof.statement, KIND, Statement, known)
    try:
        salt = bytes.fromhex(proof.salt)
        path = [Node(bytes.fromhex(digest), sum_minor) for digest, sum_minor in proof.path]
    except ValueError as error:
        raise NotProven(
            "The proof cannot be read: salts and digests are written in hex."
        ) from error
    start = leaf(proof.owner, proof.amount_minor, salt)
    root = root_of(start, proof.position, statement.leaf_count, path)
    if (root.digest.hex(), root.sum_minor) != (statement.root, statement.total_minor):
        raise NotProven("The path does not lead to the stated root: this balance is not in it.")
    if published is not None:
        _check_published(statement, key, published)
    return statement, key


def proof_words(
    proof: PersonalProof, statement: Statement, key: PublicKey, *, is_published: bool = False
) -> list[str]:
    """In plain words what a proof that was checked shows, be it against a published file or not."""
    balance = amount_words(proof.amount_minor, statement.currency)
    total = amount_words(statement.total_minor, statement.currency)
    lines = [
        (
            f"{balance} of {proof.owner} is in the total of {total} that the instance owed to "
            f"{statement.leaf_count} at {statement.at}."
        ),
        f"The root is {statement.root}, signed with the key {key.text}.",
        (
            "The published file that you named states this same root: it counts if everybody "
            "finds that same file."
            if is_published
            else "It counts if everybody is shown this same root: compare it with the published "
            "file."
        ),
    ]
    return [printable(line) for line in lines]


def _check_published(statement: Statement, key: PublicKey, published: RootFile) -> None:
    shown = tuple(opened(text, KIND, Statement, key)[0] for text in published.signed)
    if shown != published.statements or published.public_key != key.text:
        raise NotProven("What the published file gives to read is not what is signed in it.")
    if statement not in shown:
        raise NotProven("The published file states another root than this proof.")
