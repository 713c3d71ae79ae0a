"""Amounts: whole numbers of a currency's smallest unit, never floats.

Exponents (how many decimals a currency has) are those of ISO 4217 (`iso4217.py`);
sats count bitcoin's hundred-millionth as a currency of its own. An instance can define further
ones, such as a community's points: `define_currency`, once, before anything else reads an amount.
"""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from wallet_core.errors import MoneyError
from wallet_core.iso4217 import EXPONENTS

#: No single amount may reach this: balances then stay far inside 64 bits.
AMOUNT_MINOR_MAX = 10**15

#: Codes of currencies of our own: capitals and digits, longer than ISO 4217's where that helps.
_OWN_CODE = re.compile(r"[A-Z][A-Z0-9]{2,9}")
#: ISO 4217 goes up to four decimals; nothing needs more, and amounts must fit into 64 bits.
EXPONENT_MAX = 4


@dataclass(frozen=True, slots=True)
class OwnCurrency:
    """A currency beside ISO 4217. `issued`: the instance itself makes it and takes it back."""

    exponent: int
    name: str
    issued: bool = True


#: The one table of currencies beside ISO 4217: code → what it is.
_own: dict[str, OwnCurrency] = {"SAT": OwnCurrency(0, "satoshi", issued=False)}


def define_currency(code: str, exponent: int, name: str) -> None:
    """Add a currency of the instance's own; for the composition root, before anything else.

    The same definition once more changes nothing, so one process can start twice. Raises
    `MoneyError` with one sentence for a code that ISO 4217 has, one that is defined otherwise, and
    what no code or exponent can be.
    """
    if not _OWN_CODE.fullmatch(code):
        raise MoneyError(f"{code!r} cannot be a currency's code: 3 to 10 capitals and digits.")
    if not 0 <= exponent <= EXPONENT_MAX:
        raise MoneyError(
            f"{code} cannot have {exponent} decimals: 0 to {EXPONENT_MAX} are possible."
        )
    if code in EXPONENTS:
        raise MoneyError(f"{code} is a currency of ISO 4217 and cannot be defined anew.")
    defined = OwnCurrency(exponent, name)
    if _own.setdefault(code, defined) != defined:
        raise MoneyError(f"{code} is defined already, and otherwise.")


def own_currency(code: str) -> OwnCurrency | None:
    """What is known of a currency beside ISO 4217; None for any other code."""
    return _own.get(code)


def known_currencies() -> frozenset[str]:
    """Every code that `exponent_of` accepts."""
    return frozenset(EXPONENTS) | frozenset(_own)


