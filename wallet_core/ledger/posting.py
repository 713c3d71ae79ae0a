"""The rules of the books, as a pure calculation: no database, no clock, no waiting.

`Books` is a working copy of the accounts and holds that a batch of commits touches. `apply`
evaluates one commit's transfers against it: all of them or none. What came of it is collected as
rows for the storage to write in one go.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from wallet_core.errors import KeyConflict, Refusal, Refused
from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.commits import Commit, Hold
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

MICROSECONDS = 1_000_000


@dataclass(slots=True)
class AccountState:
    """A balance and how many entries made it."""

    ref: AccountRef
    balance_minor: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class WalletState:
    """What the books must know of a wallet: whether it may pay, and its newest lease's fence."""

    frozen: bool
    fence: int


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One line of an account: its number, amount and the balance after it."""

    account_id: str
    seq: int
    transfer_id: UUID
    amount_minor: int
    balance_after_minor: int


@dataclass(frozen=True, slots=True)
class TransferRow:
    """A transfer as it is kept."""

    id: UUID
    kind: str
    fingerprint: bytes
    subject: str
    hold_id: UUID | None
    commit_key: str


@dataclass
class Books:
    """The working copy. `now_us` is the database's clock."""

    now_us: int
    accounts: dict[str, AccountState] = field(default_factory=dict)
    holds: dict[UUID, Hold] = field(default_factory=dict)
    wallets: Mapping[str, WalletState] = field(default_factory=dict)
    known_transfers: dict[UUID, bytes] = field(default_factory=dict)
    transfer_rows: list[TransferRow] = field(default_factory=list)
    entry_rows: list[EntryRow] = field(default_factory=list)
    touched_holds: set[UUID] = field(default_factory=set)

    def apply(self, commit: Commit) -> "Undo":
        """Evaluate all of a commit's transfers; the result takes them back again.

        Raises `Refused` or `KeyConflict`, with the books unchanged.
        """
        undo = Undo(self)
        try:
            self._check_fences(commit)
            for transfer in commit.transfers:
                self._transfer(transfer, commit.key, undo)
        except (Refused, KeyConflict):
            undo()
            raise
        return undo

    def _check_fences(self, commit: Commit) -> None:
        for wallet_id, fence in commit.fences.items():
            known = self.wallets.get(wallet_id)
            if known is None or known.fence != fence:
                raise Refused(Refusal.STALE_FENCE, wallet_id)

    def _transfer(self, transfer: Transfer, commit_key: str, undo: "Undo") -> None:
        mark = fingerprint(transfer)
        known = self.known_transfers.get(transfer.id)
        if known is not None:
            if known != mark:
                raise KeyConflict(f"Transfer {transfer.id} stands with other parameters.")
            return
        hold_id, legs = self._legs(transfer, undo)
        for leg in legs:
            self._enter(leg, transfer.id)
        kind = type(transfer).__struct_config__.tag
        self.transfer_rows.append(
            TransferRow(transfer.id, str(kind), mark, transfer.subject, hold_id, commit_key)
        )
        self.known_transfers[transfer.id] = mark

    def _legs(self, transfer: Transfer, undo: "Undo") -> tuple[UUID | None, Iterable[Leg]]:
        match transfer:
            case Post(legs=legs):
                for leg in legs:
                    if leg.amount_minor < 0:
                        self._check_open(leg.account)
                return None, legs
            case Authorise():
                return transfer.id, self._authorise(transfer, undo)
            case Capture(hold_id=hold_id):
                hold = self._end(hold_id, HoldState.CAPTURED, undo)
                payer = AccountRef.of_id(hold.payer_account_id)
                payee = AccountRef.of_id(hold.payee_account_id)
                return hold_id, (Leg(payer.held, -hold.amount_minor), Leg(payee, hold.amount_minor))
            case Void(hold_id=hold_id, state=state):
                hold = self._end(hold_id, state, undo)
                payer = AccountRef.of_id(hold.payer_account_id)
                return hold_id, (Leg(payer.held, -hold.amount_minor), Leg(payer, hold.amount_minor))

    def _authorise(self, transfer: Authorise, undo: "Undo") -> Iterable[Leg]:
        self._check_open(transfer.payer)
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
        self.touched_holds.add(transfer.id)
        return (
            Leg(transfer.payer, -transfer.amount_minor),
            Leg(transfer.payer.held, transfer.amount_minor),
        )

    def _end(self, hold_id: UUID, state: HoldState, undo: "Undo") -> Hold:
        hold = self.holds.get(hold_id)
        if hold is None:
            raise Refused(Refusal.UNKNOWN_HOLD, str(hold_id))
        if hold.state is not HoldState.OPEN:
            raise Refused(Refusal.NOT_OPEN, f"{hold_id} is {hold.state}")
        undo.remember_hold(hold_id)
        self.holds[hold_id] = ended = Hold(
            **{name: getattr(hold, name) for name in Hold.__struct_fields__ if name != "state"},
            state=state,
        )
        self.touched_holds.add(hold_id)
        return ended

    def _check_open(self, ref: AccountRef) -> None:
        if ref.wallet_id is None:
            return
        known = self.wallets.get(ref.wallet_id)
        if known is not None and known.frozen:
            raise Refused(Refusal.WALLET_FROZEN, ref.wallet_id)

    def _enter(self, leg: Leg, transfer_id: UUID) -> None:
        account = self.accounts.setdefault(leg.account.id, AccountState(leg.account))
        after = account.balance_minor + leg.amount_minor
        floor = leg.account.floor_minor
        if leg.amount_minor < 0 and floor is not None and after < floor:
            raise Refused(Refusal.NO_FUNDS, f"{leg.account.id} would be {after}")
        account.balance_minor = after
        account.version += 1
        self.entry_rows.append(
            EntryRow(leg.account.id, account.version, transfer_id, leg.amount_minor, after)
        )


class Undo:
    """Takes back what one commit did to the working copy; call it at most once, newest first."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._transfers = len(books.transfer_rows)
        self._entries = len(books.entry_rows)
        self._holds: dict[UUID, Hold | None] = {}

    def remember_hold(self, hold_id: UUID) -> None:
        """Keep how a hold was before this commit."""
        self._holds.setdefault(hold_id, self._books.holds.get(hold_id))

    def __call__(self) -> None:
        """Bring the books back to where they were."""
        books = self._books
        for entry in reversed(books.entry_rows[self._entries :]):
            account = books.accounts[entry.account_id]
            account.balance_minor -= entry.amount_minor
            account.version -= 1
        for row in books.transfer_rows[self._transfers :]:
            del books.known_transfers[row.id]
        del books.entry_rows[self._entries :]
        del books.transfer_rows[self._transfers :]
        for hold_id, before in self._holds.items():
            if before is None:
                del books.holds[hold_id]
                books.touched_holds.discard(hold_id)
            else:
                books.holds[hold_id] = before
