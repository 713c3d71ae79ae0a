"""What is billed in Stars, and what through a payment provider."""

import pytest

from wallet_core.funding.telegram_payments import Bill, CardPayments
from wallet_core.funding.telegram_stars import Stars
from wallet_core.money import Money


@pytest.mark.parametrize(
    ("amount_minor", "stars"),
    [(100, 11), (1, 1), (9, 1), (10, 2), (19_900, 2_189), (2_990, 329)],
)
def test_stars_are_rounded_up_so_that_nothing_is_sold_below_its_price(
    amount_minor: int, stars: int
) -> None:
    collector = Stars("CNY", 11, frozenset({"*"}))
    assert collector.bill(Money(amount_minor, "CNY"), "a.example") == Bill(stars, "XTR")


def test_a_currency_without_decimals_is_billed_by_its_own_unit() -> None:
    assert Stars("JPY", 2, frozenset({"*"})).bill(Money(300, "JPY"), "a") == Bill(600, "XTR")


def test_digital_goods_are_billed_in_stars_only_and_others_never() -> None:
    digital = frozenset({"books.example"})
    stars, cards = Stars("CNY", 11, digital), CardPayments(digital)
    price = Money(500, "CNY")
    assert stars.bill(price, "books.example") == Bill(55, "XTR")
    assert cards.bill(price, "books.example") is None
    assert stars.bill(price, "tea.example") is None
    assert cards.bill(price, "tea.example") == Bill(500, "CNY")
    assert stars.bill(Money(500, "EUR"), "books.example") is None
    # A host is exactly the one that was named.
    assert stars.bill(price, "books.example.evil.example") is None
    assert stars.bill(price, "books.example:8080") is None
