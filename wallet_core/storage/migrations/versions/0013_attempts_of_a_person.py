"""An attempt is a person's, whichever of his wallets he pays from."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step. Older rows keep no person: their wallets say whose they are."""
    op.add_column("attempts", sa.Column("person_id", sa.String(length=40), nullable=True))
    op.create_index("ix_attempts_person", "attempts", ["quote_id", "person_id", "n"], unique=True)
