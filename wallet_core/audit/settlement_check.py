"""Pending money of merchants: earned by a capture, settled by one transfer, and nothing else."""

from collections.abc import Sequence
from uuid import UUID

from wallet_core.audit.findings import BrokenBooks, amount_words
from wallet_core.audit.grouping import GroupCheck, legs_of
from wallet_core.audit.trade_rows import EarnedLine, SettlementLine
from wallet_core.ledger import accounts
from wallet_core.ledger.transfers import named

_STATES = ("pending", "done")


class SettlementCheck(GroupCheck[SettlementLine]):
    """Each settlement has its capture and, once it is done, its transfer with the right legs.

    Wants all lines of a settlement together.
    """

    def _key(self, row: SettlementLine) -> UUID:
        return row.id

    def _check(self, group: Sequence[SettlementLine]) -> None:
        row = group[0]
        if row.state not in _STATES:
            raise _broken(row, f"is {row.state}, which no settlement can be")
        if row.capture_kind != "capture" or row.capture_subject != f"order:{row.order_id}":
            raise _broken(row, f"is of no capture of order {row.order_id}")
        if not 0 <= row.amount_minor <= row.earned_minor or not row.earned_minor:
            says = amount_words(row.amount_minor, row.currency)
            earned = amount_words(row.earned_minor, row.currency)
            raise _broken(row, f"says {says}, but its capture made {earned} pending")
        # What refunds have taken all of is done without a transfer.
        settles = row.state == "done" and row.amount_minor > 0
        free = accounts.merchant(row.merchant_id, row.currency).id
        legs = {_pending(row): -row.amount_minor, free: row.amount_minor}
        if legs_of(group) != ({named("settle", row.id): legs} if settles else {}):
            moves = amount_words(row.amount_minor, row.currency) if settles else "nothing"
            raise _broken(row, f"is {row.state} and moves {moves}, but its transfers do not")


class EarnedCheck:
    """What captures and refunds of an order left on a pending account is what its settlements say.

    As every settling transfer is a settlement's, the account then has what is yet to be settled.
    """

    def see(self, row: EarnedLine) -> None:
        """Look at the next order or whatever else it is about."""
        if row.moved_minor != row.settlements_minor:
            say = amount_words(row.settlements_minor, row.currency)
            left = amount_words(row.moved_minor, row.currency)
            raise BrokenBooks(
                f"transfers {row.subject}",
                f"Settlements of {row.subject} say {say}, but its transfers left {left} on "
                f"{row.account_id}.",
            )

    def end(self) -> None:
        """Nothing is left to look at."""


def _pending(row: SettlementLine) -> str:
    return accounts.pending(row.merchant_id, row.currency).id


def _broken(row: SettlementLine, what: str) -> BrokenBooks:
    return BrokenBooks(f"settlement {row.id}", f"Settlement {row.id} {what}.")
