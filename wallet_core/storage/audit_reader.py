"""What an audit reads: the books joined row by row, from one snapshot, in pages.

The database sorts and joins, on disk where it has to; nothing here grows with the books.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from wallet_core.audit.findings import unreadable_rows
from wallet_core.audit.published_check import LeafLine, NodeLine, StatementLine
from wallet_core.audit.rows import (
    AccountLine,
    HeldLine,
    JournalLine,
    MovementLine,
    OrderLine,
    SpendingLine,
    StrayLine,
)
from wallet_core.audit.trade_rows import (
    ConsentedLine,
    ConversionLine,
    EarnedLine,
    PayoutLine,
    SettlementLine,
    TakenLine,
    TopUpLine,
)
from wallet_core.ledger.accounts import Purpose
from wallet_core.ledger.transfers import HoldState
from wallet_core.limits import DAY_US, MONTH_US
from wallet_core.storage import audit_published as published
from wallet_core.storage import audit_trade as trade
from wallet_core.storage import tables as t
from wallet_core.storage.audit_strays import strays
from wallet_core.storage.database import Database
from wallet_core.storage.entry_paths import of_transfer
from wallet_core.storage.snapshots import big_sum, pages, snapshot


@asynccontextmanager
async def books_of(database: Database) -> AsyncIterator["AuditReader"]:
    """The books as they stand at this moment, for as long as the block lasts."""
    async with snapshot(database) as connection:
        yield AuditReader(connection)


class AuditReader:
    """`BooksReader` on one snapshot of a database."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def account_lines(self) -> AsyncGenerator[Sequence[AccountLine], None]:
        """Every account with its entries; see `BooksReader`."""
        a, e = t.accounts.c, t.entries.c
        query = (
            sa.select(
                *(a.id, a.owner, a.purpose, a.currency, a.wallet_id, a.floor_minor),
                *(a.balance_minor, a.version, a.newest_entry_no),
                *(e.no, e.seq, e.before_no, e.amount_minor, e.balance_after_minor),
            )
            .join_from(t.accounts, t.entries, e.account_no == a.no, isouter=True)
            .order_by(a.no, e.seq)
        )
        return pages(self._connection, query, AccountLine)

    def movement_lines(self) -> AsyncGenerator[Sequence[MovementLine], None]:
        """Every transfer with its entries and its hold; see `BooksReader`."""
        m, e, h = t.transfers.c, t.entries.c, t.holds.c
        query = (
            sa.select(
                *(m.id, m.kind, m.hold_id, m.payee),
                *(t.accounts.c.id, t.accounts.c.currency, e.amount_minor),
                *(h.payer_account_id, h.payee_account_id),
                *(h.amount_minor, h.captured_minor, h.currency, h.state),
            )
            .join_from(t.transfers, t.entries, e.transfer_id == m.id, isouter=True)
            .join(t.accounts, t.accounts.c.no == e.account_no, isouter=True)
            .join(t.holds, h.id == m.hold_id, isouter=True)
            .order_by(m.hold_id, m.id)
        )
        return pages(self._connection, query, MovementLine)

    def held_lines(self) -> AsyncGenerator[Sequence[HeldLine], None]:
        """Every account for held money; see `BooksReader`."""
        a, e = t.accounts.c, t.entries.c
        held = (
            sa.select(e.account_no, big_sum(e.amount_minor).label("open_minor"))
            .join(t.transfers, t.transfers.c.id == e.transfer_id)
            .join(t.holds, t.holds.c.id == t.transfers.c.hold_id)
            .where(t.holds.c.state == HoldState.OPEN)
            .group_by(e.account_no)
            .subquery()
        )
        query = (
            sa.select(a.id, a.currency, a.balance_minor, sa.func.coalesce(held.c.open_minor, 0))
            .join_from(t.accounts, held, held.c.account_no == a.no, isouter=True)
            .where(a.purpose == Purpose.HELD)
            .order_by(a.id)
        )
        return pages(self._connection, query, HeldLine)

    async def spending_lines(self) -> AsyncGenerator[Sequence[SpendingLine], None]:
        """What was spent lately; see `BooksReader`. The newest transfer says what is lately."""
        newest = sa.select(sa.func.max(t.transfers.c.created_at_us))
        now_us = (await self._connection.execute(newest)).scalar() or 0
        if not isinstance(now_us, int):
            raise unreadable_rows("transfer", TypeError(f"the time {now_us!r} is none"))
        async for page in pages(self._connection, _spending(now_us), SpendingLine):
            yield page

    def journal_lines(self) -> AsyncGenerator[Sequence[JournalLine], None]:
        """Every transfer in its place; see `BooksReader`."""
        m, e, j, c = t.transfers.c, t.entries.c, t.journal.c, t.chains.c
        query = (
            sa.select(
                *(m.chain_no, m.batch_no, m.place, m.id, m.kind, m.hold_id, m.fingerprint),
                *(m.subject, m.payee, m.commit_key, m.created_at_us, m.leaf),
                *(t.accounts.c.id, e.no, e.seq, e.amount_minor, e.balance_after_minor),
                *(j.transfer_count, j.hash, j.at_us, c.length, c.head),
            )
            .join_from(t.transfers, t.entries, e.transfer_id == m.id, isouter=True)
            .join(t.accounts, t.accounts.c.no == e.account_no, isouter=True)
            .join(
                t.journal,
                sa.and_(j.chain_no == m.chain_no, j.batch_no == m.batch_no),
                isouter=True,
            )
            .join(t.chains, c.no == m.chain_no, isouter=True)
            .order_by(m.chain_no, m.batch_no, m.place, m.id)
        )
        return pages(self._connection, query, JournalLine)

    def order_lines(self) -> AsyncGenerator[Sequence[OrderLine], None]:
        """Every order; see `BooksReader`."""
        o, h, q = t.orders.c, t.holds.c, t.quotes.c
        refunded = _refunded()
        query = (
            sa.select(
                *(o.id, o.number, o.state, o.amount_minor, o.captured_minor, o.refunded_minor),
                *(o.currency, o.wallet_id, o.merchant_id, o.accepted),
                *(h.payer_account_id, h.payee_account_id, h.amount_minor, h.captured_minor),
                *(h.currency, h.state, h.ending, h.subject, t.offers.c.host),
                *(sa.func.coalesce(refunded.c.moved_minor, 0), q.amount_minor, q.currency),
                *(o.offer_id, q.offer_id, q.merchant_id),
            )
            .join_from(t.orders, t.holds, h.id == o.hold_id, isouter=True)
            .join(t.offers, t.offers.c.id == o.offer_id, isouter=True)
            .join(t.quotes, q.id == o.quote_id, isouter=True)
            .join(refunded, refunded.c.subject == sa.literal("order:") + o.id, isouter=True)
            .order_by(o.id)
        )
        return pages(self._connection, query, OrderLine)

    def payout_lines(self) -> AsyncGenerator[Sequence[PayoutLine], None]:
        """Every request to pay money out; see `BooksReader`."""
        return pages(self._connection, trade.payouts(), PayoutLine)

    def top_up_lines(self) -> AsyncGenerator[Sequence[TopUpLine], None]:
        """Every other request; see `BooksReader`."""
        return pages(self._connection, trade.top_ups(), TopUpLine)

    def settlement_lines(self) -> AsyncGenerator[Sequence[SettlementLine], None]:
        """Every settlement; see `BooksReader`."""
        return pages(self._connection, trade.settlements(), SettlementLine)

    def earned_lines(self) -> AsyncGenerator[Sequence[EarnedLine], None]:
        """What came to pending accounts; see `BooksReader`."""
        return pages(self._connection, trade.earned(), EarnedLine)

    def conversion_lines(self) -> AsyncGenerator[Sequence[ConversionLine], None]:
        """Every conversion; see `BooksReader`."""
        return pages(self._connection, trade.conversions(), ConversionLine)

    def taken_lines(self) -> AsyncGenerator[Sequence[TakenLine], None]:
        """Every order of which something was taken; see `BooksReader`."""
        return pages(self._connection, trade.taken(), TakenLine)

    def consented_lines(self) -> AsyncGenerator[Sequence[ConsentedLine], None]:
        """Every payment by consent; see `BooksReader`."""
        return pages(self._connection, trade.consented(), ConsentedLine)

    def statement_lines(self) -> AsyncGenerator[Sequence[StatementLine], None]:
        """Every statement of liabilities; see `BooksReader`."""
        return pages(self._connection, published.statements(), StatementLine)

    def leaf_lines(self) -> AsyncGenerator[Sequence[LeafLine], None]:
        """The leaves of the trees that are kept; see `BooksReader`."""
        return pages(self._connection, published.leaves(), LeafLine)

    def node_lines(self) -> AsyncGenerator[Sequence[NodeLine], None]:
        """The nodes of the trees that are kept; see `BooksReader`."""
        return pages(self._connection, published.nodes(), NodeLine)

    async def chain_at(self, chain_no: int, batch_no: int) -> tuple[int, str] | None:
        """A chain's length, and the hash of one of its batches; see `ChainReader`."""
        c, j = t.chains.c, t.journal.c
        query = (
            sa.select(c.length, j.hash)
            .join_from(
                t.chains,
                t.journal,
                sa.and_(j.chain_no == c.no, j.batch_no == batch_no),
                isouter=True,
            )
            .where(c.no == chain_no)
        )
        row = (await self._connection.execute(query)).first()
        return None if row is None else (row.length, bytes(row.hash or b"").hex())

    async def stray_lines(self) -> AsyncGenerator[Sequence[StrayLine], None]:
        """Rows whose partner is missing; see `BooksReader`."""
        for stray in strays():
            try:
                row = (await self._connection.execute(stray.query.limit(1))).first()
            except (ValueError, TypeError) as error:
                raise unreadable_rows(stray.row.partition(" ")[0], error) from error
            if row is not None:
                yield [StrayLine(stray.row.format(*row), stray.sentence.format(*row))]


