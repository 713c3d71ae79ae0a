"""Prices in catalogues: exact, and refused where they can be read in two ways."""

import pytest

from bot.catalogue.amounts import BadValue, price_of


@pytest.mark.parametrize(
    ("text", "minor", "currency"),
    [
        ("12.34 EUR", 1234, "EUR"),
        ("12.34EUR", 1234, "EUR"),
        ("EUR 12.34", 1234, "EUR"),
        ("15 USD", 1500, "USD"),
        ("15.0000 USD", 1500, "USD"),
        ("12,34 EUR", 1234, "EUR"),
        ("1,234.56 USD", 123456, "USD"),
        ("1.234,56 EUR", 123456, "EUR"),
        ("1200 JPY", 1200, "JPY"),
        ("1200.00 JPY", 1200, "JPY"),
        ("1.250 KWD", 1250, "KWD"),
        ("0.500 EUR", 50, "EUR"),
        ("12.5 eur", 1250, "EUR"),
    ],
)
def test_a_price_is_read_exactly(text: str, minor: int, currency: str) -> None:
    assert price_of(text) == (minor, currency)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1.500 EUR", "two ways"),
        ("1,500 EUR", "no plain amount"),
        ("12.345 USD", "two ways"),
        ("12.3456 USD", "more decimals"),
        ("1200.50 JPY", "more decimals"),
        ("0 EUR", "zero"),
        ("-5 EUR", "no price"),
        ("EUR", "no price"),
        ("", "no price"),
        ("12.34", "names no currency"),
        ("12.34 EURO", "no currency's code"),
        ("EUR 12.34 USD", "two currencies"),
        ("99999999999999 EUR", "out of all bounds"),
        ("12..5 EUR", "no plain amount"),
        ("１２ EUR", "no price"),
        ("NaN EUR", "no price"),
    ],
)
def test_what_is_no_price_is_told_why(text: str, why: str) -> None:
    with pytest.raises(BadValue, match=why):
        price_of(text)


def test_a_column_of_currencies_counts_where_the_price_names_none() -> None:
    assert price_of("12.50", "EUR") == (1250, "EUR")
    assert price_of("12.50 EUR", "eur") == (1250, "EUR")
    assert price_of("12.50 usd", "") == (1250, "USD")
    with pytest.raises(BadValue, match=r"“USD 12\.50” names another currency than EUR"):
        price_of("USD 12.50", "EUR")
