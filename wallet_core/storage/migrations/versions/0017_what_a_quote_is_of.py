"""A quote keeps what it is the price of; until now it was whatever its offer is."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_AS_THE_OFFER_IS = """
UPDATE quotes SET title = f.title, sku = f.sku, url = f.url
FROM offers f WHERE f.id = quotes.offer_id
"""


def upgrade() -> None:
    """Take the step."""
    op.add_column("quotes", sa.Column("title", sa.Text(), nullable=True))
    op.add_column("quotes", sa.Column("sku", sa.String(length=200), nullable=True))
    op.add_column("quotes", sa.Column("url", sa.Text(), nullable=True))
    op.execute(_AS_THE_OFFER_IS)
    with op.batch_alter_table("quotes") as quotes:
        quotes.alter_column("title", existing_type=sa.Text(), nullable=False)
        quotes.alter_column("url", existing_type=sa.Text(), nullable=False)
