"""Tables of settlement and conversions. Instants are microseconds since the epoch (`…_at_us`)."""

import sqlalchemy as sa

from wallet_core.storage.database import metadata

_BIG = sa.BigInteger()

# Merchants' pending money: what is left of a capture, and when it becomes available.
settlements = sa.Table(
    "settlements",
    metadata,
    # The capture's own id.
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("order_id", sa.String(40), nullable=False, index=True),
    sa.Column("merchant_id", sa.String(40), nullable=False),
    sa.Column("currency", sa.String(10), nullable=False),
    sa.Column("amount_minor", _BIG, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("due_at_us", _BIG, nullable=False),
    sa.Index("ix_settlements_due", "state", "due_at_us"),
    sa.CheckConstraint("amount_minor >= 0", name="amount"),
)

# Orders that were paid because their payer had allowed such payments beforehand, as by a like.
consented_payments = sa.Table(
    "consented_payments",
    metadata,
    # The wallet, or the group of wallets whose limits count together. Whoever counts one payment in
    # takes the next number, so that two at once see each other.
    sa.Column("counted_with", sa.String(40), primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("order_id", sa.String(40), nullable=False, unique=True),
)

# Money that changed its currency, at which rate; and what somebody agreed to beforehand.
conversions = sa.Table(
    "conversions",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("wallet_id", sa.String(40), nullable=False, index=True),
    sa.Column("quote_id", sa.String(40)),
    sa.Column("source", sa.String(40), nullable=False),
    sa.Column("rate", sa.String(80), nullable=False),
    sa.Column("rate_as_of", sa.String(40), nullable=False),
    sa.Column("spread_ppm", sa.Integer, nullable=False),
    sa.Column("sold_minor", _BIG, nullable=False),
    sa.Column("sold_currency", sa.String(10), nullable=False),
    sa.Column("bought_minor", _BIG, nullable=False),
    sa.Column("bought_currency", sa.String(10), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("created_at_us", _BIG, nullable=False),
    sa.Column("expires_at_us", _BIG, nullable=False),
)

conversion_consents = sa.Table(
    "conversion_consents",
    metadata,
    sa.Column("wallet_id", sa.String(40), primary_key=True),
    sa.Column("currency", sa.String(10), primary_key=True),
    # The most that one tap may convert without asking.
    sa.Column("cap_minor", _BIG, nullable=False),
)
