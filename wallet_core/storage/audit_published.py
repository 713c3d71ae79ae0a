"""What an audit asks about the proofs of liabilities that were published."""

from typing import Any

import sqlalchemy as sa

from wallet_core.storage import audit_tables as at
from wallet_core.storage.liabilities import KEPT_PROOFS

Query = sa.Select[Any]


def statements() -> Query:
    """`StatementLine`s."""
    s = at.liability_statements.c
    return sa.select(
        s.proof, s.currency, s.leaf_count, s.signed, s.at_us, s.proof.in_(_kept())
    ).order_by(s.proof, s.currency)


def leaves() -> Query:
    """`LeafLine`s of the trees that are kept whole."""
    leaf, n, s = at.liability_leaves.c, at.liability_nodes.c, at.liability_statements.c
    its_node = sa.and_(
        *(n.proof == leaf.proof, n.currency == leaf.currency),
        *(n.level == 0, n.position == leaf.position),
    )
    return (
        sa.select(
            *(leaf.proof, leaf.currency, leaf.position, leaf.owner, leaf.amount_minor, leaf.salt),
            *(n.digest, n.sum_minor),
        )
        .join_from(
            at.liability_statements,
            at.liability_leaves,
            sa.and_(leaf.proof == s.proof, leaf.currency == s.currency),
        )
        .join(at.liability_nodes, its_node, isouter=True)
        .where(s.proof.in_(_kept()))
        .order_by(leaf.proof, leaf.currency, leaf.position)
    )


def nodes() -> Query:
    """`NodeLine`s of the trees that are kept whole."""
    n, s = at.liability_nodes.c, at.liability_statements.c
    left, right = at.liability_nodes.alias("left_node"), at.liability_nodes.alias("right_node")
    return (
        sa.select(
            *(n.proof, n.currency, n.level, n.position, n.digest, n.sum_minor),
            *(left.c.digest, left.c.sum_minor, right.c.digest, right.c.sum_minor),
        )
        .join_from(
            at.liability_statements,
            at.liability_nodes,
            sa.and_(n.proof == s.proof, n.currency == s.currency),
        )
        .join(left, _below(left, 0), isouter=True)
        .join(right, _below(right, 1), isouter=True)
        .where(s.proof.in_(_kept()))
        .order_by(n.proof, n.currency, n.level, n.position)
    )


def _below(child: sa.FromClause, place: int) -> sa.ColumnElement[bool]:
    n = at.liability_nodes.c
    return sa.and_(
        *(child.c.proof == n.proof, child.c.currency == n.currency),
        *(child.c.level == n.level - 1, child.c.position == 2 * n.position + place),
    )


def _kept() -> Query:
    """The proofs of which nothing may be missing; a moment ago there may have been more."""
    s = at.liability_statements.c
    newest = sa.select(s.proof).distinct().order_by(s.proof.desc()).limit(KEPT_PROOFS).subquery()
    return sa.select(newest.c.proof)
