"""Catalogues that merchants hand in."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "catalogue_sources",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reading", sa.Integer(), nullable=False),
        sa.Column("taken_to", sa.String(length=32), nullable=False),
        sa.Column("due_at_us", sa.BigInteger(), nullable=True),
        sa.Column("loud", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("read_at_us", sa.BigInteger(), nullable=True),
        sa.Column("item_count", sa.Integer(), nullable=False),
        sa.Column("validators", sa.Text(), nullable=True),
        sa.Column("network", sa.String(length=20), nullable=False),
        sa.Column("room_id", sa.String(length=500), nullable=False),
        sa.Column("network_person_id", sa.String(length=500), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("claimed_until_us", sa.BigInteger(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_sources")),
    )
    op.create_index(
        op.f("ix_catalogue_sources_merchant_id"),
        "catalogue_sources",
        ["merchant_id"],
        unique=False,
    )
    op.create_index("ix_catalogue_sources_due", "catalogue_sources", ["due_at_us"], unique=False)
    op.create_table(
        "catalogue_items",
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("page", sa.String(length=32), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "key", name=op.f("pk_catalogue_items")),
    )
    op.create_index(
        "ix_catalogue_items_name", "catalogue_items", ["merchant_id", "name"], unique=False
    )
    op.create_index(
        "ix_catalogue_items_page", "catalogue_items", ["merchant_id", "page"], unique=False
    )
    op.create_table(
        "catalogue_staged",
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "key", name=op.f("pk_catalogue_staged")),
    )
