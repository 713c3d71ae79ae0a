"""Amounts as people write them after a command: `500`, `¥12.50`, `500 USD`, `20元`."""

import re

from wallet_core.errors import MoneyError
from wallet_core.money import SIGNS, Money, check_sign, exponent_of

_WRITTEN = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9]{1,8}[A-Za-z])\s*)?([^\sA-Za-z]+)(?:\s*([A-Za-z][A-Za-z0-9]{2,9}))?"
)
_NUMBER = re.compile(r"[-−]?[\d.,]+")
_DECIMAL_COMMA = re.compile(r"(?:\d+|\d{1,3}(?:\.\d{3})+),\d{1,2}", re.ASCII)
#: A sign of money that a blank parts from its number: “500 元”, “¥ 500”.
_SPACED_SIGN = re.compile(r"(?<=\d)\s+([元円€])$|^([¥￥€£$])\s+(?=\d)")


def amount_in(args: str, currency: str) -> Money:
    """The amount in `args`, more than zero, in `currency` unless another one is written.

    Raises `MoneyError` with one sentence.
    """
    written = _WRITTEN.fullmatch(_SPACED_SIGN.sub(r"\1\2", args.strip()))
    if written is None:
        raise MoneyError(
            f"“{args.strip()[:40]}” is not an amount." if args.strip() else "How much?"
        )
    before, number, after = written.groups()
    if before and after:
        raise MoneyError("That names two currencies.")
    code = (before or after or "").upper()
    plain = _without_sign(number, code or currency)
    if _DECIMAL_COMMA.fullmatch(plain) is not None:
        # “1,5” is plain, but “1,500” would not be: a comma never stands for decimals.
        pointed = plain.replace(".", "").replace(",", ".")
        raise MoneyError(f"Decimals stand behind a point here, not a comma: {pointed}.")
    if _NUMBER.fullmatch(plain) is None:
        raise MoneyError(f"“{args.strip()[:40]}” is not an amount.")
    unit = _checked(code) if code else currency
    decimals = exponent_of(unit)
    if len(plain.partition(".")[2]) > decimals:
        # “1.000” may be meant as a thousand.
        raise MoneyError(f"{unit} has {decimals} decimals; “{args.strip()[:40]}” has more.")
    money = Money.parse(plain.replace("−", "-"), unit)
    if money.amount_minor <= 0:
        raise MoneyError("An amount must be more than zero.")
    return money


def _checked(code: str) -> str:
    """The code itself; raises `MoneyError` for one that is no currency's."""
    try:
        exponent_of(code)
    except MoneyError:
        raise MoneyError(f"“{code}” is not the code of a currency.") from None
    return code


def _without_sign(number: str, currency: str) -> str:
    """The digits alone. Raises `MoneyError` where the sign means another currency."""
    sign = next((s for s in SIGNS if number.startswith(s) or number.endswith(s)), None)
    if sign is None:
        return number
    check_sign(sign, currency)
    return number.removeprefix(sign).removesuffix(sign)
