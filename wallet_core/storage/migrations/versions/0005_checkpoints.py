"""Checkpoints of the journal."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "checkpoints",
        sa.Column("minute", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("heads", sa.LargeBinary(), nullable=False),
        sa.Column("signed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("minute", name=op.f("pk_checkpoints")),
    )
