"""Proofs of hosts are looked for again and again; quotes know when their page was read."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    for column in (
        sa.Column("seen_at_us", sa.BigInteger(), nullable=True),
        sa.Column("check_due_us", sa.BigInteger(), nullable=True),
        sa.Column("stage", sa.String(length=10), nullable=True),
        sa.Column("failure", sa.String(length=20), nullable=True),
        sa.Column("failing_since_us", sa.BigInteger(), nullable=True),
    ):
        op.add_column("merchant_hosts", column)
    # What is proven was seen when it was proven; it is looked for at the next opportunity.
    op.execute("UPDATE merchant_hosts SET seen_at_us = verified_at_us")
    op.add_column("quotes", sa.Column("read_at_us", sa.BigInteger(), nullable=True))
