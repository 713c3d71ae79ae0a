"""The outbox: indexes of only what is looked for, and whether a message is kept up to date live."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step. Of what was sent before nobody knows; the sender sorts that out."""
    op.add_column("outbox", sa.Column("live", sa.Boolean(), nullable=True))
    for old in ("ix_outbox_state_due", "ix_outbox_view_ref", "ix_outbox_message"):
        op.drop_index(old, table_name="outbox")
    for name, columns, rows in (
        ("ix_outbox_due", ["due_at_us"], "state = 'due'"),
        ("ix_outbox_edits", ["edits"], "edits IS NOT NULL AND state || '' = 'due'"),
        ("ix_outbox_view_ref", ["view", "ref"], "edits IS NULL"),
        ("ix_outbox_message", ["network", "message_ref"], "message_ref IS NOT NULL"),
    ):
        where = sa.text(rows)
        op.create_index(name, "outbox", columns, postgresql_where=where, sqlite_where=where)
