"""Prices as CLDR writes them, read back: every locale and currency that babel knows.

The reader is told the currency (a page nearly always names it) and, in a second count, the page's
language too. Three-decimal currencies are written with all their decimals in every locale and
read with the language known; `19.900 JOD` and a machine's `19.900` are read without it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from babel import Locale
from babel.core import get_global
from babel.localedata import locale_identifiers
from babel.numbers import format_currency

from bot.links.recognise.amounts import machine_amount, read_amount
from wallet_core.money import exponent_of

THREE_DECIMALS = ("KWD", "BHD", "OMR", "JOD", "TND", "IQD", "LYD")
#: ISO 4217 gives the Iraqi dinar three decimals, CLDR writes it with none.
_THREE_IN_CLDR = tuple(code for code in THREE_DECIMALS if code != "IQD")
_AMOUNTS = ("0.05", "0.99", "5", "9.9", "19.9", "123.45", "999", "1000", "1234.56", "19900",
            "123456.78", "1234567.89", "20000000")  # fmt: skip
_FINE_AMOUNTS = ("0.250", "3.450", "19.900", "999.999", "1234.500", "1234567.005")
_FORMS: tuple[Literal["standard", "accounting", "name"], ...] = ("standard", "accounting", "name")
#: In quick mode every such pair of locale and currency is read; primes, so that all take part.
_QUICK_STEP = 97


@dataclass
class Tally:
    """How many of some prices were read right."""

    right: int = 0
    total: int = 0

    def add(self, *, right: bool) -> None:
        """Count one price."""
        self.right += right
        self.total += 1

    @property
    def share(self) -> float:
        """Right among all."""
        return self.right / self.total if self.total else 0.0


def cldr_accuracy(*, full: bool) -> tuple[Tally, Tally]:
    """Prices read back without and with the page's language known; all pairs when `full`."""
    blind, knowing = Tally(), Tally()
    for tag, currency, amount, text in _written(1 if full else _QUICK_STEP):
        exponent = exponent_of(currency)
        blind.add(right=read_amount(text, exponent=exponent) == amount)
        knowing.add(right=read_amount(text, exponent=exponent, language=tag) == amount)
    return blind, knowing


def three_decimal_accuracy(*, full: bool) -> Tally:
    """Prices with three decimals, in every locale's format and as machines write them."""
    tally = Tally()
    for number, tag in enumerate(sorted(locale_identifiers())):
        locale = Locale.parse(tag)
        for place, currency in enumerate(THREE_DECIMALS):
            if not full and (number + place) % 3:
                continue
            amount = Decimal(_FINE_AMOUNTS[(number + place) % len(_FINE_AMOUNTS)])
            text = format_currency(
                amount, currency, "#,##0.000 ¤", locale=locale, currency_digits=False
            )
            tally.add(right=read_amount(text, exponent=3, language=tag) == amount)
            if currency in _THREE_IN_CLDR:
                own = format_currency(amount, currency, locale=locale)
                tally.add(right=read_amount(own, exponent=3, language=tag) == amount)
    for currency in THREE_DECIMALS:
        for written in _FINE_AMOUNTS:
            tally.add(right=machine_amount(written) == Decimal(written))
            tally.add(right=read_amount(f"{written} {currency}", exponent=3) == Decimal(written))
    return tally


def _written(step: int) -> Iterator[tuple[str, str, Decimal, str]]:
    currencies = sorted(get_global("all_currencies"))
    fractions = get_global("currency_fractions")
    for number, tag in enumerate(sorted(locale_identifiers())):
        locale = Locale.parse(tag)
        for place, currency in enumerate(currencies):
            if (number * 31 + place) % step:
                continue
            digits = fractions.get(currency, fractions["DEFAULT"])[0]
            for form_place, form in enumerate(_FORMS):
                plain = Decimal(_AMOUNTS[(number + 3 * place + 5 * form_place) % len(_AMOUNTS)])
                amount = plain.quantize(Decimal(1).scaleb(-digits)) or Decimal(7)
                text = format_currency(amount, currency, locale=locale, format_type=form)
                yield tag, currency, amount, text
