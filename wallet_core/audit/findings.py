"""What an audit says when something does not hold."""

from decimal import Decimal
from types import TracebackType
from typing import Protocol, TypeVar

import msgspec

from wallet_core.errors import MoneyError, PayontapError
from wallet_core.money import exponent_of

R_contra = TypeVar("R_contra", contravariant=True)


class BrokenBooks(PayontapError):
    """The books contradict themselves. The text is one sentence; `row` names the first bad row."""

    def __init__(self, row: str, sentence: str) -> None:
        super().__init__(_shortened(printable(sentence)))
        self.row = row


#: What a row goes by, the first of these that it has.
_NAMES = ("id", "transfer_id", "account_id", "order_id", "subject", "proof")


class Reckoning:
    """Holds a check that reckons with what stands in a row, or in a group that begins with it.

    A row can hold what no row should. Where that ends a check by anything but a finding, the row
    is the finding: `BrokenBooks`.
    """

    __slots__ = ("_row",)

    def __init__(self, row: msgspec.Struct) -> None:
        self._row = row

    def __enter__(self) -> None:
        """Begin to reckon."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Raises `BrokenBooks` for an error that is not one of ours."""
        if isinstance(error, Exception) and not isinstance(error, PayontapError):
            raise _no_such_row(self._row, error) from error


def _no_such_row(row: msgspec.Struct, error: Exception) -> BrokenBooks:
    kind = type(row).__name__.removesuffix("Line").lower()
    name = next((getattr(row, each) for each in _NAMES if hasattr(row, each)), "")
    return BrokenBooks(f"{kind} {name}", f"What stands in {kind} {name} is no such row: {error}.")


def unreadable_rows(kind: str, error: Exception) -> BrokenBooks:
    """The finding where a row cannot even be read, so that nobody knows which it is."""
    kind = kind.removesuffix("Line").lower()
    return BrokenBooks(f"some {kind}", f"One of the {kind} rows cannot be read: {error}.")


class Check(Protocol[R_contra]):
    """Looks at rows in the order in which the reader gives them, one at a time."""

    def see(self, row: R_contra) -> None:
        """Look at the next row. Raises `BrokenBooks`."""

    def end(self) -> None:
        """There are no more rows. Raises `BrokenBooks`."""


def amount_words(amount_minor: int, currency: str, exponent: int | None = None) -> str:
    """An amount of any size, such as `CNY 1,250.00`; minor units where the currency is unknown.

    `exponent` is how many decimals it has, where somebody says so.
    """
    if type(amount_minor) is not int:
        # SQLite keeps in any column whatever it is given.
        return f"{amount_minor!r} of {currency}"
    if exponent is None:
        try:
            exponent = exponent_of(currency)
        except MoneyError:
            return f"{amount_minor} minor units of {currency}"
    return f"{currency} {Decimal(amount_minor).scaleb(-exponent):,f}"


#: Longer than any sentence about rows that are only wrong.
_LENGTH_MAX = 600


def _shortened(sentence: str) -> str:
    return sentence if len(sentence) <= _LENGTH_MAX else f"{sentence[:_LENGTH_MAX]}…"


def printable(text: str) -> str:
    """One line that steers no terminal: what others wrote may stand in it."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
