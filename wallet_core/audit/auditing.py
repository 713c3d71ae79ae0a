"""The audit as a whole: which rows go through which check, in which order.

Rows come in pages, so that memory does not grow with the books, and all of them from one
snapshot, so that a running instance is audited as it stood at one moment.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol, TypeVar

import msgspec

from wallet_core.audit.account_check import AccountCheck
from wallet_core.audit.conversion_check import ConversionCheck
from wallet_core.audit.findings import Check, Reckoning
from wallet_core.audit.funding_check import PayoutCheck, TopUpCheck
from wallet_core.audit.journal_check import JournalCheck
from wallet_core.audit.order_check import OrderCheck, StrayCheck
from wallet_core.audit.published_check import (
    LeafCheck,
    LeafLine,
    NodeLine,
    StatementCheck,
    StatementLine,
    TreeCheck,
)
from wallet_core.audit.rows import (
    AccountLine,
    HeldLine,
    JournalLine,
    MovementLine,
    OrderLine,
    SpendingLine,
    StrayLine,
)
from wallet_core.audit.settlement_check import EarnedCheck, SettlementCheck
from wallet_core.audit.spending_check import SpendingCheck
from wallet_core.audit.taken_check import ConsentedCheck, TakenCheck
from wallet_core.audit.trade_rows import (
    ConsentedLine,
    ConversionLine,
    EarnedLine,
    PayoutLine,
    SettlementLine,
    TakenLine,
    TopUpLine,
)
from wallet_core.audit.transfer_check import HeldCheck, TransferCheck

T = TypeVar("T", bound=msgspec.Struct)
Pages = AsyncGenerator[Sequence[T], None]


class TradeReader(Protocol):
    """What says that money moved for something, at the same moment."""

    def payout_lines(self) -> Pages[PayoutLine]:
        """Every request to pay money out."""

    def top_up_lines(self) -> Pages[TopUpLine]:
        """Every other request, all lines of one together."""

    def settlement_lines(self) -> Pages[SettlementLine]:
        """Every settlement with what settled it, all lines of one together."""

    def earned_lines(self) -> Pages[EarnedLine]:
        """What orders and whatever else it was about have left on pending accounts."""

    def conversion_lines(self) -> Pages[ConversionLine]:
        """Every conversion with its transfer, all lines of one together."""

    def taken_lines(self) -> Pages[TakenLine]:
        """Every order of which something was taken, all lines of one together."""

    def consented_lines(self) -> Pages[ConsentedLine]:
        """Every payment by consent, by what it is counted with and its number."""


class PublishedReader(Protocol):
    """What was published of the books."""

    def statement_lines(self) -> Pages[StatementLine]:
        """Every statement of liabilities."""

    def leaf_lines(self) -> Pages[LeafLine]:
        """The leaves of every tree that is kept, by tree and position."""

    def node_lines(self) -> Pages[NodeLine]:
        """The nodes of every tree that is kept, by tree, level and position."""


class BooksReader(TradeReader, PublishedReader, Protocol):
    """The books at one moment, row by row."""

    def account_lines(self) -> Pages[AccountLine]:
        """Every account with its entries, all of an account together and by their number."""

    def movement_lines(self) -> Pages[MovementLine]:
        """Every transfer with its entries and its hold, all of a hold together."""

    def held_lines(self) -> Pages[HeldLine]:
        """Every account for held money."""

    def spending_lines(self) -> Pages[SpendingLine]:
        """Every account that something was spent from in the last 30 days."""

    def journal_lines(self) -> Pages[JournalLine]:
        """Every transfer with its entries, by chain, batch and place."""

    def order_lines(self) -> Pages[OrderLine]:
        """Every order."""

    def stray_lines(self) -> Pages[StrayLine]:
        """Rows whose partner is missing, at most one of each kind."""


class Audited(msgspec.Struct, frozen=True):
    """What was looked at and found right."""

    account_count: int
    entry_count: int
    transfer_count: int
    order_count: int
    chain_count: int
    batch_count: int


async def audit(books: BooksReader) -> Audited:
    """Check everything that the books say about themselves.

    Raises `BrokenBooks`, which names the first row that is wrong.
    """
    accounts, transfers = AccountCheck(), TransferCheck()
    orders, journal = OrderCheck(), JournalCheck()
    await _run(books.stray_lines(), StrayCheck())
    await _run(books.account_lines(), accounts)
    await _run(books.movement_lines(), transfers)
    await _run(books.held_lines(), HeldCheck())
    await _run(books.order_lines(), orders)
    await _audit_trade(books)
    await _run(books.spending_lines(), SpendingCheck())
    await _audit_published(books)
    # Last: what only the hashes tell is what nothing else has found.
    await _run(books.journal_lines(), journal)
    return Audited(
        account_count=accounts.account_count,
        entry_count=accounts.entry_count,
        transfer_count=transfers.transfer_count,
        order_count=orders.order_count,
        chain_count=journal.chain_count,
        batch_count=journal.batch_count,
    )


async def _audit_trade(books: TradeReader) -> None:
    await _run(books.taken_lines(), TakenCheck())
    await _run(books.consented_lines(), ConsentedCheck())
    await _run(books.payout_lines(), PayoutCheck())
    await _run(books.top_up_lines(), TopUpCheck())
    await _run(books.settlement_lines(), SettlementCheck())
    await _run(books.earned_lines(), EarnedCheck())
    await _run(books.conversion_lines(), ConversionCheck())


async def _audit_published(books: PublishedReader) -> None:
    statements = StatementCheck()
    await _run(books.statement_lines(), statements)
    await _run(books.leaf_lines(), LeafCheck(statements))
    await _run(books.node_lines(), TreeCheck(statements))


async def _run(pages: Pages[T], check: Check[T]) -> None:
    # What was begun to be read is let go of at once where a check ends it early.
    async with aclosing(pages):
        async for page in pages:
            for row in page:
                with Reckoning(row):
                    check.see(row)
    check.end()
