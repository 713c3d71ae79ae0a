"""All tables of money and trade. Instants are microseconds since the epoch (`…_at_us`)."""

import sqlalchemy as sa

from wallet_core.storage.database import metadata

_KEY = sa.String(200)
#: What a network names: its people, rooms and messages (Matrix ids alone have up to 255).
_NAMED = sa.String(500)
_BIG = sa.BigInteger()
# SQLite counts up by itself only in a column that is exactly INTEGER.
_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _part_index(name: str, *columns: str, rows: str) -> sa.Index:
    """An index of some rows only, in both databases; `rows` says which."""
    where = sa.text(rows)
    return sa.Index(name, *columns, postgresql_where=where, sqlite_where=where)


def _at(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _BIG, nullable=nullable)


# --- the books -----------------------------------------------------------------------------

accounts = sa.Table(
    "accounts",
    metadata,
    # Entries name their account by number: short, and made in the order in which accounts come.
    sa.Column("no", _COUNTER, primary_key=True),
    sa.Column("id", _KEY, nullable=False, unique=True),
    sa.Column("owner", _KEY, nullable=False, index=True),
    sa.Column("purpose", sa.String(20), nullable=False),
    sa.Column("currency", sa.String(10), nullable=False),
    # The wallet whose spendable money this is: its mode and limits hold for what leaves it.
    sa.Column("wallet_id", sa.String(40)),
    sa.Column("floor_minor", _BIG),
    sa.Column("balance_minor", _BIG, nullable=False),
    sa.Column("version", _BIG, nullable=False),
    # The last of its entries, each of which names the one before it.
    sa.Column("newest_entry_no", _BIG),
    # What was spent from it lately, packed by wallet_core.limits.Spending.
    sa.Column("spending", sa.LargeBinary(48)),
    # The last word on overdrafts, whatever the code above does.
    sa.CheckConstraint("floor_minor IS NULL OR balance_minor >= floor_minor", name="floor"),
    # Room for the next version of a row beside it: most updates then touch no index.
    postgresql_with={"fillfactor": "70"},
)

