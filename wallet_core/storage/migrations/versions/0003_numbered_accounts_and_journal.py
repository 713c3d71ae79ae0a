"""Numbered accounts, the journal of hashes, modes and limits of wallets, partial captures.

All transfers so far become the first batches of chain 0, in the order of their time. How they are
hashed is written down here once more, so that this step stays what it was whatever the code
around it becomes.
"""

import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from wallet_core.storage import append_only

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: Transfers in one batch of the journal, and in memory at a time.
_BATCH = 1000
_CHAIN = 0
_DAY_US = 24 * 3600 * 1_000_000
_MONTH_US = 30 * _DAY_US
#: To whom money goes that counts as spent.
_SPENT_ON = ("merchant", "wallet", "escrow")

# Children before those they point to: a table can only go when nothing points to it any more.
_REBUILT = ("entries", "attempts", "orders", "wallets", "transfers", "holds", "accounts")


def upgrade() -> None:
    """Take the step."""
    connection = op.get_bind()
    for name in _REBUILT:
        op.execute(f"CREATE TABLE old_{name} AS SELECT * FROM {name}")  # noqa: S608 - our own names
        op.drop_table(name)
    op.create_index("ix_old_transfers", "old_transfers", ["created_at_us", "id"])
    op.create_index("ix_old_entries", "old_entries", ["transfer_id"])
    _make_books()
    _make_journal()
    _make_people()
    _make_trade()
    _copy(connection.dialect.name)
    _chain_up(connection)
    for name in _REBUILT:
        op.drop_table(f"old_{name}")
    append_only.create(connection)


# --- the new tables ------------------------------------------------------------------------


