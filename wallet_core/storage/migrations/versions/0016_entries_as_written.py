"""Entries in the order in which they were written; each names the one before it on its account."""

import sqlalchemy as sa
from alembic import op

from wallet_core.storage import append_only

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

#: An entry's number: 8 bits of its chain, 39 of its batch, 16 of its place in that.
_NUMBERED = """
INSERT INTO entries
  (no, account_no, seq, before_no, transfer_id, amount_minor, balance_after_minor)
SELECT no, account_no, seq, lag(no) OVER (PARTITION BY account_no ORDER BY seq),
  transfer_id, amount_minor, balance_after_minor
FROM (
  SELECT e.*, m.chain_no * CAST(36028797018963968 AS BIGINT) + m.batch_no * 65536 - 1
    + row_number() OVER (
        PARTITION BY m.chain_no, m.batch_no ORDER BY m.place, e.account_no, e.seq
      ) AS no
  FROM old_entries e JOIN transfers m ON m.id = e.transfer_id
) numbered
ORDER BY no
"""
_NEWEST = """
UPDATE accounts SET newest_entry_no = e.no FROM entries e
WHERE e.account_no = accounts.no AND e.seq = accounts.version
"""


def upgrade() -> None:
    """Take the step."""
    connection = op.get_bind()
    op.execute("CREATE TABLE old_entries AS SELECT * FROM entries")
    op.drop_table("entries")
    op.create_table(
        "entries",
        sa.Column(
            "no",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("account_no", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("before_no", sa.BigInteger(), nullable=True),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("balance_after_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_entries_amount")),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_entries")),
    )
    op.add_column("accounts", sa.Column("newest_entry_no", sa.BigInteger(), nullable=True))
    op.execute(_NUMBERED)
    op.execute(_NEWEST)
    op.drop_table("old_entries")
    append_only.create(connection)
