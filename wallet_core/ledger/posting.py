"""The rules of the books, as a pure calculation: no database, no clock, no waiting.

`Books` is a working copy of the accounts and holds that a batch of commits touches. `apply`
evaluates one commit's transfers against it: all of them or none. What came of it is collected as
rows for the storage to write in one go.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from uuid import UUID

import msgspec

from wallet_core.errors import KeyConflict, Refusal, Refused
from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.commits import Commit, Hold
from wallet_core.ledger.journal import text_bytes
from wallet_core.ledger.transfers import (
    Authorise,
    Capture,
    HoldState,
    Leg,
    Post,
    Transfer,
    Void,
    fingerprint,
)
from wallet_core.ledger.wallets import NeedsSpends, Payment, WalletRules, payments_of
from wallet_core.limits import Spend, Spending

MICROSECONDS = 1_000_000
_KINDS = {Post: "post", Authorise: "authorise", Capture: "capture", Void: "void"}


class AccountState(msgspec.Struct, eq=False, gc=False):
    """A balance, how many entries made it, and what was spent from it lately.

    `id_bytes` is its id as it stands in the journal's leaves, `version_seen` the version that was
    read, `newest_entry_no` the last of its entries that is numbered. `packed` is what
    `Spending.pack` made of what was spent, as it was read or last packed.
    """

    ref: AccountRef
    floor_minor: int | None
    id_bytes: bytes
    no: int = 0
    balance_minor: int = 0
    version: int = 0
    version_seen: int = 0
    newest_entry_no: int | None = None
    packed: bytes | None = None
    #: Whether anything was entered, and whether anything of it was spent.
    changed: bool = False
    spent: bool = False
    _spending: Spending | None = None

    @classmethod
    def opened(cls, ref: AccountRef, balance_minor: int = 0, version: int = 0) -> "AccountState":
        """An account that has no number yet."""
        return cls(ref, ref.floor_minor, text_bytes(ref.id), 0, balance_minor, version, version)

    def spending(self, now_us: int) -> Spending:
        """What was spent from it lately, as of now."""
        spending = self._spending
        if spending is None:
            spending = self._spending = Spending.unpack(self.packed)
        spending.roll(now_us)
        return spending

    def pack(self) -> bytes | None:
        """What was spent from it lately, as its row is to keep it."""
        if self.spent and self._spending is not None:
            self.packed = self._spending.pack()
        return self.packed

    def stands(
        self, balance_minor: int, version: int, newest_entry_no: int | None, packed: bytes | None
    ) -> None:
        """So it was read, whatever was thought of it before."""
        self.balance_minor, self.version = balance_minor, version
        self.newest_entry_no = newest_entry_no
        if packed != self.packed:
            self.packed, self._spending = packed, None
        self.begin()

    def begin(self) -> None:
        """All that was entered so far is to be written before what comes now."""
        self.version_seen = self.version
        self.changed = self.spent = False


class EntryRow(msgspec.Struct, frozen=True, gc=False):
    """One line of an account: its number, amount and the balance after it."""

    account: AccountState
    seq: int
    amount_minor: int
    balance_after_minor: int


class TransferRow(msgspec.Struct, frozen=True, gc=False):
    """A transfer as it is kept, with its entries. `payee` is whom a payment was for."""

    id: UUID
    kind: str
    fingerprint: bytes
    subject: str
    hold_id: UUID | None
    payee: str | None
    commit_key: str
    entries: Sequence[EntryRow]


@dataclass
class Books:
    """The working copy. `now_us` is the database's clock."""

    now_us: int
    rules: WalletRules = field(default_factory=WalletRules)
    accounts: dict[str, AccountState] = field(default_factory=dict)
    holds: dict[UUID, Hold] = field(default_factory=dict)
    #: By the number of their id: hashing a UUID takes longer than the rest of the look-up.
    known_transfers: dict[int, bytes] = field(default_factory=dict)
    transfer_rows: list[TransferRow] = field(default_factory=list)
    new_holds: set[UUID] = field(default_factory=set)
    touched_holds: set[UUID] = field(default_factory=set)

    def apply(self, commit: Commit) -> "Undo":
        """Evaluate all of a commit's transfers; the result takes them back again.

        Raises `Refused`, `KeyConflict` or `NeedsSpends`, with the books unchanged.
        """
        undo = Undo(self)
        try:
            if commit.fences:
                self.rules.check_fences(commit.fences)
            for transfer in commit.transfers:
                self._transfer(transfer, commit.key, undo)
        except (Refused, KeyConflict, NeedsSpends):
            undo()
            raise
        return undo

    def _transfer(self, transfer: Transfer, commit_key: str, undo: "Undo") -> None:
        mark = fingerprint(transfer)
        transfer_id = transfer.id
        number = transfer_id.int
        known = self.known_transfers.get(number)
        if known is not None:
            if known != mark:
                raise KeyConflict(f"Transfer {transfer_id} stands with other parameters.")
            return
        payments = payments_of(transfer)
        rules, accounts, now_us = self.rules, self.accounts, self.now_us
        if len(payments) < 2:  # noqa: PLR2004 - which nearly all are
            spending = [payment for payment in payments if rules.check(payment, accounts, now_us)]
            if not spending and payments and type(transfer) is Post:
                rules.check_uncounted(payments[0], transfer.legs)
        else:
            spending = []
            self._spend_together(transfer, payments, undo)
        hold_id: UUID | None = None
        if isinstance(transfer, Post):
            legs: Sequence[Leg] = transfer.legs
        else:
            hold_id, legs = self._legs(transfer, undo)
        entries: list[EntryRow] = []
        undo.entries = entries
        self._enter(legs, entries)
        for payment in spending:
            self._spend(payment, transfer_id, undo)
        self.transfer_rows.append(
            TransferRow(
                transfer_id,
                _KINDS[type(transfer)],
                mark,
                transfer.subject,
                hold_id,
                payments[0].payee if payments else None,
                commit_key,
                entries,
            )
        )
        self.known_transfers[number] = mark
        undo.entries = ()

    def _legs(
        self, transfer: Authorise | Capture | Void, undo: "Undo"
    ) -> tuple[UUID, Sequence[Leg]]:
        match transfer:
            case Authorise():
                return transfer.id, self._authorise(transfer, undo)
            case Capture(hold_id=hold_id):
                return hold_id, self._capture(transfer, undo)
            case Void(hold_id=hold_id):
                return hold_id, self._void(transfer, undo)

    def _authorise(self, transfer: Authorise, undo: "Undo") -> Sequence[Leg]:
        undo.remember_hold(transfer.id)
        self.holds[transfer.id] = Hold(
            id=transfer.id,
            payer_account_id=transfer.payer.id,
            payee_account_id=transfer.payee.id,
            amount_minor=transfer.amount_minor,
            currency=transfer.payer.currency,
            state=HoldState.OPEN,
            ending=transfer.ending,
            due_at_us=self.now_us + round(transfer.ends_after_s * MICROSECONDS),
            subject=transfer.subject,
        )
        self.new_holds.add(transfer.id)
        return (
            Leg(transfer.payer, -transfer.amount_minor),
            Leg(transfer.payer.held, transfer.amount_minor),
        )

    def _capture(self, transfer: Capture, undo: "Undo") -> list[Leg]:
        hold = self._open_hold(transfer.hold_id)
        amount_minor = hold.left_minor if transfer.amount_minor is None else transfer.amount_minor
        if amount_minor > hold.left_minor:
            raise Refused(Refusal.TOO_MUCH, f"{hold.id} holds {hold.left_minor} more")
        payer = AccountRef.of_id(hold.payer_account_id)
        payee = AccountRef.of_id(hold.payee_account_id)
        shared_minor = sum(share.amount_minor for share in transfer.shares)
        if shared_minor > amount_minor:
            raise Refused(Refusal.TOO_MUCH, f"shares of {shared_minor} in {amount_minor}")
        if any(share.account.currency != hold.currency for share in transfer.shares):
            raise Refused(Refusal.NOT_ALLOWED, "a share is in the currency of its hold")
        if transfer.shares and payer.wallet_id is not None:
            held = Payment(payer.wallet_id, payer.id, hold.currency, payee.owner, amount_minor)
            self.rules.check_uncounted(held, transfer.shares)
        back_minor = hold.left_minor - amount_minor if transfer.last else 0
        ended = transfer.last or amount_minor == hold.left_minor
        legs = [
            Leg(payer.held, -amount_minor - back_minor),
            Leg(payee, amount_minor - shared_minor),
            *transfer.shares,
            Leg(payer, back_minor),
        ]
        self._change_hold(
            msgspec.structs.replace(
                hold,
                captured_minor=hold.captured_minor + amount_minor,
                state=HoldState.CAPTURED if ended else HoldState.OPEN,
            ),
            undo,
        )
        return [leg for leg in legs if leg.amount_minor]

    def _void(self, transfer: Void, undo: "Undo") -> tuple[Leg, Leg]:
        hold = self._open_hold(transfer.hold_id)
        payer = AccountRef.of_id(hold.payer_account_id)
        # A hold of which something was captured has ended with money, whatever is given back.
        state = HoldState.CAPTURED if hold.captured_minor else transfer.state
        self._change_hold(msgspec.structs.replace(hold, state=state), undo)
        if not hold.captured_minor:
            undo.remember_spends(payer.id)
            self.rules.give_back(payer.id, hold.id)
        return Leg(payer.held, -hold.left_minor), Leg(payer, hold.left_minor)

    def _open_hold(self, hold_id: UUID) -> Hold:
        hold = self.holds.get(hold_id)
        if hold is None:
            raise Refused(Refusal.UNKNOWN_HOLD, str(hold_id))
        if hold.state is not HoldState.OPEN:
            raise Refused(Refusal.NOT_OPEN, f"{hold_id} is {hold.state}")
        return hold

    def _change_hold(self, changed: Hold, undo: "Undo") -> None:
        undo.remember_hold(changed.id)
        self.holds[changed.id] = changed
        self.touched_holds.add(changed.id)

    def _spend_together(
        self, transfer: Transfer, payments: Sequence[Payment], undo: "Undo"
    ) -> None:
        """Several accounts pay: each is counted before the next is looked at.

        The books keep one payee of a transfer, by whom each payment in it is counted ever after.
        So in several currencies it must be one and the same.
        """
        if any(payment.payee != payments[0].payee for payment in payments):
            payees = ", ".join(sorted({payment.payee for payment in payments}))
            raise Refused(Refusal.NOT_ALLOWED, f"one transfer pays {payees}")
        for payment in payments:
            if self.rules.check(payment, self.accounts, self.now_us):
                if payment.account_id not in self.accounts:
                    payer = AccountRef.of_id(payment.account_id)
                    self.accounts[payment.account_id] = AccountState.opened(payer)
                self._spend(payment, transfer.id, undo)
            elif type(transfer) is Post:
                self.rules.check_uncounted(payment, transfer.legs)

    def _spend(self, payment: Payment, transfer_id: UUID, undo: "Undo") -> None:
        account = self.accounts[payment.account_id]
        account.spending(self.now_us).add(payment.amount_minor)
        account.spent = True
        if undo.spent is None:
            undo.spent = []
        undo.spent.append((account, payment.amount_minor))
        if self.rules.spends:
            undo.remember_spends(payment.account_id)
            self.rules.note(payment, transfer_id, self.now_us)

    def _enter(self, legs: Sequence[Leg], entries: list[EntryRow]) -> None:
        accounts = self.accounts
        for leg in legs:
            ref, amount_minor = leg.account, leg.amount_minor
            account_id = ref.id
            account = accounts.get(account_id)
            if account is None:
                account = accounts[account_id] = AccountState.opened(ref)
            after_minor = account.balance_minor + amount_minor
            if amount_minor < 0:
                floor_minor = account.floor_minor
                if floor_minor is not None and after_minor < floor_minor:
                    raise Refused(Refusal.NO_FUNDS, f"{account_id} would be {after_minor}")
            account.balance_minor = after_minor
            account.version = seq = account.version + 1
            account.changed = True
            entries.append(EntryRow(account, seq, amount_minor, after_minor))