def _make_books() -> None:
    op.create_table(
        "accounts",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("currency", sa.String(length=10), nullable=False),
        sa.Column("wallet_id", sa.String(length=40), nullable=True),
        sa.Column("floor_minor", sa.BigInteger(), nullable=True),
        sa.Column("balance_minor", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("spending", sa.LargeBinary(length=48), nullable=True),
        sa.CheckConstraint(
            "floor_minor IS NULL OR balance_minor >= floor_minor", name=op.f("ck_accounts_floor")
        ),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_accounts")),
        sa.UniqueConstraint("id", name=op.f("uq_accounts_id")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(op.f("ix_accounts_owner"), "accounts", ["owner"])
    op.create_table(
        "entries",
        sa.Column("account_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("balance_after_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_entries_amount")),
        sa.PrimaryKeyConstraint("account_no", "seq", name=op.f("pk_entries")),
    )
    op.create_index(op.f("ix_entries_transfer_id"), "entries", ["transfer_id"])
    op.create_table(
        "holds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payer_account_id", sa.String(length=200), nullable=False),
        sa.Column("payee_account_id", sa.String(length=200), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("captured_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("ending", sa.String(length=10), nullable=False),
        sa.Column("due_at_us", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.CheckConstraint("captured_minor <= amount_minor", name=op.f("ck_holds_captures")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_index("ix_holds_open_due", "holds", ["state", "due_at_us"])


def _make_journal() -> None:
    op.create_table(
        "transfers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=16), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("payee", sa.String(length=200), nullable=True),
        sa.Column("commit_key", sa.String(length=200), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("chain_no", sa.Integer(), nullable=False),
        sa.Column("batch_no", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
    )
    op.create_table(
        "chains",
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_chains")),
    )
    op.create_table(
        "journal",
        sa.Column("chain_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("batch_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("transfer_count", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain_no", "batch_no", name=op.f("pk_journal")),
    )


def _make_people() -> None:
    op.create_table(
        "wallets",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("limits", sa.Text(), nullable=True),
        sa.Column("limit_group", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_wallets_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallets")),
    )
    op.create_index(op.f("ix_wallets_person_id"), "wallets", ["person_id"])
    op.create_index(op.f("ix_wallets_limit_group"), "wallets", ["limit_group"])
    op.create_table(
        "limit_groups",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limit_groups")),
    )
    op.create_table(
        "payees",
        sa.Column("wallet_id", sa.String(length=40), nullable=False),
        sa.Column("payee", sa.String(length=200), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("wallet_id", "payee", name=op.f("pk_payees")),
    )


def _make_trade() -> None:
    op.create_table(
        "attempts",
        sa.Column("quote_id", sa.String(length=40), nullable=False),
        sa.Column("wallet_id", sa.String(length=40), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("tap_ref", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("quote_id", "wallet_id", "n", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_tap_ref"), "attempts", ["tap_ref"])
    op.create_table(
        "orders",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=12), nullable=False),
        sa.Column("quote_id", sa.String(length=40), nullable=False),
        sa.Column("offer_id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("wallet_id", sa.String(length=40), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("captured_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=10), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("network", sa.String(length=20), nullable=False),
        sa.Column("room_id", sa.String(length=500), nullable=False),
        sa.Column("network_person_id", sa.String(length=500), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("captured_minor <= amount_minor", name=op.f("ck_orders_captures")),
        sa.CheckConstraint("refunded_minor <= captured_minor", name=op.f("ck_orders_refunds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("hold_id", name=op.f("uq_orders_hold_id")),
        sa.UniqueConstraint("number", name=op.f("uq_orders_number")),
    )
    op.create_index(op.f("ix_orders_merchant_id"), "orders", ["merchant_id"])
    op.create_index(op.f("ix_orders_quote_id"), "orders", ["quote_id"])
    op.create_index(op.f("ix_orders_wallet_id"), "orders", ["wallet_id"])


# --- rows that only move -------------------------------------------------------------------

_ORDERS = (
    "id, number, quote_id, offer_id, merchant_id, wallet_id, hold_id, amount_minor, "
    "captured_minor, refunded_minor, currency, title, state, accepted, network, room_id, "
    "network_person_id, created_at_us"
)
_ATTEMPTS = "quote_id, wallet_id, n, order_id, tap_ref"


def _copy(dialect: str) -> None:
    # The same numbers on every machine, whatever order its language has for letters.
    by_bytes = ' COLLATE "C"' if dialect == "postgresql" else ""
    op.execute(f"""
        INSERT INTO accounts (no, id, owner, purpose, currency, wallet_id, floor_minor,
          balance_minor, version)
        SELECT row_number() OVER (ORDER BY id{by_bytes}), id, owner, purpose, currency,
          CASE WHEN owner LIKE 'wallet:%' AND purpose = 'available' THEN substr(owner, 8) END,
          floor_minor, balance_minor, version
        FROM old_accounts""")  # noqa: S608 - same
    if dialect == "postgresql":
        op.execute(
            "SELECT setval(pg_get_serial_sequence('accounts', 'no'), "
            "(SELECT count(*) + 1 FROM accounts), false)"
        )
    op.execute("""
        INSERT INTO entries (account_no, seq, transfer_id, amount_minor, balance_after_minor)
        SELECT a.no, e.seq, e.transfer_id, e.amount_minor, e.balance_after_minor
        FROM old_entries e JOIN accounts a ON a.id = e.account_id ORDER BY a.no, e.seq""")
    op.execute("""
        INSERT INTO holds (id, payer_account_id, payee_account_id, amount_minor, captured_minor,
          currency, state, ending, due_at_us, subject)
        SELECT id, payer_account_id, payee_account_id, amount_minor,
          CASE WHEN state = 'captured' THEN amount_minor ELSE 0 END,
          currency, state, ending, due_at_us, subject
        FROM old_holds""")
    op.execute("""
        INSERT INTO wallets (id, person_id, mode, fence)
        SELECT id, person_id, CASE WHEN frozen THEN 'frozen' ELSE 'open' END, fence
        FROM old_wallets""")
    op.execute(f"INSERT INTO orders ({_ORDERS}) SELECT {_ORDERS} FROM old_orders")  # noqa: S608 - same
    op.execute(f"INSERT INTO attempts ({_ATTEMPTS}) SELECT {_ATTEMPTS} FROM old_attempts")  # noqa: S608 - same


# --- the journal ---------------------------------------------------------------------------

_old = sa.table(
    "old_transfers",
    sa.column("id", sa.Uuid()),
    sa.column("kind", sa.String()),
    sa.column("fingerprint", sa.LargeBinary()),
    sa.column("subject", sa.String()),
    sa.column("hold_id", sa.Uuid()),
    sa.column("commit_key", sa.String()),
    sa.column("created_at_us", sa.BigInteger()),
)
_old_entries = sa.table(
    "old_entries",
    sa.column("transfer_id", sa.Uuid()),
    sa.column("account_id", sa.String()),
    sa.column("seq", sa.BigInteger()),
    sa.column("amount_minor", sa.BigInteger()),
    sa.column("balance_after_minor", sa.BigInteger()),
)
_old_holds = sa.table(
    "old_holds",
    sa.column("id", sa.Uuid()),
    sa.column("payer_account_id", sa.String()),
    sa.column("payee_account_id", sa.String()),
)
_transfers = sa.table(
    "transfers",
    *(sa.column(c.name, c.type) for c in _old.columns),
    sa.column("payee", sa.String()),
    sa.column("chain_no", sa.Integer()),
    sa.column("batch_no", sa.BigInteger()),
    sa.column("place", sa.Integer()),
    sa.column("leaf", sa.LargeBinary()),
)
_journal = sa.table(
    "journal",
    sa.column("chain_no", sa.Integer()),
    sa.column("batch_no", sa.BigInteger()),
    sa.column("transfer_count", sa.Integer()),
    sa.column("hash", sa.LargeBinary()),
    sa.column("at_us", sa.BigInteger()),
)
_chains = sa.table(
    "chains",
    sa.column("no", sa.Integer()),
    sa.column("length", sa.BigInteger()),
    sa.column("head", sa.LargeBinary()),
)
_accounts = sa.table(
    "accounts", sa.column("id", sa.String()), sa.column("spending", sa.LargeBinary())
)

Entries = Mapping[UUID, Sequence[Any]]


def _chain_up(connection: sa.Connection) -> None:
    spent = _Spent(connection.execute(sa.select(sa.func.max(_old.c.created_at_us))).scalar() or 0)
    head, batch_no = bytes(32), 0
    for batch_no, transfers in enumerate(_batches(connection), 1):
        entries = _entries_of(connection, transfers)
        payees = _payees_of(connection, transfers, entries)
        at_us = transfers[-1].created_at_us
        rows = []
        for place, row in enumerate(transfers):
            payee = payees.get(row.id)
            leaf = _leaf(row, payee, entries[row.id])
            rows.append(
                {
                    **row._mapping,
                    "payee": payee,
                    "chain_no": _CHAIN,
                    "batch_no": batch_no,
                    "place": place,
                    "leaf": leaf,
                }
            )
            if payee is not None:
                spent.see(payee, row.created_at_us, entries[row.id])
        connection.execute(sa.insert(_transfers), rows)
        head = _batch_hash(head, batch_no, at_us, [row["leaf"] for row in rows])
        connection.execute(
            sa.insert(_journal),
            {
                "chain_no": _CHAIN,
                "batch_no": batch_no,
                "transfer_count": len(rows),
                "hash": head,
                "at_us": at_us,
            },
        )
    if batch_no:
        connection.execute(sa.insert(_chains), {"no": _CHAIN, "length": batch_no, "head": head})
    spent.write(connection)


def _batches(connection: sa.Connection) -> Iterator[Sequence[sa.Row[Any]]]:
    """All transfers by their time, each part of them small enough for the memory."""
    query = sa.select(_old).order_by(_old.c.created_at_us, _old.c.id).limit(_BATCH)
    page = connection.execute(query).all()
    while page:
        yield page
        at_us, last_id = page[-1].created_at_us, page[-1].id
        after = sa.or_(
            _old.c.created_at_us > at_us,
            sa.and_(_old.c.created_at_us == at_us, _old.c.id > last_id),
        )
        # Both databases find the page by its time in the index; the rest filters equal times.
        page = connection.execute(query.where(_old.c.created_at_us >= at_us, after)).all()


def _entries_of(connection: sa.Connection, transfers: Sequence[sa.Row[Any]]) -> Entries:
    query = sa.select(_old_entries).where(_old_entries.c.transfer_id.in_([t.id for t in transfers]))
    entries: dict[UUID, list[Any]] = defaultdict(list)
    for row in connection.execute(query.order_by(_old_entries.c.account_id, _old_entries.c.seq)):
        entries[row.transfer_id].append(row)
    return entries


def _payees_of(
    connection: sa.Connection, transfers: Sequence[sa.Row[Any]], entries: Entries
) -> dict[UUID, str]:
    """Transfer → whom it paid, for those that took money from a wallet."""
    payees = {}
    query = sa.select(_old_holds).where(
        _old_holds.c.id.in_([row.id for row in transfers if row.kind == "authorise"])
    )
    for hold in connection.execute(query):
        if hold.payer_account_id.startswith("wallet:"):
            payees[hold.id] = _owner(hold.payee_account_id)
    for row in transfers:
        if row.kind == "post":
            payee = _payee_of_post(entries[row.id])
            if payee is not None:
                payees[row.id] = payee
    return payees


def _payee_of_post(entries: Sequence[Any]) -> str | None:
    """Who got most of what a wallet paid."""
    for entry in entries:
        if entry.amount_minor < 0 and _is_spendable(entry.account_id):
            currency = entry.account_id.rpartition("/")[2]
            gains = [
                (-other.amount_minor, other.account_id)
                for other in entries
                if other.amount_minor > 0 and other.account_id.rpartition("/")[2] == currency
            ]
            return _owner(min(gains)[1]) if gains else None
    return None


def _is_spendable(account_id: str) -> bool:
    owner, purpose, _ = account_id.rsplit("/", 2)
    return owner.startswith("wallet:") and purpose == "available"


def _owner(account_id: str) -> str:
    return account_id.rsplit("/", 2)[0]


def _leaf(row: sa.Row[Any], payee: str | None, entries: Sequence[Any]) -> bytes:
    parts = [
        b"\x02",
        row.id.bytes,
        bytes(16) if row.hold_id is None else row.hold_id.bytes,
        row.fingerprint,
        struct.pack(">q", row.created_at_us),
        *map(_text, (row.kind, row.subject, payee or "", row.commit_key)),
        struct.pack(">H", len(entries)),
        *sorted(
            _text(e.account_id) + struct.pack(">qqq", e.seq, e.amount_minor, e.balance_after_minor)
            for e in entries
        ),
    ]
    return sha256(b"".join(parts)).digest()


def _batch_hash(before: bytes, batch_no: int, at_us: int, leaves: Sequence[bytes]) -> bytes:
    head = struct.pack(">iqqi", _CHAIN, batch_no, at_us, len(leaves))
    return sha256(b"\x03" + before + head + b"".join(leaves)).digest()


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">H", len(encoded)) + encoded


class _Spent:
    """What was spent from each account lately: in two blocks of a day and two of 30 days."""

    def __init__(self, newest_at_us: int) -> None:
        self._since_us = (newest_at_us // _MONTH_US - 1) * _MONTH_US
        self._blocks: dict[str, tuple[dict[int, int], dict[int, int]]] = {}

    def see(self, payee: str, at_us: int, entries: Sequence[Any]) -> None:
        """Count what a payment took from wallets."""
        if at_us < self._since_us or payee.partition(":")[0] not in _SPENT_ON:
            return
        for entry in entries:
            own = _owner(entry.account_id) == payee
            if entry.amount_minor < 0 and _is_spendable(entry.account_id) and not own:
                days, months = self._blocks.setdefault(
                    entry.account_id, (defaultdict(int), defaultdict(int))
                )
                days[at_us // _DAY_US] -= entry.amount_minor
                months[at_us // _MONTH_US] -= entry.amount_minor

    def write(self, connection: sa.Connection) -> None:
        """Put the newest blocks of each account, and those before them, beside its balance."""
        for account_id, (days, months) in sorted(self._blocks.items()):
            day, month = max(days), max(months)
            packed = struct.pack(
                ">6q", day, days[day], days[day - 1], month, months[month], months[month - 1]
            )
            connection.execute(
                sa.update(_accounts).where(_accounts.c.id == account_id).values(spending=packed)
            )
