"""Identities of several networks that belong to one person."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "link_requests",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.Column("network", sa.String(length=20), nullable=False),
        sa.Column("network_person_id", sa.String(length=500), nullable=False),
        sa.Column("room_id", sa.String(length=500), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("other_network", sa.String(length=20), nullable=True),
        sa.Column("other_network_person_id", sa.String(length=500), nullable=True),
        sa.Column("other_room_id", sa.String(length=500), nullable=True),
        sa.Column("other_person_id", sa.String(length=40), nullable=True),
        sa.Column("other_confirmed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_requests")),
        sa.UniqueConstraint("digest", name=op.f("uq_link_requests_digest")),
    )
    op.create_table(
        "link_homes",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("ref", sa.String(length=530), nullable=False),
        sa.Column("home_person_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("kind", "ref", name=op.f("pk_link_homes")),
    )
    op.create_table(
        "person_groups",
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("group_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person_groups")),
    )
    op.create_index(op.f("ix_person_groups_group_id"), "person_groups", ["group_id"], unique=False)
