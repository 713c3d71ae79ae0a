"""What an audit asks about trade: rows that say that money moved, beside the entries that did it.

Nothing here is indexed for an audit, so each join goes by a column that stands bare on its inner
side: SQLite then makes an index for the time of the statement, and PostgreSQL hashes.
"""

from typing import Any

import sqlalchemy as sa

from wallet_core.ledger.accounts import Purpose
from wallet_core.storage import tables as t
from wallet_core.storage import trade_tables as trade
from wallet_core.storage.entry_paths import of_transfer
from wallet_core.storage.snapshots import big_sum

Query = sa.Select[Any]


def settlements() -> Query:
    """`SettlementLine`s."""
    s, capture, settling = trade.settlements, t.transfers.alias("capture"), _transfers("settlement")
    entries, names = t.entries.alias("settled"), t.accounts.alias("settled_on")
    return (
        sa.select(
            *(settling.c.id, settling.c.kind, names.c.id, entries.c.amount_minor),
            *(s.c.id, s.c.order_id, s.c.merchant_id, s.c.currency, s.c.amount_minor, s.c.state),
            *(capture.c.kind, capture.c.subject, _earned(s, capture)),
        )
        .join_from(s, capture, capture.c.id == s.c.id, isouter=True)
        .join(settling, settling.c.commit_key == settling_key(s), isouter=True)
        .join(entries, entries.c.transfer_id == settling.c.id, isouter=True)
        .join(names, names.c.no == entries.c.account_no, isouter=True)
        .order_by(s.c.id, settling.c.id)
    )


def settling_key(settlements: sa.FromClause) -> sa.ColumnElement[str]:
    """The key of the commit that settles a settlement: its id in hex, without dashes."""
    digits = sa.func.replace(sa.cast(settlements.c.id, sa.String), "-", "")
    return sa.literal("settle:", sa.String) + digits


def _earned(settlements: sa.FromClause, capture: sa.FromClause) -> sa.ColumnElement[int]:
    """What the capture of a settlement's id has put on the merchant's pending account."""
    # In the sum and not in the condition: else SQLite reads the whole account each time.
    on_it = t.accounts.c.id == _pending_account(settlements)
    return (
        sa.select(big_sum(sa.case((on_it, t.entries.c.amount_minor), else_=0)))
        .join_from(t.entries, t.accounts, t.accounts.c.no == t.entries.c.account_no)
        .where(of_transfer(capture.c, t.entries.c))
        .correlate(settlements, capture)
        .scalar_subquery()
    )


def _pending_account(settlements: sa.FromClause) -> sa.ColumnElement[str]:
    """The name of the pending account that a settlement is about."""
    owner = sa.literal("merchant:", sa.String) + settlements.c.merchant_id
    return owner + f"/{Purpose.PENDING}/" + settlements.c.currency


def earned() -> Query:
    """`EarnedLine`s: settlements themselves are left out, for those have rows of their own."""
    m, e, a, s = t.transfers.c, t.entries.c, t.accounts.c, trade.settlements
    moved = (
        sa.select(m.subject, a.id, a.currency, big_sum(e.amount_minor).label("minor"))
        .join_from(t.accounts, t.entries, e.account_no == a.no)
        .join(t.transfers, m.id == e.transfer_id)
        .where(a.purpose == Purpose.PENDING, m.subject.not_like("settlement:%"))
        .group_by(m.subject, a.id, a.currency)
        .subquery()
    )
    subject = sa.cast(sa.literal("order:", sa.String) + s.c.order_id, sa.String).label("subject")
    account_id = sa.cast(_pending_account(s), sa.String).label("account_id")
    says = (
        sa.select(subject, account_id, big_sum(s.c.amount_minor).label("minor"))
        .group_by(subject, account_id)
        .subquery()
    )
    same = sa.and_(says.c.subject == moved.c.subject, says.c.account_id == moved.c.id)
    return (
        sa.select(*moved.c, sa.func.coalesce(says.c.minor, 0))
        .join_from(moved, says, same, isouter=True)
        .order_by(moved.c.subject, moved.c.id)
    )


