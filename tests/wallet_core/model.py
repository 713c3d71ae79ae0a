"""What the books ought to do, written from the rules and as plainly as they are.

One dictionary of balances, one of holds, one list of payments; no batches, no blocks of spending,
no rows. Where a rule forbids a commit the model gives *every* rule that does, and the writer may
name any of them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import msgspec

from wallet_core.errors import Refusal
from wallet_core.ledger.accounts import AccountRef, Purpose
from wallet_core.ledger.commits import Commit, Insert, RowChange, Update
from wallet_core.ledger.transfers import Authorise, Capture, Leg, Post, Transfer, Void
from wallet_core.ledger.wallets import WalletMode
from wallet_core.limits import DAY_US, MONTH_US, Limits

NEW, KNOWN, CONFLICT = "new", "known", "conflict"
Answer = str | frozenset[Refusal]
#: Who set them (`admin`, `self`) → currency → limits.
SetLimits = dict[str, dict[str, Limits]]
#: Where a payment to such an owner counts as spending.
SPENT_ON = ("merchant", "wallet", "escrow")


@dataclass(frozen=True)
class ModelHold:
    """Money that waits: whose, for whom, how much, and how much of it was captured."""

    payer: AccountRef
    payee: AccountRef
    amount_minor: int
    captured_minor: int = 0
    state: str = "open"

    @property
    def left_minor(self) -> int:
        return self.amount_minor - self.captured_minor if self.state == "open" else 0


@dataclass(frozen=True)
class Payment:
    """Money that left a wallet for somebody else."""

    transfer_id: UUID
    wallet_id: str
    currency: str
    payee: str
    amount_minor: int
    at_us: int


@dataclass
class Model:
    """`people` is wallet → whose it is; wallets of one person count together."""

    people: Mapping[str, str]
    now_us: int = 0
    balances: Counter[AccountRef] = field(default_factory=Counter)
    holds: dict[UUID, ModelHold] = field(default_factory=dict)
    keys: dict[str, Commit] = field(default_factory=dict)
    transfers: dict[UUID, Transfer] = field(default_factory=dict)
    payments: tuple[Payment, ...] = ()
    modes: dict[str, WalletMode] = field(default_factory=dict)
    limits: dict[str, SetLimits] = field(default_factory=dict)
    fences: Counter[str] = field(default_factory=Counter)
    contacts: dict[tuple[str, str], int] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)

    def copy(self) -> "Model":
        return replace(
            self,
            balances=Counter(self.balances),
            holds=dict(self.holds),
            keys=dict(self.keys),
            transfers=dict(self.transfers),
            modes=dict(self.modes),
            limits=dict(self.limits),
            fences=Counter(self.fences),
            contacts=dict(self.contacts),
            orders={name: dict(row) for name, row in self.orders.items()},
        )

    def submit(self, commit: Commit) -> Answer:
        """What the writer must answer; the model changes where the answer is `NEW`."""
        after = self.copy()
        answer = after._evaluate(commit)
        # Whom a wallet tried to pay it knows from then on, whatever came of it.
        self.contacts = after.contacts
        if answer == NEW:
            self.__dict__.update(after.__dict__)
        return answer

    def _evaluate(self, commit: Commit) -> Answer:
        if commit.key in self.keys:
            return KNOWN if _same(self.keys[commit.key], commit) else CONFLICT
        if not commit.key and all(x.id in self.transfers for x in commit.transfers):
            same = all(self.transfers[x.id] == x for x in commit.transfers)
            return KNOWN if same else CONFLICT
        if any(self.fences[wallet_id] != fence for wallet_id, fence in commit.fences.items()):
            return frozenset({Refusal.STALE_FENCE})
        for transfer in commit.transfers:
            known = self.transfers.get(transfer.id)
            if known is not None and known != transfer:
                return CONFLICT
            if known is None:
                refusals = self._move(transfer)
                if refusals:
                    return refusals
                self.transfers[transfer.id] = transfer
        refused = next((row for row in commit.rows if not self._change(row)), None)
        if refused is not None:
            return frozenset({refused.refusal})
        if commit.key:
            self.keys[commit.key] = commit
        return NEW

    # --- transfers ------------------------------------------------------------------------------

    def _move(self, transfer: Transfer) -> frozenset[Refusal]:
        match transfer:
            case Post():
                return self._post(transfer)
            case Authorise():
                return self._authorise(transfer)
            case Capture():
                return self._capture(transfer)
            case Void():
                return self._void(transfer)

    def _post(self, post: Post) -> frozenset[Refusal]:
        refusals: set[Refusal] = set()
        most = max(post.legs, key=lambda leg: leg.amount_minor)
        taken: Counter[AccountRef] = Counter()
        for leg in post.legs:
            if leg.amount_minor < 0 and leg.account.wallet_id and is_available(leg.account):
                taken[leg.account] -= leg.amount_minor
        for payer, amount_minor in taken.items():
            payment = self._payment(post.id, payer, most.account, amount_minor)
            refusals |= self._forbidden(payment)
            if not self._counts(payment) and any(
                self._counts(self._payment(post.id, payer, leg.account, leg.amount_minor))
                for leg in post.legs
                if leg.amount_minor > 0
            ):
                refusals.add(Refusal.NOT_ALLOWED)
            if self._counts(payment):
                self.payments += (payment,)
        refusals |= self._enter(post.legs)
        return frozenset(refusals)

    def _authorise(self, hold: Authorise) -> frozenset[Refusal]:
        refusals: set[Refusal] = set()
        if hold.payer.wallet_id is not None:
            payment = self._payment(hold.id, hold.payer, hold.payee, hold.amount_minor)
            refusals |= self._forbidden(payment)
            if self._counts(payment):
                self.payments += (payment,)
        self.holds[hold.id] = ModelHold(hold.payer, hold.payee, hold.amount_minor)
        legs = (
            Leg(hold.payer, -hold.amount_minor),
            Leg(hold.payer.held, hold.amount_minor),
        )
        return frozenset(refusals | self._enter(legs))

    def _capture(self, capture: Capture) -> frozenset[Refusal]:
        hold = self.holds.get(capture.hold_id)
        if hold is None:
            return frozenset({Refusal.UNKNOWN_HOLD})
        if hold.state != "open":
            return frozenset({Refusal.NOT_OPEN})
        amount_minor = hold.left_minor if capture.amount_minor is None else capture.amount_minor
        shares_minor = sum(share.amount_minor for share in capture.shares)
        if amount_minor > hold.left_minor or shares_minor > amount_minor:
            return frozenset({Refusal.TOO_MUCH})
        after = replace(hold, captured_minor=hold.captured_minor + amount_minor)
        self.balances[hold.payer.held] -= amount_minor
        self.balances[hold.payee] += amount_minor - shares_minor
        for share in capture.shares:
            self.balances[share.account] += share.amount_minor
        if capture.last or not after.left_minor:
            self.balances[hold.payer.held] -= after.left_minor
            self.balances[hold.payer] += after.left_minor
            after = replace(after, state="captured")
        self.holds[capture.hold_id] = after
        return frozenset()

    def _void(self, void: Void) -> frozenset[Refusal]:
        hold = self.holds.get(void.hold_id)
        if hold is None:
            return frozenset({Refusal.UNKNOWN_HOLD})
        if hold.state != "open":
            return frozenset({Refusal.NOT_OPEN})
        self.balances[hold.payer.held] -= hold.left_minor
        self.balances[hold.payer] += hold.left_minor
        self.holds[void.hold_id] = replace(hold, state=void.state)
        if not hold.captured_minor:
            # It ended without money: it was no spending.
            self.payments = tuple(p for p in self.payments if p.transfer_id != void.hold_id)
        return frozenset()

    def _enter(self, legs: Sequence[Leg]) -> set[Refusal]:
        for leg in legs:
            self.balances[leg.account] += leg.amount_minor
            floor_minor = leg.account.floor_minor
            if floor_minor is not None and self.balances[leg.account] < floor_minor:
                return {Refusal.NO_FUNDS}
        return set()

    # --- wallets and limits -----------------------------------------------------------------------

    def _payment(
        self, transfer_id: UUID, payer: AccountRef, payee: AccountRef, amount_minor: int
    ) -> Payment:
        wallet_id = payer.wallet_id or ""
        return Payment(
            transfer_id, wallet_id, payer.currency, payee.owner, amount_minor, self.now_us
        )

    def _counts(self, payment: Payment) -> bool:
        """Money that stays its owner's is not spent."""
        kind, _, name = payment.payee.partition(":")
        return kind in SPENT_ON and not (kind == "wallet" and name in self._own(payment.wallet_id))

    def _own(self, wallet_id: str) -> list[str]:
        return [w for w, person in self.people.items() if person == self.people[wallet_id]]

    def limits_of(self, wallet_id: str, currency: str) -> Limits:
        """The strictest of what an admin and its owner have set for the person's wallets."""
        found = [
            by_setter[setter][currency]
            for own in self._own(wallet_id)
            for by_setter in (self.limits.get(own, {}),)
            for setter in by_setter
            if currency in by_setter[setter]
        ]
        strictest = Limits()
        for limits in found:
            strictest = strictest.stricter(limits)
        return strictest

    def _forbidden(self, payment: Payment) -> set[Refusal]:
        refusals: set[Refusal] = set()
        mode = self.modes.get(payment.wallet_id, WalletMode.OPEN)
        if mode is WalletMode.FROZEN:
            refusals.add(Refusal.WALLET_FROZEN)
        if not self._counts(payment):
            return refusals
        if mode is WalletMode.WITHDRAW_ONLY:
            refusals.add(Refusal.WITHDRAW_ONLY)
        limits = self.limits_of(payment.wallet_id, payment.currency)
        most = limits.payment_max_minor
        if most is not None and payment.amount_minor > most:
            refusals.add(Refusal.PAYMENT_LIMIT)
        windows: list[tuple[Refusal, int | None, int, str | None]] = [
            (Refusal.DAY_LIMIT, limits.day_max_minor, DAY_US, None),
            (Refusal.MONTH_LIMIT, limits.month_max_minor, MONTH_US, None),
            (Refusal.PAYEE_LIMIT, limits.payee_day_max_minor, DAY_US, payment.payee),
        ]
        for refusal, most, window_us, payee in windows:
            if most is not None and self._with(payment, window_us, payee) > most:
                refusals.add(refusal)
        if limits.watches_payees and not refusals:
            delay_us = limits.new_payee_delay_s * 1_000_000
            most = limits.new_payee_max_minor or 0
            if (
                self._first_contact_us(payment) + delay_us > self.now_us
                and self._with(payment, delay_us, payment.payee) > most
            ):
                refusals.add(Refusal.NEW_PAYEE)
        return refusals

    def _with(self, payment: Payment, window_us: int, payee: str | None) -> int:
        """What the person has spent in the window, this payment included."""
        own = self._own(payment.wallet_id)
        return payment.amount_minor + sum(
            earlier.amount_minor
            for earlier in self.payments
            if earlier.wallet_id in own
            and earlier.currency == payment.currency
            and earlier.at_us > self.now_us - window_us
            and payee in (None, earlier.payee)
        )

    def _first_contact_us(self, payment: Payment) -> int:
        own = self._own(payment.wallet_id)
        if not any((wallet_id, payment.payee) in self.contacts for wallet_id in own):
            self.contacts[payment.wallet_id, payment.payee] = self.now_us
        return min(
            self.contacts[wallet_id, payment.payee]
            for wallet_id in own
            if (wallet_id, payment.payee) in self.contacts
        )

    # --- rows -------------------------------------------------------------------------------------

    def _change(self, change: RowChange) -> bool:
        """Whether the change could be made."""
        if isinstance(change, Insert):
            order_id = str(change.values["id"])
            taken = order_id in self.orders
            self.orders.setdefault(order_id, dict(change.values))
            return not taken
        row_id = str(change.where["id"])
        if change.table == "wallets":
            self._set_wallet(row_id, change)
            return True
        row = self.orders.get(row_id)
        if row is None or any(row[name] != value for name, value in change.where.items()):
            return False
        row.update(change.values)
        for name, added in change.add.items():
            row[name] += added
        return all(row[name] <= row[bound] for name, bound in change.keep_within)

    def _set_wallet(self, wallet_id: str, change: Update) -> None:
        if "mode" in change.values:
            self.modes[wallet_id] = WalletMode(str(change.values["mode"]))
        if "limits" in change.values:
            self.limits[wallet_id] = set_limits(str(change.values["limits"]))

    def raise_fence(self, wallet_id: str) -> int:
        """The new fence."""
        self.fences[wallet_id] += 1
        return self.fences[wallet_id]


def set_limits(text: str | None) -> SetLimits:
    """The limits in a wallet's row."""
    return msgspec.json.decode(text, type=SetLimits) if text else {}


def is_available(account: AccountRef) -> bool:
    """Whether it is money that can be spent."""
    return account.purpose is Purpose.AVAILABLE


def _same(one: Commit, other: Commit) -> bool:
    return (one.transfers, one.rows, one.refusal) == (other.transfers, other.rows, other.refusal)
