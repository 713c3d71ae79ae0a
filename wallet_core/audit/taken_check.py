"""What was taken of orders for the house, and the orders that a consent has paid."""

from collections.abc import Sequence

import msgspec

from wallet_core.audit.findings import BrokenBooks, amount_words
from wallet_core.audit.grouping import GroupCheck
from wallet_core.audit.trade_rows import ConsentedLine, TakenLine

_decode = msgspec.json.Decoder(dict[str, tuple[int, int]]).decode


class TakenCheck(GroupCheck[TakenLine]):
    """What an order says was taken and returned is what came to the house and went back.

    Wants all lines of an order together.
    """

    def _key(self, row: TakenLine) -> str:
        return row.id

    def _check(self, group: Sequence[TakenLine]) -> None:
        row = group[0]
        try:
            says = _decode(row.taken) if row.taken else {}
        except msgspec.DecodeError as error:
            raise _broken(row, "says in no readable way what was taken of it") from error
        moved = {
            line.account_id: (line.took_minor, line.returned_minor)
            for line in group
            if line.account_id is not None
        }
        for account_id in sorted({*says, *moved}):
            said, was = says.get(account_id, (0, 0)), moved.get(account_id, (0, 0))
            if said != was:
                raise _broken(
                    row,
                    f"says {_words(said, row.currency)} for {account_id}, but its transfers made "
                    f"it {_words(was, row.currency)}",
                )


class ConsentedCheck:
    """Each payment by consent has its order and the next number, so that none is counted twice.

    Wants the lines by what they are counted with and by their number.
    """

    def __init__(self) -> None:
        self._counted_with = ""
        self._n = 0

    def see(self, row: ConsentedLine) -> None:
        """Look at the next payment."""
        if row.counted_with != self._counted_with:
            self._counted_with, self._n = row.counted_with, 0
        self._n += 1
        what = f"Payment {row.n} by consent of {self._counted_with}"
        if row.n != self._n:
            raise BrokenBooks(f"payment {row.n}", f"{what} stands where number {self._n} is due.")
        if row.number is None:
            raise BrokenBooks(
                f"payment {row.n}", f"{what} is the order {row.order_id}, which is not there."
            )

    def end(self) -> None:
        """Nothing is left to look at."""


def _words(taken: tuple[int, int], currency: str) -> str:
    took_minor, returned_minor = taken
    took, returned = amount_words(took_minor, currency), amount_words(returned_minor, currency)
    return f"{took} taken and {returned} returned"


def _broken(row: TakenLine, what: str) -> BrokenBooks:
    return BrokenBooks(f"order {row.id}", f"Order {row.number} ({row.id}) {what}.")