def conversions() -> Query:
    """`ConversionLine`s."""
    c, q = trade.conversions.c, t.quotes.c
    converting = _transfers("conversion")
    about = sa.literal("conversion:", sa.String) + c.id
    return (
        sa.select(
            *(converting.c.id, converting.c.kind, t.accounts.c.id, t.entries.c.amount_minor),
            *(c.id, c.wallet_id, c.quote_id, c.source, c.rate, c.spread_ppm),
            *(c.sold_minor, c.sold_currency, c.bought_minor, c.bought_currency, c.state),
            *(q.amount_minor, q.currency),
        )
        .join_from(trade.conversions, converting, converting.c.subject == about, isouter=True)
        .join(t.entries, t.entries.c.transfer_id == converting.c.id, isouter=True)
        .join(t.accounts, t.accounts.c.no == t.entries.c.account_no, isouter=True)
        .join(t.quotes, q.id == c.quote_id, isouter=True)
        .order_by(c.id, converting.c.id)
    )


def top_ups() -> Query:
    """`TopUpLine`s: every request that is no payout."""
    f, moving = t.funding_requests.c, _transfers("topup")
    about = sa.literal("topup:", sa.String) + f.id
    return (
        sa.select(
            *(moving.c.id, moving.c.kind, t.accounts.c.id, t.entries.c.amount_minor),
            *(f.id, f.code, f.kind, f.state, f.owner, f.provider, f.amount_minor, f.currency),
        )
        .join_from(t.funding_requests, moving, moving.c.subject == about, isouter=True)
        .join(t.entries, t.entries.c.transfer_id == moving.c.id, isouter=True)
        .join(t.accounts, t.accounts.c.no == t.entries.c.account_no, isouter=True)
        .where(f.kind != "payout")
        .order_by(f.id, moving.c.id)
    )


def payouts() -> Query:
    """`PayoutLine`s."""
    f, h = t.funding_requests.c, t.holds.c
    return (
        sa.select(
            *(f.id, f.code, f.state, f.owner, f.provider, f.amount_minor, f.currency),
            *(h.payer_account_id, h.payee_account_id, h.amount_minor, h.captured_minor),
            *(h.state, h.ending, h.subject),
        )
        .join_from(t.funding_requests, t.holds, h.id == f.hold_id, isouter=True)
        .where(f.kind == "payout")
        .order_by(f.id)
    )


def taken() -> Query:
    """`TakenLine`s: every order of which something was taken, or that says so."""
    o, m, e, a = t.orders.c, t.transfers.c, t.entries.c, t.accounts.c
    moved = (
        sa.select(
            *(m.subject, a.id.label("account_id")),
            big_sum(sa.case((m.kind == "capture", e.amount_minor), else_=0)).label("took"),
            big_sum(sa.case((m.kind == "post", -e.amount_minor), else_=0)).label("returned"),
        )
        .join_from(t.accounts, t.entries, e.account_no == a.no)
        .join(t.transfers, m.id == e.transfer_id)
        .where(a.owner.like("house:%"), m.subject.like("order:%"))
        .group_by(m.subject, a.id)
        .subquery()
    )
    about = sa.literal("order:", sa.String) + o.id
    return (
        sa.select(
            *(o.id, o.number, o.currency, o.taken, moved.c.account_id),
            *(sa.func.coalesce(moved.c[name], 0) for name in ("took", "returned")),
        )
        .join_from(t.orders, moved, moved.c.subject == about, isouter=True)
        .where(sa.or_(o.taken.is_not(None), moved.c.account_id.is_not(None)))
        # By nothing more: SQLite would then go without an index.
        .order_by(o.id)
    )


def consented() -> Query:
    """`ConsentedLine`s."""
    c, o = trade.consented_payments.c, t.orders.c
    return (
        sa.select(c.counted_with, c.n, c.order_id, o.number)
        .join_from(trade.consented_payments, t.orders, o.id == c.order_id, isouter=True)
        .order_by(c.counted_with, c.n)
    )


def _transfers(kind: str) -> sa.FromClause:
    """Transfers about things of one kind, such as `conversion:…`."""
    return sa.select(t.transfers).where(t.transfers.c.subject.like(f"{kind}:%")).subquery()