def exponent_of(currency: str) -> int:
    """How many decimals `currency` has: 2 for CNY, 0 for JPY, 3 for KWD.

    Raises `MoneyError` for a code that neither ISO 4217 nor this instance knows.
    """
    own = _own.get(currency)
    if own is not None:
        return own.exponent
    if currency not in EXPONENTS:
        raise MoneyError(f"{currency!r} is not a currency code.")
    return EXPONENTS[currency]


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """`amount_minor` smallest units of `currency`; may be negative in differences."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        """Refuse what cannot be money; raises `MoneyError`."""
        if type(self.amount_minor) is not int:
            raise MoneyError(f"An amount is a whole number, not {self.amount_minor!r}.")
        if abs(self.amount_minor) > AMOUNT_MINOR_MAX:
            raise MoneyError(f"{self.amount_minor} is more than this system moves at once.")
        exponent_of(self.currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """Read what a person typed, such as `12`, `12.5`, `¥12.50` or `1,200.00`.

        Nothing is guessed: groups of three digits, at most the currency's decimals, no sign of
        another currency. Raises `MoneyError` with one sentence when it is no amount of `currency`.
        """
        exponent = exponent_of(currency)
        if len(text) > _TYPED_LENGTH_MAX and not text.isascii():
            # To bring accents in their order takes time that grows with the square of their number.
            raise MoneyError(f"“{text.strip()[:40]}” is not an amount.")
        plain = unicodedata.normalize("NFKC", text).strip()
        plain = plain.removesuffix(currency).removeprefix(currency).strip()
        plain = _without_sign(plain, currency)
        typed = _TYPED.fullmatch(plain)
        if typed is None:
            raise MoneyError(f"“{text.strip()[:40]}” is not an amount.")
        sign, whole, fraction = typed[1], typed[2].replace(",", ""), typed[3] or ""
        if len(fraction) > exponent:
            raise MoneyError(f"{currency} has {exponent} decimals; “{text.strip()[:40]}” has more.")
        if len(whole) > _DIGITS_MAX:
            raise MoneyError("That is more than this system moves at once.")
        amount_minor = int((whole or "0") + fraction.ljust(exponent, "0"))
        return cls(-amount_minor if sign else amount_minor, currency)

    def format(self) -> str:
        """As people write it: `¥199.00`, `JP¥1,200`, `KWD 1.250`, `500 SAT`.

        The yen and the yuan share a sign; the bare one is the yuan's here, so that a reader
        never has to guess.
        """
        return amount_text(self.amount_minor, self.currency)


def _without_sign(plain: str, currency: str) -> str:
    """What stands behind a sign of money. Raises `MoneyError` where it means another currency."""
    sign = plain[:1]
    if sign not in _SIGNS_BEFORE:
        return plain
    check_sign(sign, currency)
    return plain[1:].lstrip()


def check_sign(sign: str, currency: str) -> None:
    """Raises `MoneyError` with one sentence where one of `SIGNS` cannot mean `currency`."""
    if currency not in SIGNS[sign]:
        raise MoneyError(f"{sign} is not the sign of {currency}; write the currency's code.")


def amount_text(amount_minor: int, currency: str) -> str:
    """`Money.format` of what stands on an account: a sum may be more than moves at once.

    A currency that was taken out of the config while there was still some of it has no decimals
    that are known any more, so its smallest units are counted.
    """
    own = _own.get(currency)
    if own is None and currency not in EXPONENTS:
        return f"{amount_minor:,} smallest units of {currency}"
    value = Decimal(abs(amount_minor)).scaleb(-exponent_of(currency))
    sign = "-" if amount_minor < 0 else ""
    if own is not None:
        return f"{sign}{value:,f} {currency}"
    symbol = _SYMBOLS.get(currency) or _symbol(currency)
    gap = " " if symbol.isalpha() else ""
    return f"{sign}{symbol}{gap}{value:,f}"


@cache
def _symbol(currency: str) -> str:
    from babel.numbers import get_currency_symbol  # noqa: PLC0415 - reading pages does without

    return get_currency_symbol(currency, locale="en")


#: Signs of money that people type, and the currencies that each of them may mean.
SIGNS = {
    "¥": frozenset({"CNY", "JPY"}),
    "￥": frozenset({"CNY", "JPY"}),
    "元": frozenset({"CNY"}),
    "円": frozenset({"JPY"}),
    "€": frozenset({"EUR"}),
    "£": frozenset({"GBP", "EGP", "FKP", "GIP", "LBP", "SDG", "SHP", "SSP", "SYP"}),
    "$": frozenset({
        "USD", "ARS", "AUD", "BBD", "BMD", "BND", "BSD", "BZD", "CAD", "CLP",
        "COP", "CUP", "DOP", "FJD", "GYD", "HKD", "JMD", "KYD", "LRD", "MXN",
        "NAD", "NZD", "SBD", "SGD", "SRD", "TTD", "TWD", "UYU", "XCD",
    }),
}  # fmt: skip
#: Those that stand in front of a number.
_SIGNS_BEFORE = ("¥", "€", "£", "$")
_TYPED = re.compile(r"(-?)((?:\d{1,3}(?:,\d{3})+|\d+)(?=\.|$)|(?=\.\d))(?:\.(\d+))?", re.ASCII)
_TYPED_LENGTH_MAX = 200
_DIGITS_MAX = 18
_SYMBOLS = {"CNY": "¥", "JPY": "JP¥"}
