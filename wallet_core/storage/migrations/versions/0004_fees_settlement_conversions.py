"""Fees and commissions, pending money of merchants, conversions between currencies."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.add_column("merchants", sa.Column("commission_ppm", sa.Integer(), nullable=True))
    op.add_column("orders", sa.Column("taken", sa.Text(), nullable=True))
    _make_settlements()
    _make_conversions()


def _make_settlements() -> None:
    op.create_table(
        "settlements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=10), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("due_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_settlements_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlements")),
    )
    op.create_index("ix_settlements_due", "settlements", ["state", "due_at_us"])
    op.create_index(op.f("ix_settlements_order_id"), "settlements", ["order_id"])


def _make_conversions() -> None:
    op.create_table(
        "conversions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("wallet_id", sa.String(length=40), nullable=False),
        sa.Column("quote_id", sa.String(length=40), nullable=True),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("rate", sa.String(length=80), nullable=False),
        sa.Column("rate_as_of", sa.String(length=40), nullable=False),
        sa.Column("spread_ppm", sa.Integer(), nullable=False),
        sa.Column("sold_minor", sa.BigInteger(), nullable=False),
        sa.Column("sold_currency", sa.String(length=10), nullable=False),
        sa.Column("bought_minor", sa.BigInteger(), nullable=False),
        sa.Column("bought_currency", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversions")),
    )
    op.create_index(op.f("ix_conversions_wallet_id"), "conversions", ["wallet_id"])
    op.create_table(
        "conversion_consents",
        sa.Column("wallet_id", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=10), nullable=False),
        sa.Column("cap_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("wallet_id", "currency", name=op.f("pk_conversion_consents")),
    )
