"""Transfers and holds: each sums to zero, and each hold's money is where its state says."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from wallet_core.audit.findings import BrokenBooks, amount_words
from wallet_core.audit.grouping import GroupCheck
from wallet_core.audit.rows import HeldLine, MovementLine
from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.transfers import HoldState

_SIDES_MIN = 2
_KINDS = ("post", "authorise", "capture", "void")


class TransferCheck(GroupCheck[MovementLine]):
    """Wants all lines of a hold together, or of a transfer that is of no hold."""

    def __init__(self) -> None:
        super().__init__()
        self.transfer_count = 0

    def _key(self, row: MovementLine) -> UUID:
        return row.hold_id or row.transfer_id

    def _check(self, group: Sequence[MovementLine]) -> None:
        transfers: dict[UUID, list[MovementLine]] = defaultdict(list)
        for line in group:
            transfers[line.transfer_id].append(line)
        for lines in transfers.values():
            self.transfer_count += 1
            _check_sums(lines)
        if group[0].hold_id is not None:
            _Hold(group, group[0].hold_id, list(transfers.values())).check()


class HeldCheck:
    """What stands on an account for held money is what its open holds have put there."""

    def see(self, row: HeldLine) -> None:
        """Look at the next account."""
        if row.balance_minor != row.open_minor:
            stands = amount_words(row.balance_minor, row.currency)
            held = amount_words(row.open_minor, row.currency)
            raise BrokenBooks(
                f"account {row.account_id}",
                f"Account {row.account_id} has {stands} on it, but its open holds come to {held}.",
            )

    def end(self) -> None:
        """Nothing is left to look at."""


def _check_sums(lines: Sequence[MovementLine]) -> None:
    first = lines[0]
    if first.kind not in _KINDS or (first.kind == "post") != (first.hold_id is None):
        hold = "a hold" if first.hold_id is not None else "no hold"
        raise _broken_transfer(first, f"is of the kind {first.kind!r} and has {hold}")
    sums: dict[str, int] = defaultdict(int)
    for line in lines:
        if line.account_id is not None:
            sums[line.currency or ""] += line.amount_minor or 0
    if len(lines) < _SIDES_MIN:
        count = 0 if first.account_id is None else 1
        raise _broken_transfer(first, f"has {count} entries; money has two sides")
    for currency, sum_minor in sums.items():
        if sum_minor:
            words = amount_words(sum_minor, currency)
            raise _broken_transfer(first, f"does not sum to zero: its entries come to {words}")


class _Hold:
    """A hold with all its transfers: one that made it, any that took from it, one that ended it.

    A capture takes from the held money what goes to the payee and to others; the last one gives
    the payer the rest back. A void gives back all that is left.
    """

    def __init__(
        self, group: Sequence[MovementLine], hold_id: UUID, transfers: Sequence[list[MovementLine]]
    ) -> None:
        self._id = hold_id
        self._row = group[0]
        self._group = group
        self._captures = [lines for lines in transfers if lines[0].kind == "capture"]
        self._voids = [lines for lines in transfers if lines[0].kind == "void"]

    def check(self) -> None:
        """Raises `BrokenBooks`."""
        row = self._row
        if row.payer_account_id is None or row.payee_account_id is None:
            raise _broken_transfer(row, f"belongs to hold {self._id}, which is not there")
        payer = AccountRef.of_id(row.payer_account_id)
        held_id, amount_minor = payer.held.id, row.hold_amount_minor or 0
        if payer.currency != row.hold_currency:
            raise self._broken(f"is in {row.hold_currency} on {payer.id}")
        self._check_made(payer, held_id, amount_minor)
        for lines in self._captures:
            self._check_capture(lines, held_id)
        for lines in self._voids:
            _check_void(lines, payer.id, held_id)
        back_minor = sum(_sum_on(payer.id, lines) for lines in self._captures)
        captured_minor = -sum(_sum_on(held_id, lines) for lines in self._captures) - back_minor
        self._check_state(captured_minor, back_minor, _sum_on(held_id, self._group))

    def _check_made(self, payer: AccountRef, held_id: str, amount_minor: int) -> None:
        row = self._row
        made = [line for line in self._group if line.kind == "authorise"]
        if {line.transfer_id for line in made} != {self._id}:
            raise self._broken("was not made by exactly one transfer of its own name")
        moved = sorted((line.account_id or "", line.amount_minor or 0) for line in made)
        if moved != sorted([(payer.id, -amount_minor), (held_id, amount_minor)]):
            words = amount_words(amount_minor, row.hold_currency or "")
            raise self._broken(f"says {words}, but its transfer moved something else")
        payee = AccountRef.of_id(row.payee_account_id or "").owner
        if made[0].payee != (payee if payer.wallet_id is not None else None):
            raise self._broken(f"is for {payee}, but was made for {made[0].payee}")

    def _check_capture(self, lines: Sequence[MovementLine], held_id: str) -> None:
        for line in lines:
            if ((line.amount_minor or 0) < 0) != (line.account_id == held_id):
                raise _broken_transfer(lines[0], f"moves more than what is held on {held_id}")

    def _check_state(self, captured_minor: int, back_minor: int, left_minor: int) -> None:
        row = self._row
        state, currency = row.hold_state, row.hold_currency or ""
        if captured_minor != row.hold_captured_minor:
            says = amount_words(row.hold_captured_minor or 0, currency)
            taken = amount_words(captured_minor, currency)
            raise self._broken(f"says {says} captured, but its transfers captured {taken}")
        if captured_minor > (row.hold_amount_minor or 0):
            raise self._broken(f"has {amount_words(captured_minor, currency)} captured from it")
        if state == HoldState.OPEN:
            if self._voids or back_minor or left_minor <= 0:
                raise self._broken("is open, but its transfers have ended it")
            return
        if left_minor:
            left = amount_words(left_minor, currency)
            raise self._broken(f"is {state}, but its transfers leave {left} held")
        given_back = len(self._voids) == 1 and not back_minor
        # A hold of which a part was captured has ended with money, whatever was given back.
        fits = (
            captured_minor > 0 and (given_back or not self._voids)
            if state == HoldState.CAPTURED
            else given_back and not captured_minor
        )
        if not fits or state not in tuple(HoldState):
            raise self._broken(f"is {state}, but no transfer ended it so")

    def _broken(self, what: str) -> BrokenBooks:
        return BrokenBooks(f"hold {self._id}", f"Hold {self._id} {what}.")


def _check_void(lines: Sequence[MovementLine], payer_id: str, held_id: str) -> None:
    if {line.account_id for line in lines} != {payer_id, held_id} or (_sum_on(held_id, lines) >= 0):
        raise _broken_transfer(lines[0], f"does not give what is on {held_id} back to {payer_id}")


def _sum_on(account_id: str, lines: Iterable[MovementLine]) -> int:
    return sum(line.amount_minor or 0 for line in lines if line.account_id == account_id)


def _broken_transfer(line: MovementLine, what: str) -> BrokenBooks:
    name = f"{line.kind} {line.transfer_id}"
    return BrokenBooks(f"transfer {line.transfer_id}", f"Transfer {name} {what}.")
