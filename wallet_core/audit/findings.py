"""What an audit says when something does not hold."""

from decimal import Decimal
from typing import Protocol, TypeVar

from wallet_core.errors import MoneyError, PayontapError
from wallet_core.money import exponent_of

R_contra = TypeVar("R_contra", contravariant=True)


class BrokenBooks(PayontapError):
    """The books contradict themselves. The text is one sentence; `row` names the first bad row."""

    def __init__(self, row: str, sentence: str) -> None:
        super().__init__(printable(sentence))
        self.row = row


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
    if exponent is None:
        try:
            exponent = exponent_of(currency)
        except MoneyError:
            return f"{amount_minor} minor units of {currency}"
    return f"{currency} {Decimal(amount_minor).scaleb(-exponent):,f}"


def printable(text: str) -> str:
    """One line that steers no terminal: what others wrote may stand in it."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
