"""What an audit reads: the books joined row by row, from one snapshot, in pages.

The database sorts and joins, on disk where it has to; nothing here grows with the books.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from wallet_core.audit.rows import (
    AccountLine,
    HeldLine,
    MovementLine,
    OrderLine,
    PayoutLine,
    StrayLine,
)
from wallet_core.ledger.accounts import Purpose
from wallet_core.ledger.transfers import HoldState
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
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
                *(a.id, a.owner, a.purpose, a.currency, a.floor_minor, a.balance_minor, a.version),
                *(e.seq, e.amount_minor, e.balance_after_minor),
            )
            .join_from(t.accounts, t.entries, e.account_no == a.no, isouter=True)
            .order_by(a.id, e.seq)
        )
        return pages(self._connection, query, AccountLine)

    def movement_lines(self) -> AsyncGenerator[Sequence[MovementLine], None]:
        """Every transfer with its entries and its hold; see `BooksReader`."""
        m, e, h = t.transfers.c, t.entries.c, t.holds.c
        query = (
            sa.select(
                *(m.id, m.kind, m.hold_id, t.accounts.c.id, t.accounts.c.currency, e.amount_minor),
                *(h.payer_account_id, h.payee_account_id, h.amount_minor, h.currency, h.state),
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

    def order_lines(self) -> AsyncGenerator[Sequence[OrderLine], None]:
        """Every order; see `BooksReader`."""
        o, h = t.orders.c, t.holds.c
        captured, refunded = _captured(), _refunded()
        query = (
            sa.select(
                *(o.id, o.number, o.state, o.amount_minor, o.captured_minor, o.refunded_minor),
                *(o.currency, o.wallet_id, o.merchant_id),
                *(h.payer_account_id, h.payee_account_id, h.amount_minor, h.currency, h.state),
                *(h.subject, sa.func.coalesce(captured.c.moved_minor, 0)),
                sa.func.coalesce(refunded.c.moved_minor, 0),
            )
            .join_from(t.orders, t.holds, h.id == o.hold_id, isouter=True)
            .join(captured, captured.c.hold_id == o.hold_id, isouter=True)
            .join(refunded, refunded.c.subject == sa.literal("order:") + o.id, isouter=True)
            .order_by(o.id)
        )
        return pages(self._connection, query, OrderLine)

    def payout_lines(self) -> AsyncGenerator[Sequence[PayoutLine], None]:
        """Every request to pay money out; see `BooksReader`."""
        f, h = t.funding_requests.c, t.holds.c
        query = (
            sa.select(
                *(f.code, f.state, f.owner, f.amount_minor, f.currency),
                *(h.payer_account_id, h.amount_minor, h.state),
            )
            .join_from(t.funding_requests, t.holds, h.id == f.hold_id, isouter=True)
            .where(f.kind == "payout")
            .order_by(f.id)
        )
        return pages(self._connection, query, PayoutLine)

    async def stray_lines(self) -> AsyncGenerator[Sequence[StrayLine], None]:
        """Rows whose partner is missing; see `BooksReader`."""
        for kind, name, query, lacks in _strays():
            row = (await self._connection.execute(query.limit(1))).first()
            if row is not None:
                label = f"{kind} {' '.join(str(part) for part in row)}"
                yield [StrayLine(label, f"{name} {label.partition(' ')[2]} {lacks}.")]


def _captured() -> sa.Subquery:
    """Hold → what captures have taken off the account where it was held."""
    m, e = t.transfers.c, t.entries.c
    return (
        sa.select(m.hold_id, big_sum(-e.amount_minor).label("moved_minor"))
        .join_from(t.transfers, t.entries, e.transfer_id == m.id)
        .join(t.accounts, t.accounts.c.no == e.account_no)
        .where(m.kind == "capture", t.accounts.c.purpose == Purpose.HELD)
        .group_by(m.hold_id)
        .subquery()
    )


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


def _strays() -> list[tuple[str, str, sa.Select[tuple[object, ...]], str]]:
    """Kind, name, query and what its rows lack."""
    e, m, h = t.entries.c, t.transfers.c, t.holds.c
    return [
        (
            "entry",
            "Entry",
            sa.select(e.account_no, e.seq).where(
                ~sa.exists().where(t.accounts.c.no == e.account_no)
            ),
            "stands on an account that is not there",
        ),
        (
            "entry",
            "Entry",
            sa.select(e.account_no, e.seq).where(~sa.exists().where(m.id == e.transfer_id)),
            "belongs to a transfer that is not there",
        ),
        (
            "transfer",
            "Transfer",
            sa.select(m.id).where(
                m.commit_key != "", ~sa.exists().where(t.commits.c.key == m.commit_key)
            ),
            "belongs to a commit that is not there",
        ),
        (
            "hold",
            "Hold",
            sa.select(h.id).where(~sa.exists().where(m.id == h.id)),
            "was made by no transfer",
        ),
        (
            "hold",
            "Hold",
            sa.select(h.id).where(
                h.subject.like("order:%"), ~sa.exists().where(t.orders.c.hold_id == h.id)
            ),
            "is about an order that is not there",
        ),
    ]
