"""Digits and decimal marks of every script and locale."""

import pytest
from babel import Locale
from babel.localedata import locale_identifiers

from bot.links.recognise.numerals import decimal_mark, western


def test_the_decimal_mark_of_a_third_of_all_locales_is_known() -> None:
    wrong = []
    for tag in sorted(locale_identifiers())[::3]:
        symbols = Locale.parse(tag).number_symbols.get("latn")
        if symbols and decimal_mark(tag) != symbols.get("decimal"):
            wrong.append(tag)
    # Written in scripts of their own, some regions follow their neighbours.
    assert len(wrong) <= 8, wrong


@pytest.mark.parametrize(
    ("tag", "mark"),
    [("de", ","), ("de-CH", "."), ("pt_BR", ","), ("es-MX", "."), ("es", ","), ("en", "."),
     ("en-ZA", ","), ("ar-MA", ","), ("zh-Hans-CN", "."), ("", None), ("<b>", None)],
)  # fmt: skip
def test_the_region_decides_over_the_language(tag: str, mark: str | None) -> None:
    assert decimal_mark(tag) == mark


def test_digits_of_all_scripts_become_western_and_marks_plain() -> None:
    assert western("١٢٣٫٤٥") == "123٫45"
    assert western("১২,৩৪,৫৬৭") == "12,34,567"
    assert western("\u200f１，２９９．００\u202f円") == "1,299.00 円"
    assert western("1’234.50") == "1'234.50"