class Undo:
    """Takes back what one commit did to the working copy; call it at most once, newest first.

    `entries` are those of the transfer that is being evaluated; the others stand in its rows.
    """

    __slots__ = ("_books", "_holds", "_spends", "_transfers", "entries", "spent")

    def __init__(self, books: Books) -> None:
        self._books = books
        self._transfers = len(books.transfer_rows)
        self.entries: Sequence[EntryRow] = ()
        self._holds: dict[UUID, Hold | None] | None = None
        self.spent: list[tuple[AccountState, int]] | None = None
        self._spends: dict[str, tuple[Spend, ...]] | None = None

    def remember_hold(self, hold_id: UUID) -> None:
        """Keep how a hold was before this commit."""
        if self._holds is None:
            self._holds = {}
        self._holds.setdefault(hold_id, self._books.holds.get(hold_id))

    def remember_spends(self, account_id: str) -> None:
        """Keep the single payments from an account, where they are known."""
        spends = self._books.rules.spends.get(account_id)
        if spends is not None:
            self._spends = self._spends or {}
            self._spends.setdefault(account_id, spends)

    def __call__(self) -> None:
        """Bring the books back to where they were."""
        books = self._books
        rows = books.transfer_rows[self._transfers :]
        for entry in chain(self.entries, *[row.entries for row in rows]):
            entry.account.balance_minor -= entry.amount_minor
            entry.account.version -= 1
        for row in rows:
            del books.known_transfers[row.id.int]
        del books.transfer_rows[self._transfers :]
        for hold_id, before in (self._holds or {}).items():
            if before is None:
                del books.holds[hold_id]
                books.new_holds.discard(hold_id)
            else:
                books.holds[hold_id] = before
        for account, amount_minor in self.spent or ():
            account.spending(books.now_us).add(-amount_minor)
        books.rules.spends.update(self._spends or {})
