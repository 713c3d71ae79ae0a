"""Orders against the quotes that they were made from, and the holds that carry them."""

from wallet_core.audit.findings import BrokenBooks, amount_words
from wallet_core.audit.rows import OrderLine, StrayLine
from wallet_core.commerce.records import NOBODY, OrderState
from wallet_core.ledger import accounts
from wallet_core.ledger.transfers import EndingAction, HoldState

#: What the state of an order says about its hold.
_HOLD_OF_ORDER: dict[str, str] = {
    OrderState.AUTHORISED: HoldState.OPEN,
    OrderState.PAID: HoldState.CAPTURED,
    OrderState.REFUNDED: HoldState.CAPTURED,
    OrderState.UNDONE: HoldState.VOIDED,
    OrderState.DECLINED: HoldState.VOIDED,
    OrderState.EXPIRED: HoldState.EXPIRED,
}
#: Whoever was paid in part stays paid, however the rest of the hold ended.
_ENDED = (HoldState.CAPTURED, HoldState.VOIDED, HoldState.EXPIRED)
_PAID = (OrderState.PAID, OrderState.REFUNDED)


class OrderCheck:
    """Each order has its hold; captured and refunded are what the transfers say."""

    def __init__(self) -> None:
        self.order_count = 0

    def see(self, row: OrderLine) -> None:
        """Look at the next order."""
        self.order_count += 1
        _check_hold(row)
        _check_quote(row)
        moved_minor = row.hold_captured_minor or 0
        if row.captured_minor != moved_minor:
            raise _difference(row, "captured", row.captured_minor, moved_minor)
        if row.refunded_minor != row.moved_refunded_minor:
            raise _difference(row, "refunded", row.refunded_minor, row.moved_refunded_minor)
        if row.refunded_minor > row.captured_minor:
            refunded = amount_words(row.refunded_minor, row.currency)
            captured = amount_words(row.captured_minor, row.currency)
            raise _broken(row, f"has {refunded} refunded of {captured} captured")
        if row.merchant_id == NOBODY and row.captured_minor:
            raise _broken(row, "was captured, and its host is nobody's")
        whole = row.captured_minor > 0 and row.refunded_minor == row.captured_minor
        if whole != (row.state == OrderState.REFUNDED):
            raise _broken(row, f"is {row.state}, which its refunds contradict")

    def end(self) -> None:
        """Nothing is left to look at."""


class StrayCheck:
    """There is no row without its partner: the first one that comes is the finding."""

    def see(self, row: StrayLine) -> None:
        """Raises `BrokenBooks`."""
        raise BrokenBooks(row.row, row.sentence)

    def end(self) -> None:
        """Nothing is left to look at."""


def _check_quote(row: OrderLine) -> None:
    if (row.price_minor, row.price_currency) != (row.amount_minor, row.currency):
        price = amount_words(row.amount_minor, row.currency)
        quoted = amount_words(row.price_minor or 0, row.price_currency or "")
        raise _broken(row, f"costs {price}, but its quote was of {quoted}")
    if row.quote_offer_id != row.offer_id:
        raise _broken(
            row, f"is of the offer {row.offer_id}, but its quote was of {row.quote_offer_id}"
        )
    if row.quote_merchant_id is not None and row.quote_merchant_id != row.merchant_id:
        raise _broken(
            row, f"is with {row.merchant_id}, but its quote was from {row.quote_merchant_id}"
        )
    # A quote that names nobody is one on a host that nobody had proven, whoever did so since.
    if row.quote_merchant_id is None and not _is_escrow(row.payee_account_id, row.currency):
        raise _broken(row, "is with somebody, but its quote was from nobody")


def _check_hold(row: OrderLine) -> None:
    if row.hold_state is None:
        raise _broken(row, "has no hold")
    paid_in_part = row.state in _PAID and bool(row.hold_captured_minor)
    if row.hold_state != _HOLD_OF_ORDER.get(row.state) and not (
        paid_in_part and row.hold_state in _ENDED
    ):
        raise _broken(row, f"is {row.state}, but its hold is {row.hold_state}")
    if (row.hold_amount_minor, row.hold_currency) != (row.amount_minor, row.currency):
        price = amount_words(row.amount_minor, row.currency)
        held = amount_words(row.hold_amount_minor or 0, row.hold_currency or "")
        raise _broken(row, f"costs {price}, but its hold is of {held}")
    payer = accounts.wallet(row.wallet_id, row.currency).id
    payees = (
        accounts.merchant(row.merchant_id, row.currency).id,
        accounts.pending(row.merchant_id, row.currency).id,
    )
    # An order may have begun as money that was held for whoever proves the host.
    escrowed = _is_escrow(row.payee_account_id, row.currency)
    if row.payer_account_id != payer or not (escrowed or row.payee_account_id in payees):
        raise _broken(row, "and its hold name other people")
    # What has ended can be captured no more.
    if row.hold_state == HoldState.OPEN and row.hold_ending != _ending(row):
        raise _broken(row, f"ends by {_ending(row)}, but its hold by {row.hold_ending}")
    if row.hold_subject != f"order:{row.id}":
        raise _broken(row, f"has a hold that is about {row.hold_subject!r}")


def _ending(row: OrderLine) -> EndingAction:
    """What becomes of the money by itself: captured only for a merchant who took the order."""
    accepted = row.accepted and row.merchant_id != NOBODY
    return EndingAction.CAPTURE if accepted else EndingAction.EXPIRE


def _is_escrow(account_id: str | None, currency: str) -> bool:
    if account_id is None:
        return False
    ref = accounts.AccountRef.of_id(account_id)
    return (ref.kind, ref.purpose, ref.currency) == ("escrow", accounts.Purpose.ESCROW, currency)


def _difference(row: OrderLine, word: str, says_minor: int, moved_minor: int) -> BrokenBooks:
    says = amount_words(says_minor, row.currency)
    moved = amount_words(moved_minor, row.currency)
    return _broken(row, f"says {says} {word}, but its transfers moved {moved}")


def _broken(row: OrderLine, what: str) -> BrokenBooks:
    return BrokenBooks(f"order {row.id}", f"Order {row.number} ({row.id}) {what}.")
