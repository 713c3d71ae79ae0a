"""Rows whose partner is missing. No foreign keys stand in their way, so an audit looks for them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from wallet_core.commerce.records import NOBODY
from wallet_core.ledger.accounts import Purpose
from wallet_core.storage import tables as t
from wallet_core.storage import trade_tables as trade
from wallet_core.storage.audit_trade import settling_key
from wallet_core.storage.linking import person_groups


class Stray(NamedTuple):
    """How to find rows of one kind, and what is said of the first one; `{}` are its columns."""

    query: sa.Select[Any]
    row: str
    sentence: str


def strays() -> Iterator[Stray]:
    """All that can be missing; the books first."""
    e, m, h = t.entries.c, t.transfers.c, t.holds.c
    yield Stray(
        sa.select(e.account_no, e.seq).where(_nothing(t.accounts.c.no == e.account_no)),
        "entry {1}",
        "Entry {1} stands on account number {0}, which is not there.",
    )
    yield Stray(
        sa.select(t.accounts.c.id, e.seq)
        .join_from(t.entries, t.accounts, t.accounts.c.no == e.account_no)
        .where(_nothing(m.id == e.transfer_id)),
        "entry {1}",
        "Entry {1} of account {0} belongs to a transfer that is not there.",
    )
    yield Stray(
        sa.select(m.id).where(m.commit_key != "", _nothing(t.commits.c.key == m.commit_key)),
        "transfer {}",
        "Transfer {} belongs to a commit that is not there.",
    )
    yield Stray(
        sa.select(m.id, m.commit_key)
        .join_from(t.transfers, t.commits, t.commits.c.key == m.commit_key)
        .where(t.commits.c.refusal.is_not(None)),
        "transfer {}",
        "Transfer {} belongs to the commit {}, which says that it was refused.",
    )
    yield Stray(
        sa.select(h.id).where(_nothing(m.id == h.id)),
        "hold {}",
        "Hold {} was made by no transfer.",
    )
    yield Stray(
        sa.select(h.id).where(h.subject.like("order:%"), _nothing(t.orders.c.hold_id == h.id)),
        "hold {}",
        "Hold {} is about an order that is not there.",
    )
    yield from _strays_of_the_journal()
    yield from _strays_of_trade()
    yield from _transfers_without_their_row()


def _strays_of_the_journal() -> Iterator[Stray]:
    j, c = t.journal.c, t.chains.c
    yield Stray(
        sa.select(j.batch_no, j.chain_no)
        .where(_nothing(sa.and_(c.no == j.chain_no, c.length >= j.batch_no)))
        .order_by(j.chain_no, j.batch_no),
        "batch {}",
        "Batch {} of chain {} lies beyond the end that the chain states.",
    )
    ends_so = sa.and_(j.chain_no == c.no, j.batch_no == c.length, j.hash == c.head)
    yield Stray(
        sa.select(c.no, c.length).where(c.length > 0, _nothing(ends_so)),
        "chain {}",
        "Chain {} states {} batches and a head that is not that of its last batch.",
    )


def _strays_of_trade() -> Iterator[Stray]:
    o, w = t.orders.c, t.wallets.c
    # Nobody's are orders whose money waits for whoever proves the host.
    somebodys = o.merchant_id != NOBODY
    for name, there, wanted in (
        ("quote", t.quotes.c.id == o.quote_id, sa.true()),
        ("offer", t.offers.c.id == o.offer_id, sa.true()),
        ("merchant", t.merchants.c.id == o.merchant_id, somebodys),
        ("wallet", w.id == o.wallet_id, sa.true()),
    ):
        missing = f"Order {{}} ({{}}) names a {name} that is not there."
        query = sa.select(o.id, o.number).where(wanted, _nothing(there))
        yield Stray(query, "order {}", missing)
    yield from _strays_of_attempts()
    f = t.funding_requests.c
    yield Stray(
        sa.select(f.code).where(f.quote_id.is_not(None), _nothing(t.quotes.c.id == f.quote_id)),
        "top-up {}",
        "Top-up {} is for a quote that is not there.",
    )
    in_group = t.limit_groups.c.id == w.limit_group
    yield Stray(
        sa.select(w.id).where(w.limit_group.is_not(None), _nothing(in_group)),
        "wallet {}",
        "Wallet {} counts together with a group that is not there.",
    )


def _strays_of_attempts() -> Iterator[Stray]:
    """What keeps a further tap from paying once more: an attempt of each order, and whose it is."""
    o, a, w = t.orders.c, t.attempts.c, t.wallets.c
    yield Stray(
        sa.select(a.order_id).where(_nothing(o.id == a.order_id)),
        "attempt {}",
        "An attempt is about the order {}, which is not there.",
    )
    yield Stray(
        sa.select(a.order_id)
        .join_from(t.attempts, t.orders, o.id == a.order_id)
        .where(sa.or_(o.quote_id != a.quote_id, o.wallet_id != a.wallet_id)),
        "attempt {}",
        "The attempt of order {} names another quote or wallet than the order.",
    )
    # Not by the order alone, which no index finds.
    its_own = sa.and_(a.quote_id == o.quote_id, a.wallet_id == o.wallet_id, a.order_id == o.id)
    yield Stray(
        sa.select(o.id, o.number).where(_nothing(its_own)),
        "order {}",
        "Order {1} ({0}) has no attempt, so that a further tap would pay once more.",
    )
    yield Stray(
        _misnumbered_attempts(),
        "attempt {0} {1}",
        "The attempts on the quote {0} from the wallet {1} are not numbered one by one, each with "
        "an order of its own.",
    )
    own, theirs = person_groups.alias("own"), person_groups.alias("theirs")
    joined = sa.and_(
        *(own.c.person_id == w.person_id, theirs.c.person_id == a.person_id),
        own.c.group_id == theirs.c.group_id,
    )
    yield Stray(
        sa.select(a.order_id, a.person_id)
        .join_from(t.attempts, t.wallets, w.id == a.wallet_id)
        .where(a.person_id != w.person_id, _nothing(joined)),
        "attempt {}",
        "The attempt of order {} names {} as its payer, whose wallet it never was.",
    )


def _misnumbered_attempts() -> sa.Select[Any]:
    """Quotes and wallets with a gap in the numbers of their attempts, or two of one order.

    Wallets of people who were ever joined share their numbers, so that each of them has gaps.
    """
    a, w = t.attempts.c, t.wallets.c
    count = sa.func.count()
    doubled = sa.func.count(a.order_id.distinct()) < count
    odd = (
        sa.select(a.quote_id, a.wallet_id, doubled.label("doubled"))
        .group_by(a.quote_id, a.wallet_id)
        .having(sa.or_(doubled, sa.func.min(a.n) != 1, sa.func.max(a.n) != count))
        .subquery()
    )
    alone = sa.and_(w.limit_group.is_(None), _nothing(person_groups.c.person_id == w.person_id))
    return (
        sa.select(odd.c.quote_id, odd.c.wallet_id)
        .join_from(odd, t.wallets, w.id == odd.c.wallet_id)
        .where(sa.or_(odd.c.doubled, alone))
    )


def _transfers_without_their_row() -> Iterator[Stray]:
    """What moved as something that has a row of its own, which is not there."""
    m, h, f = t.transfers.c, t.holds.c, t.funding_requests.c
    s, c = trade.settlements.c, trade.conversions.c
    settled = sa.and_(
        s.order_id == _ref(m.subject, "settlement"),
        m.commit_key == settling_key(trade.settlements),
    )
    for kind, its_row in (
        ("settlement", settled),
        ("conversion", c.id == _ref(m.subject, "conversion")),
        ("topup", f.id == _ref(m.subject, "topup")),
    ):
        yield Stray(
            sa.select(m.id, m.subject).where(m.subject.like(f"{kind}:%"), _nothing(its_row)),
            "transfer {}",
            "Transfer {} is about {}, which is not there.",
        )
    asked = sa.and_(f.id == _ref(h.subject, "payout"), f.hold_id == h.id)
    yield Stray(
        sa.select(h.id).where(h.subject.like("payout:%"), _nothing(asked)),
        "hold {}",
        "Hold {} is about a payout that is not there.",
    )
    yield Stray(
        _moved_on(Purpose.PENDING).where(m.kind == "capture", _nothing(s.id == m.id)),
        "transfer {}",
        "Transfer {} puts money on {} without a settlement.",
    )
    yield Stray(
        _moved_on(Purpose.EXCHANGE).where(m.subject.not_like("conversion:%")),
        "transfer {}",
        "Transfer {} moves money on {} without a conversion.",
    )


def _moved_on(purpose: Purpose) -> sa.Select[Any]:
    """Transfers with an entry on an account of this purpose, and the account."""
    m, e, a = t.transfers.c, t.entries.c, t.accounts.c
    return (
        sa.select(m.id, a.id)
        .join_from(t.accounts, t.entries, e.account_no == a.no)
        .join(t.transfers, m.id == e.transfer_id)
        .where(a.purpose == purpose)
    )


def _ref(subject: sa.ColumnElement[str], kind: str) -> sa.ColumnElement[str]:
    """What a subject of this kind is about."""
    return sa.func.substr(subject, len(kind) + 2)


def _nothing(where: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return ~sa.exists().where(where)