def _refunded() -> sa.Subquery:
    """Subject of an order → what transfers about it have put back into wallets."""
    m, e = t.transfers.c, t.entries.c
    return (
        sa.select(m.subject, big_sum(e.amount_minor).label("moved_minor"))
        .join_from(t.transfers, t.entries, e.transfer_id == m.id)
        .join(t.accounts, t.accounts.c.no == e.account_no)
        .where(
            m.kind == "post",
            m.subject.like("order:%"),
            t.accounts.c.owner.like("wallet:%"),
        )
        .group_by(m.subject)
        .subquery()
    )


def _spending(now_us: int) -> sa.Select[Any]:
    """What went from wallets to others in the last 30 days, for each account.

    Left out is what is no spending (a payout, money between wallets that count together), and what
    left by a transfer that several wallets paid for: whom each of them paid is not written down.
    """
    m, e, a = t.transfers.c, t.entries.c, t.accounts.c
    own, others = t.wallets.alias("own"), t.wallets.alias("others")
    more, theirs = t.entries.alias("more"), t.accounts.alias("theirs")
    paid_by_more = (
        sa.exists()
        .where(of_transfer(m, more.c), more.c.amount_minor < 0)
        .where(
            theirs.c.no == more.c.account_no, theirs.c.wallet_id.is_not(None), theirs.c.no != a.no
        )
    )
    since_a_day = sa.case((m.created_at_us > now_us - DAY_US, -e.amount_minor), else_=0)
    return (
        sa.select(
            *(a.id, a.currency, a.spending, sa.literal(now_us)),
            *(big_sum(since_a_day), big_sum(-e.amount_minor)),
        )
        .join_from(t.transfers, t.entries, e.transfer_id == m.id)
        .join(t.accounts, a.no == e.account_no)
        .join(own, own.c.id == a.wallet_id, isouter=True)
        .join(others, m.payee == sa.literal("wallet:") + others.c.id, isouter=True)
        .where(
            *(m.created_at_us > now_us - MONTH_US, m.kind.in_(("authorise", "post"))),
            *(e.amount_minor < 0, a.wallet_id.is_not(None), m.payee != a.owner),
            sa.or_(*(m.payee.like(f"{kind}:%") for kind in ("merchant", "wallet", "escrow"))),
            sa.func.coalesce(own.c.limit_group, "own")
            != sa.func.coalesce(others.c.limit_group, ""),
            ~paid_by_more,
        )
        .group_by(a.no, a.id, a.currency, a.spending)
        .order_by(a.no)
    )
