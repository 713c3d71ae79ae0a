import pytest

from bot.commands.amounts import amount_in
from wallet_core.errors import MoneyError
from wallet_core.money import Money


@pytest.mark.parametrize(
    ("written", "minor", "currency"),
    [
        ("500", 50000, "CNY"),
        ("12.5", 1250, "CNY"),
        ("1,200.00", 120000, "CNY"),
        ("¥12.50", 1250, "CNY"),
        ("￥12", 1200, "CNY"),
        ("20元", 2000, "CNY"),
        ("500 元", 50000, "CNY"),
        ("¥ 12.50", 1250, "CNY"),
        ("$ 5 USD", 500, "USD"),
        ("５００", 50000, "CNY"),
        ("500 usd", 50000, "USD"),
        ("usd 500", 50000, "USD"),
        ("$5 USD", 500, "USD"),
        ("500JPY", 500, "JPY"),
        ("¥500 JPY", 500, "JPY"),
        ("1.250 KWD", 1250, "KWD"),
        ("21 sat", 21, "SAT"),
    ],
)
def test_an_amount_is_read_as_people_write_it(written: str, minor: int, currency: str) -> None:
    assert amount_in(written, "CNY") == Money(minor, currency)


@pytest.mark.parametrize(
    "written",
    [
        "", "abc", "0", "0.00", "-5", "−5", "1e5", "1_000", "12.345", "12,50", "5 5", "NaN",
        "infinity", "5 ABC", "CNY 5 USD", "$5", "€5", "¥5 USD", "9" * 40, "500 please", "..", "¥",
        "¥¥5", "5\u200b", "1.000", "5.00 JPY", "5.5 SAT",
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused_in_one_sentence(written: str) -> None:
    with pytest.raises(MoneyError) as caught:
        amount_in(written, "CNY")
    assert str(caught.value).endswith((".", "?"))


@pytest.mark.parametrize(
    ("written", "pointed"), [("1,5", "1.5"), ("12,50 EUR", "12.50"), ("1.234,50", "1234.50")]
)
def test_whoever_writes_a_decimal_comma_is_told_how_to_write_it(written: str, pointed: str) -> None:
    with pytest.raises(MoneyError) as caught:
        amount_in(written, "CNY")
    assert str(caught.value) == f"Decimals stand behind a point here, not a comma: {pointed}."
