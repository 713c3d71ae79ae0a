"""The one tree of errors.

    PayontapError
    ├── MoneyError            an amount, a currency or an account that cannot be
    ├── Refused               a commit that the rules do not allow; nothing was written
    ├── KeyConflict           the same key came again with other parameters
    ├── Unwritable            what no database of ours can hold; nothing was written
    ├── StorageUnavailable    the database did not answer; whether it wrote is unknown
    ├── LeaseUnavailable      no lease could be had; nothing was done   (wallet_core.locks)
    └── LeaseLost             the lease ended before its holder did     (wallet_core.locks)

A `Refused` is an answer, not a fault: it says by `code` which rule spoke, so that the
conversation can find words for it.
"""

from enum import StrEnum


class PayontapError(Exception):
    """The root: catching it catches everything that this project raises on purpose."""


class MoneyError(PayontapError):
    """An amount, a currency or an account that cannot be."""


class Refusal(StrEnum):
    """Why money did not move. The values are stored, so they never change their meaning."""

    NO_FUNDS = "no_funds"
    SOLD_OUT = "sold_out"
    STALE_FENCE = "stale_fence"
    WALLET_FROZEN = "wallet_frozen"
    NOT_OPEN = "not_open"
    UNKNOWN_HOLD = "unknown_hold"
    TAKEN = "taken"
    CHANGED = "changed"
    TOO_MUCH = "too_much"
    TOO_EARLY = "too_early"
    BUSY = "busy"
    QUOTE_EXPIRED = "quote_expired"
    UNKNOWN_QUOTE = "unknown_quote"
    NOT_ALLOWED = "not_allowed"
    WITHDRAW_ONLY = "withdraw_only"
    PAYMENT_LIMIT = "payment_limit"
    DAY_LIMIT = "day_limit"
    MONTH_LIMIT = "month_limit"
    PAYEE_LIMIT = "payee_limit"
    NEW_PAYEE = "new_payee"
    RATE_EXPIRED = "rate_expired"
    CONSENT_LIMIT = "consent_limit"
    UNVERIFIED = "unverified"
    PRICE_CHANGED = "price_changed"
    PRICE_UNREAD = "price_unread"
    NOT_FOR_SALE = "not_for_sale"
    CLAIMED = "claimed"


#: Refusals that have to do with how much a wallet may spend.
SPENDING_REFUSALS = frozenset(
    {
        Refusal.PAYMENT_LIMIT,
        Refusal.DAY_LIMIT,
        Refusal.MONTH_LIMIT,
        Refusal.PAYEE_LIMIT,
        Refusal.NEW_PAYEE,
    }
)


class Refused(PayontapError):
    """A commit that the rules do not allow. Nothing of it was written.

    `code` is the rule; `detail` is for logs, never for people.
    """

    def __init__(self, code: Refusal, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else str(code))
        self.code = code
        self.detail = detail


class KeyConflict(PayontapError):
    """The same key was used before with other parameters. Nothing was written."""


class Unwritable(PayontapError):
    """What the database cannot hold. Nothing was written, and asking again does not help."""


class StorageUnavailable(PayontapError):
    """The database did not answer; whether the commit was written is unknown until asked again."""
