"""An attempt is a person's, whichever of his wallets he pays from; payments by consent."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step. Older rows keep no person: their wallets say whose they are."""
    op.add_column("attempts", sa.Column("person_id", sa.String(length=40), nullable=True))
    op.create_index("ix_attempts_person", "attempts", ["person_id", "quote_id", "n"], unique=True)
    op.create_table(
        "consented_payments",
        sa.Column("counted_with", sa.String(length=40), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("counted_with", "n", name=op.f("pk_consented_payments")),
        sa.UniqueConstraint("order_id", name=op.f("uq_consented_payments_order_id")),
    )
