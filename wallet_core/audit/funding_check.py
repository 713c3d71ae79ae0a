"""Requests to bring money in or to pay it out, against the transfers and holds that did it."""

from collections.abc import Sequence

from wallet_core.audit.findings import BrokenBooks, amount_words
from wallet_core.audit.grouping import GroupCheck, legs_of
from wallet_core.audit.trade_rows import PayoutLine, TopUpLine
from wallet_core.ledger.accounts import AccountRef, Purpose, clearing
from wallet_core.ledger.transfers import EndingAction, HoldState, named

#: What the state of a request to pay money out says about its hold.
_HOLD_OF_PAYOUT: dict[str, str] = {
    "pending": HoldState.OPEN,
    "done": HoldState.CAPTURED,
    "declined": HoldState.VOIDED,
    "cancelled": HoldState.VOIDED,
    "expired": HoldState.EXPIRED,
}
_STATES_OF_TOP_UP = ("pending", "done", "declined")


class PayoutCheck:
    """Each payout has its hold, of its amount and in the state that its own says."""

    def see(self, row: PayoutLine) -> None:
        """Look at the next request."""
        if row.payer_account_id is None:
            raise _broken(row, "has no hold")
        if row.hold_state != _HOLD_OF_PAYOUT.get(row.state):
            raise _broken(row, f"is {row.state}, but its hold is {row.hold_state}")
        if row.state == "pending" and row.hold_ending != EndingAction.EXPIRE:
            raise _broken(row, f"goes out by nobody's word: its hold ends by {row.hold_ending}")
        owners = AccountRef(row.owner, Purpose.AVAILABLE, row.currency).id
        providers = clearing(row.provider, row.currency).id
        if (row.payer_account_id, row.payee_account_id) != (owners, providers):
            raise _broken(row, "and its hold name other people")
        captured_minor = row.amount_minor if row.state == "done" else 0
        if (row.hold_amount_minor, row.hold_captured_minor) != (row.amount_minor, captured_minor):
            raise _broken(row, "and its hold name other money")
        if row.hold_subject != f"payout:{row.id}":
            raise _broken(row, f"has a hold that is about {row.hold_subject!r}")

    def end(self) -> None:
        """Nothing is left to look at."""


class TopUpCheck(GroupCheck[TopUpLine]):
    """Each request to bring money in has its transfer once it is done, and none before.

    Wants all lines of a request together.
    """

    def _key(self, row: TopUpLine) -> str:
        return row.id

    def _check(self, group: Sequence[TopUpLine]) -> None:
        row = group[0]
        if row.kind != "topup" or row.state not in _STATES_OF_TOP_UP:
            raise _broken(row, f"is a {row.kind} that is {row.state}, which none can be")
        done = row.state == "done"
        legs = {
            clearing(row.provider, row.currency).id: -row.amount_minor,
            AccountRef(row.owner, Purpose.AVAILABLE, row.currency).id: row.amount_minor,
        }
        if legs_of(group) != ({named("topup", row.id): legs} if done else {}):
            moves = amount_words(row.amount_minor, row.currency) if done else "nothing"
            raise _broken(row, f"is {row.state} and moves {moves}, but its transfers do not")


def _broken(row: PayoutLine | TopUpLine, what: str) -> BrokenBooks:
    kind = "payout" if isinstance(row, PayoutLine) else "top-up"
    return BrokenBooks(f"{kind} {row.code}", f"{kind.capitalize()} {row.code} {what}.")
