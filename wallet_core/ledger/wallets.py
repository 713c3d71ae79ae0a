"""What the books must know of wallets: whether they may pay, how much, and to whom lately.

Everything here is a working copy, like the books themselves: the storage loads what a batch of
commits touches, and the evaluation counts on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from wallet_core.errors import PayontapError, Refusal, Refused
from wallet_core.ledger.accounts import AccountRef, Purpose
from wallet_core.ledger.transfers import Authorise, Leg, Post, Transfer
from wallet_core.limits import (
    DAY_US,
    MONTH_US,
    Limits,
    LimitsOf,
    Spend,
    Spending,
    no_limits,
    spent_minor,
)

_SECOND_US = 1_000_000
_AVAILABLE = Purpose.AVAILABLE
#: Owners to whom money goes that is spent. What goes to a provider is a payout.
_SPENT_ON = ("merchant:", "wallet:", "escrow:")


class WalletMode(StrEnum):
    """What a wallet may do. Whatever its mode, it can be paid back to."""

    OPEN = "open"
    WITHDRAW_ONLY = "withdraw_only"
    FROZEN = "frozen"


class WalletState(msgspec.Struct, frozen=True):
    """A wallet as it stands.

    `fence` is that of its newest lease. `siblings` are the wallets that share its limits, itself
    included: those of one person, and those that once were; empty where it stands alone.
    """

    mode: WalletMode
    fence: int
    siblings: tuple[str, ...] = ()


class Payment(msgspec.Struct, frozen=True, gc=False):
    """Money that leaves a wallet; `payee` is the owner that most of it goes to."""

    wallet_id: str
    account_id: str
    currency: str
    payee: str
    amount_minor: int


class NeedsSpends(PayontapError):
    """Whether a payment keeps within its limits cannot be told from upper bounds alone."""

    def __init__(self, payment: Payment) -> None:
        super().__init__(payment.account_id)
        self.payment = payment


def payments_of(transfer: Transfer) -> Sequence[Payment]:
    """What a transfer takes from wallets."""
    if type(transfer) is Authorise:
        payer = transfer.payer
        if payer.wallet_id is None:
            return ()
        amount_minor = transfer.amount_minor
        payee = transfer.payee.owner
        return (Payment(payer.wallet_id, payer.id, payer.currency, payee, amount_minor),)
    if type(transfer) is Post:
        return _payments(transfer.legs)
    return ()


def _payments(legs: Sequence[Leg]) -> Sequence[Payment]:
    payments = []
    for leg in legs:
        amount_minor = leg.amount_minor
        if amount_minor < 0:
            payer = leg.account
            wallet_id = payer.wallet_id
            if wallet_id is not None and payer.purpose is _AVAILABLE:
                currency = payer.currency
                payee = _payee(legs, currency)
                payments.append(Payment(wallet_id, payer.id, currency, payee, -amount_minor))
    return payments if len(payments) < 2 else _by_account(payments)  # noqa: PLR2004 - nothing to join


def _by_account(payments: Sequence[Payment]) -> Sequence[Payment]:
    """What several legs take from one account is one payment, or else it could be split."""
    joined: dict[str, Payment] = {}
    for payment in payments:
        known = joined.get(payment.account_id)
        before_minor = 0 if known is None else known.amount_minor
        amount_minor = before_minor + payment.amount_minor
        joined[payment.account_id] = msgspec.structs.replace(payment, amount_minor=amount_minor)
    return list(joined.values())


def _payee(legs: Sequence[Leg], currency: str) -> str:
    most_minor, owner = 0, ""
    for leg in legs:
        amount_minor = leg.amount_minor
        if amount_minor > most_minor:
            account = leg.account
            if account.currency == currency:
                most_minor, owner = amount_minor, account.owner
    return owner


def _is_spending(payment: Payment, known: WalletState | None) -> bool:
    payee = payment.payee
    if payee.startswith("wallet:"):
        if known is not None and known.siblings:
            return payee[7:] not in known.siblings
        return payee[7:] != payment.wallet_id
    return payee.startswith(_SPENT_ON)


class SpendingAccount(Protocol):
    """What the rules see of an account."""

    def spending(self, now_us: int) -> Spending:
        """What was spent from it lately, as of now."""


@dataclass
class WalletRules:
    """Who may pay how much.

    `defaults` are the limits of every wallet, `limits` those of single ones (wallet, currency),
    which hold instead. `spends` are the single payments of accounts whose upper bound did not tell;
    `payees` says since when a wallet knows a payee, None for not at all; `new_payees` is what this
    batch adds.
    """

    defaults: LimitsOf = no_limits
    wallets: dict[str, WalletState] = field(default_factory=dict)
    limits: Mapping[tuple[str, str], Limits] = field(default_factory=dict)
    spends: dict[str, tuple[Spend, ...]] = field(default_factory=dict)
    payees: dict[tuple[str, str], int | None] = field(default_factory=dict)
    new_payees: dict[tuple[str, str], int] = field(default_factory=dict)

    def siblings_of(self, wallet_id: str) -> tuple[str, ...]:
        """The wallets that share its limits, itself included."""
        known = self.wallets.get(wallet_id)
        return (known.siblings if known is not None else ()) or (wallet_id,)

    def limits_of(self, wallet_id: str, currency: str) -> Limits:
        """What the wallet may spend: the strictest of what its siblings may."""
        return self._limits_of(wallet_id, currency, self.wallets.get(wallet_id))

    def _limits_of(self, wallet_id: str, currency: str, known: WalletState | None) -> Limits:
        if not self.limits and (known is None or not known.siblings):
            return self.defaults(currency)
        limits: Limits | None = None
        for sibling in self.siblings_of(wallet_id):
            own = self.limits.get((sibling, currency))
            own = self.defaults(currency) if own is None else own
            limits = own if limits is None else limits.stricter(own)
        return limits or self.defaults(currency)

    def is_spending(self, payment: Payment) -> bool:
        """Whether a payment counts against limits: not where the money stays its owner's."""
        return _is_spending(payment, self.wallets.get(payment.wallet_id))

    def check_fences(self, fences: Mapping[str, int]) -> None:
        """Raises `Refused` for a commit decided under a lease that is no longer the newest."""
        for wallet_id, fence in fences.items():
            known = self.wallets.get(wallet_id)
            if known is None or known.fence != fence:
                raise Refused(Refusal.STALE_FENCE, wallet_id)

    def check(self, payment: Payment, accounts: Mapping[str, SpendingAccount], now_us: int) -> bool:
        """Whether a payment counts as spending.

        Raises `Refused` where the wallet's mode or a limit forbids it, and `NeedsSpends`.
        """
        known = self.wallets.get(payment.wallet_id)
        if known is not None and known.mode is WalletMode.FROZEN:
            raise Refused(Refusal.WALLET_FROZEN, payment.wallet_id)
        if not _is_spending(payment, known):
            return False
        if known is not None and known.mode is WalletMode.WITHDRAW_ONLY:
            raise Refused(Refusal.WITHDRAW_ONLY, payment.wallet_id)
        limits = self._limits_of(payment.wallet_id, payment.currency, known)
        most_minor = limits.payment_max_minor
        if most_minor is not None and payment.amount_minor > most_minor:
            raise Refused(Refusal.PAYMENT_LIMIT, payment.account_id)
        if not self._surely_within(limits, payment, known, accounts, now_us):
            self._check_windows(limits, payment, now_us)
        return True

    def check_uncounted(self, payment: Payment, legs: Sequence[Leg]) -> None:
        """Raises `Refused` where `legs` give of what is no spending to somebody who is spent on.

        What is no spending is not counted, so it could be split until no limit held.
        """
        known = self.wallets.get(payment.wallet_id)
        if _is_spending(payment, known):
            return
        for leg in legs:
            account = leg.account
            if leg.amount_minor > 0 and account.currency == payment.currency:
                part = msgspec.structs.replace(payment, payee=account.owner)
                if _is_spending(part, known):
                    raise Refused(
                        Refusal.NOT_ALLOWED,
                        f"{payment.account_id} pays {account.owner} in what is no spending",
                    )

    def _surely_within(
        self,
        limits: Limits,
        payment: Payment,
        known: WalletState | None,
        accounts: Mapping[str, SpendingAccount],
        now_us: int,
    ) -> bool:
        """Whether the upper bounds alone show that no limit is broken."""
        if limits.watches_payees or (known is not None and known.siblings):
            return False
        account = accounts.get(payment.account_id)
        spending = Spending() if account is None else account.spending(now_us)
        if spending.day_no * DAY_US > now_us:
            # The clock was set back: blocks that were dropped while it was ahead may be lately.
            return False
        amount_minor = payment.amount_minor
        day_minor = spending.day_minor + spending.day_before_minor + amount_minor
        month_minor = spending.month_minor + spending.month_before_minor + amount_minor
        return (
            ((most_minor := limits.day_max_minor) is None or day_minor <= most_minor)
            and ((most_minor := limits.payee_day_max_minor) is None or day_minor <= most_minor)
            and ((most_minor := limits.month_max_minor) is None or month_minor <= most_minor)
        )

    def _check_windows(self, limits: Limits, payment: Payment, now_us: int) -> None:
        """The same from single payments, of all wallets that count together."""
        spends: list[Spend] = []
        for account_id in self.accounts_together(payment):
            known = self.spends.get(account_id)
            if known is None:
                raise NeedsSpends(payment)
            spends += known
        amount_minor = payment.amount_minor

        def breaks(most_minor: int | None, window_us: int, payee: str | None = None) -> bool:
            return (
                most_minor is not None
                and spent_minor(spends, now_us - window_us, payee) + amount_minor > most_minor
            )

        if breaks(limits.day_max_minor, DAY_US):
            raise Refused(Refusal.DAY_LIMIT, payment.account_id)
        if breaks(limits.month_max_minor, MONTH_US):
            raise Refused(Refusal.MONTH_LIMIT, payment.account_id)
        if breaks(limits.payee_day_max_minor, DAY_US, payment.payee):
            raise Refused(Refusal.PAYEE_LIMIT, payment.payee)
        if limits.watches_payees:
            delay_us = min(limits.new_payee_delay_s * _SECOND_US, MONTH_US)
            if self._known_since(payment, now_us) + delay_us > now_us and breaks(
                limits.new_payee_max_minor, delay_us, payment.payee
            ):
                raise Refused(Refusal.NEW_PAYEE, payment.payee)

    def _known_since(self, payment: Payment, now_us: int) -> int:
        """Since when the payee is known: since the first payment that no other rule refused."""
        pairs = [(sibling, payment.payee) for sibling in self.siblings_of(payment.wallet_id)]
        if any(pair not in self.payees for pair in pairs):
            raise NeedsSpends(payment)
        since = [at_us for pair in pairs if (at_us := self.payees[pair]) is not None]
        if since:
            return min(since)
        own = (payment.wallet_id, payment.payee)
        self.payees[own] = self.new_payees[own] = now_us
        return now_us

    def note(self, payment: Payment, transfer_id: UUID, now_us: int) -> None:
        """Count a payment that was evaluated, where single payments are counted."""
        spends = self.spends.get(payment.account_id)
        if spends is not None:
            spend = Spend(transfer_id, now_us, payment.amount_minor, payment.payee)
            self.spends[payment.account_id] = (*spends, spend)

    def give_back(self, account_id: str, hold_id: UUID) -> None:
        """A payment's hold has ended without money: it was no spending."""
        spends = self.spends.get(account_id)
        if spends is not None:
            self.spends[account_id] = tuple(s for s in spends if s.transfer_id != hold_id)

    def accounts_together(self, payment: Payment) -> Sequence[str]:
        """The accounts whose payments count together with this one."""
        siblings = self.siblings_of(payment.wallet_id)
        if len(siblings) == 1:
            return (payment.account_id,)
        return [
            AccountRef(f"wallet:{sibling}", Purpose.AVAILABLE, payment.currency).id
            for sibling in siblings
        ]
