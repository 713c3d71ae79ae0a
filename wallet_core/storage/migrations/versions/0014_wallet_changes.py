"""The counter of changes to what wallets may do."""

import sqlalchemy as sa
from alembic import op

from wallet_core.storage import wallet_changes

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "wallet_changes",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("no", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_wallet_changes")),
    )
    wallet_changes.create(op.get_bind())
