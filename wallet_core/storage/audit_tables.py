"""Tables of what is published about the books: proofs of liabilities, and checkpoints."""

import sqlalchemy as sa

from wallet_core.storage.database import metadata

#: Names sort by time: `20260501T100000.123456Z-4f7a`.
_PROOF = sa.String(40)
_CURRENCY = sa.String(10)

liability_statements = sa.Table(
    "liability_statements",
    metadata,
    sa.Column("proof", _PROOF, primary_key=True),
    sa.Column("currency", _CURRENCY, primary_key=True),
    sa.Column("leaf_count", sa.BigInteger, nullable=False),
    sa.Column("signed", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)

liability_leaves = sa.Table(
    "liability_leaves",
    metadata,
    sa.Column("proof", _PROOF, primary_key=True),
    sa.Column("currency", _CURRENCY, primary_key=True),
    sa.Column("owner", sa.String(200), primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("salt", sa.LargeBinary(32), nullable=False),
)

liability_nodes = sa.Table(
    "liability_nodes",
    metadata,
    sa.Column("proof", _PROOF, primary_key=True),
    sa.Column("currency", _CURRENCY, primary_key=True),
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    sa.Column("sum_minor", sa.BigInteger, nullable=False),
)

# At most one a minute, whichever process of the instance writes it. `heads` is what `signed` says
# of the chains, to see whether anything has moved since. Old ones are thinned out.
checkpoints = sa.Table(
    "checkpoints",
    metadata,
    sa.Column("minute", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("heads", sa.LargeBinary, nullable=False),
    sa.Column("signed", sa.Text, nullable=False),
)
