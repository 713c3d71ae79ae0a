"""A top-up keeps the purchase that it was asked for; those of before were asked for none."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.add_column("funding_requests", sa.Column("quote_id", sa.String(length=200), nullable=True))