# No foreign keys lead from here on: the writer makes both ends in one statement, the audit looks
# for ends without a partner, and checking each of four references a transfer cost more than writing
# the transfer did.
transfers = sa.Table(
    "transfers",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("fingerprint", sa.LargeBinary(16), nullable=False),
    sa.Column("subject", _KEY, nullable=False),
    sa.Column("hold_id", sa.Uuid),
    # Whom a payment from a wallet was for: `merchant:…`, `wallet:…`, `provider:…`.
    sa.Column("payee", _KEY),
    # Empty where a transfer was written by its own id alone.
    sa.Column("commit_key", _KEY, nullable=False),
    _at("created_at_us"),
    # Its place in the journal, and its hash there.
    sa.Column("chain_no", sa.Integer, nullable=False),
    sa.Column("batch_no", _BIG, nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("leaf", sa.LargeBinary(32), nullable=False),
)

# Entries stand in the order in which they were written (`entry_no`), and that is their only index:
# one by account meets another page with each entry, and took a fifth of all that the database does
# for a transfer. What belongs together is found by `entry_paths`.
entries = sa.Table(
    "entries",
    metadata,
    sa.Column("no", _COUNTER, primary_key=True, autoincrement=False),
    sa.Column("account_no", _BIG, nullable=False),
    sa.Column("seq", _BIG, nullable=False),
    # The one before it on its account.
    sa.Column("before_no", _BIG),
    sa.Column("transfer_id", sa.Uuid, nullable=False),
    sa.Column("amount_minor", _BIG, nullable=False),
    sa.Column("balance_after_minor", _BIG, nullable=False),
    sa.CheckConstraint("amount_minor <> 0", name="amount"),
)

# One chain for each writer that works at the same time; a chain outlives its writer and is taken
# over by the next.
chains = sa.Table(
    "chains",
    metadata,
    sa.Column("no", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("length", _BIG, nullable=False),
    sa.Column("head", sa.LargeBinary(32), nullable=False),
)

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("chain_no", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("batch_no", _BIG, primary_key=True, autoincrement=False),
    sa.Column("transfer_count", sa.Integer, nullable=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False),
    _at("at_us"),
)

holds = sa.Table(
    "holds",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("payer_account_id", _KEY, nullable=False),
    sa.Column("payee_account_id", _KEY, nullable=False),
    sa.Column("amount_minor", _BIG, nullable=False),
    sa.Column("captured_minor", _BIG, nullable=False),
    sa.Column("currency", sa.String(10), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("ending", sa.String(10), nullable=False),
    _at("due_at_us"),
    sa.Column("subject", _KEY, nullable=False),
    sa.Index("ix_holds_open_due", "state", "due_at_us"),
    sa.CheckConstraint("captured_minor <= amount_minor", name="captures"),
)

commits = sa.Table(
    "commits",
    metadata,
    sa.Column("key", _KEY, primary_key=True),
    sa.Column("fingerprint", sa.LargeBinary(16), nullable=False),
    sa.Column("refusal", sa.String(30)),
    sa.Column("result", sa.Text, nullable=False),
    _at("created_at_us"),
)

# --- people --------------------------------------------------------------------------------

persons = sa.Table(
    "persons",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("admin", sa.Boolean, nullable=False),
    sa.Column("wallet_id", sa.String(40), nullable=False),
)

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("network", sa.String(20), primary_key=True),
    sa.Column("network_person_id", _NAMED, primary_key=True),
    sa.Column("person_id", sa.String(40), sa.ForeignKey("persons.id"), nullable=False, index=True),
    # Where this person last spoke with the bot: private news goes there.
    sa.Column("room_id", _NAMED, nullable=False),
)

wallets = sa.Table(
    "wallets",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("person_id", sa.String(40), sa.ForeignKey("persons.id"), nullable=False, index=True),
    sa.Column("mode", sa.String(20), nullable=False),
    sa.Column("fence", _BIG, nullable=False),
    # Limits of its own, as JSON: who set them → currency → limits (wallet_core.limits).
    sa.Column("limits", sa.Text),
    # Wallets with the same group count together against limits, for ever.
    sa.Column("limit_group", sa.String(40), index=True),
)

# One row that counts changes to modes, limits and groups (wallet_core.storage.wallet_changes).
wallet_changes = sa.Table(
    "wallet_changes",
    metadata,
    sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("no", _BIG, nullable=False),
)

# Who pays from a wallet of the group holds its row until his payment is written.
limit_groups = sa.Table(
    "limit_groups",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
)

# Since when a wallet knows those it pays, where its limits ask for that.
payees = sa.Table(
    "payees",
    metadata,
    sa.Column("wallet_id", sa.String(40), primary_key=True),
    sa.Column("payee", _KEY, primary_key=True),
    _at("since_us"),
)

one_time_tokens = sa.Table(
    "one_time_tokens",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("purpose", sa.String(20), nullable=False),
    _at("expires_at_us"),
    sa.Column("used", sa.Boolean, nullable=False),
)

# --- trade ---------------------------------------------------------------------------------

merchants = sa.Table(
    "merchants",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("network", sa.String(20), nullable=False),
    sa.Column("room_id", _NAMED, nullable=False),
    sa.Column("standing_acceptance", sa.Boolean, nullable=False),
    _at("created_at_us"),
    # What the house gets of each payment, in millionths.
    sa.Column("commission_ppm", sa.Integer),
)

merchant_members = sa.Table(
    "merchant_members",
    metadata,
    sa.Column("merchant_id", sa.String(40), sa.ForeignKey("merchants.id"), primary_key=True),
    sa.Column("person_id", sa.String(40), sa.ForeignKey("persons.id"), primary_key=True),
    sa.Index("ix_merchant_members_person_id", "person_id"),
)

merchant_hosts = sa.Table(
    "merchant_hosts",
    metadata,
    sa.Column("merchant_id", sa.String(40), sa.ForeignKey("merchants.id"), primary_key=True),
    sa.Column("host", sa.String(255), primary_key=True),
    sa.Column("token", sa.String(80), nullable=False),
    # The host once more where it is proven: unique, so that it can be only one merchant's.
    sa.Column("verified_host", sa.String(255), unique=True),
    sa.Column("method", sa.String(20)),
    _at("verified_at_us", nullable=True),
    # When the proof was last seen, when it is looked for again, and what became of it since it was
    # not there (wallet_core.commerce.host_checks).
    _at("seen_at_us", nullable=True),
    _at("check_due_us", nullable=True),
    sa.Column("stage", sa.String(10)),
    sa.Column("failure", sa.String(20)),
    _at("failing_since_us", nullable=True),
)

offers = sa.Table(
    "offers",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("url", sa.Text, nullable=False, unique=True),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("merchant_id", sa.String(40), sa.ForeignKey("merchants.id")),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("sku", sa.String(200)),
    sa.Column("picture", sa.Text),
    sa.Column("availability", sa.String(30)),
    # None: the page names no number. `sold` counts holds and captures, less what was undone.
    sa.Column("stock_total", _BIG),
    sa.Column("stock_page", _BIG),
    sa.Column("sold", _BIG, nullable=False),
    _at("seen_at_us"),
    sa.CheckConstraint("stock_total IS NULL OR sold <= stock_total", name="stock"),
    sa.CheckConstraint("sold >= 0", name="sold"),
)

quotes = sa.Table(
    "quotes",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("offer_id", sa.String(40), sa.ForeignKey("offers.id"), nullable=False),
    sa.Column("merchant_id", sa.String(40), sa.ForeignKey("merchants.id")),
    sa.Column("amount_minor", _BIG),
    sa.Column("currency", sa.String(10)),
    sa.Column("trust", sa.String(10), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("seller", sa.Text, nullable=False),
    _at("created_at_us"),
    _at("expires_at_us"),
    # When the price was read from its page; None where it comes from elsewhere.
    _at("read_at_us", nullable=True),
    # What is sold at this price, and where it was seen: the offer moves on with its page.
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("sku", sa.String(200)),
    sa.Column("url", sa.Text, nullable=False),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("quote_id", sa.String(40), primary_key=True),
    sa.Column("wallet_id", sa.String(40), primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("order_id", sa.String(40), nullable=False),
    sa.Column("tap_ref", _NAMED, index=True),
    # Whose wallet it was then; empty in rows that are older than this column.
    sa.Column("person_id", sa.String(40)),
    # Two taps of one person at once, each from another wallet, are one attempt all the same.
    sa.Index("ix_attempts_person", "person_id", "quote_id", "n", unique=True),
)

orders = sa.Table(
    "orders",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("number", sa.String(12), nullable=False, unique=True),
    sa.Column("quote_id", sa.String(40), nullable=False, index=True),
    sa.Column("offer_id", sa.String(40), nullable=False),
    sa.Column("merchant_id", sa.String(40), nullable=False, index=True),
    sa.Column("wallet_id", sa.String(40), nullable=False, index=True),
    sa.Column("hold_id", sa.Uuid, nullable=False, unique=True),
    sa.Column("amount_minor", _BIG, nullable=False),
    sa.Column("captured_minor", _BIG, nullable=False),
    sa.Column("refunded_minor", _BIG, nullable=False),
    sa.Column("currency", sa.String(10), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("accepted", sa.Boolean, nullable=False),
    # Where the buyer tapped: news about the order goes there, in private.
    sa.Column("network", sa.String(20), nullable=False),
    sa.Column("room_id", _NAMED, nullable=False),
    sa.Column("network_person_id", _NAMED, nullable=False),
    _at("created_at_us"),
    # What was taken for others, as JSON (wallet_core.commerce.records.taken_text).
    sa.Column("taken", sa.Text),
    sa.CheckConstraint("refunded_minor <= captured_minor", name="refunds"),
    sa.CheckConstraint("captured_minor <= amount_minor", name="captures"),
)

funding_requests = sa.Table(
    "funding_requests",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("code", sa.String(12), nullable=False, unique=True),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("provider", sa.String(20), nullable=False),
    # Whose money: `wallet:…` or `merchant:…`.
    sa.Column("owner", _KEY, nullable=False, index=True),
    sa.Column("amount_minor", _BIG, nullable=False),
    sa.Column("currency", sa.String(10), nullable=False),
    sa.Column("state", sa.String(12), nullable=False, index=True),
    sa.Column("hold_id", sa.Uuid),
    sa.Column("instructions", sa.Text, nullable=False),
    sa.Column("network", sa.String(20), nullable=False),
    sa.Column("room_id", _NAMED, nullable=False),
    sa.Column("network_person_id", _NAMED, nullable=False),
    _at("created_at_us"),
    # The purchase that a top-up was asked for because there was too little money.
    sa.Column("quote_id", _KEY),
)

pictures = sa.Table(
    "pictures",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("mime", sa.String(40), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

# --- what was heard and what is to be said -------------------------------------------------

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("seq", _COUNTER, primary_key=True),
    sa.Column("event_id", sa.String(500), nullable=False, unique=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("claimed_by", sa.String(40)),
    _at("claimed_until_us", nullable=True),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("error", sa.Text),
    _at("received_at_us"),
    sa.Index("ix_inbox_state_seq", "state", "seq"),
)

cursors = sa.Table(
    "cursors",
    metadata,
    sa.Column("network", sa.String(20), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("seq", _COUNTER, primary_key=True),
    sa.Column("send_id", sa.String(500), nullable=False, unique=True),
    sa.Column("network", sa.String(20), nullable=False),
    sa.Column("room_id", _NAMED, nullable=False),
    sa.Column("person_id", _NAMED),
    sa.Column("reply_to_ref", sa.String(500)),
    sa.Column("view", sa.String(20), nullable=False),
    sa.Column("ref", sa.String(200), nullable=False),
    sa.Column("body", sa.LargeBinary),
    # For an edit: the send id of the message that it brings up to date.
    sa.Column("edits", sa.String(500)),
    sa.Column("settled", sa.Boolean, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    _at("due_at_us"),
    sa.Column("claimed_by", sa.String(40)),
    # The network's own id of the message, once it was sent; and the card as it was last sent.
    sa.Column("message_ref", sa.String(500)),
    sa.Column("shown", sa.LargeBinary),
    # Whether passing changes are shown there too, as was known when it was sent.
    sa.Column("live", sa.Boolean),
    _part_index("ix_outbox_due", "due_at_us", rows="state = 'due'"),
    # In the words of the question that it is for (`outbox.py`), which leads to no other index.
    _part_index("ix_outbox_edits", "edits", rows="edits IS NOT NULL AND state || '' = 'due'"),
    _part_index("ix_outbox_view_ref", "view", "ref", rows="edits IS NULL"),
    _part_index("ix_outbox_message", "network", "message_ref", rows="message_ref IS NOT NULL"),
)
