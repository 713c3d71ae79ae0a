"""Amounts: exact, whole, and nothing that only looks like one."""

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet_core.errors import MoneyError
from wallet_core.money import (
    AMOUNT_MINOR_MAX,
    Money,
    OwnCurrency,
    define_currency,
    exponent_of,
    known_currencies,
    own_currency,
)

CURRENCIES = st.sampled_from(sorted(known_currencies()))
AMOUNTS = st.integers(-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX)


def typed(amount_minor: int, exponent: int) -> str:
    return f"{Decimal(amount_minor).scaleb(-exponent):f}"


@pytest.mark.parametrize(
    ("currency", "exponent"),
    [
        ("CNY", 2), ("USD", 2), ("EUR", 2), ("JPY", 0), ("KRW", 0), ("VND", 0), ("CLP", 0),
        ("KWD", 3), ("BHD", 3), ("JOD", 3), ("OMR", 3), ("TND", 3), ("IQD", 3), ("LYD", 3),
        ("TWD", 2), ("HUF", 2), ("IDR", 2), ("SEK", 2), ("ISK", 0), ("UGX", 0), ("XAF", 0),
        ("UYW", 4), ("CLF", 4), ("SAT", 0),
    ],
)  # fmt: skip
def test_exponents_are_those_of_iso_4217(currency: str, exponent: int) -> None:
    assert exponent_of(currency) == exponent


@pytest.mark.parametrize("code", ["", "cny", "XYZ", "¥", "CNYX", "12"])
def test_an_unknown_currency_is_an_error(code: str) -> None:
    with pytest.raises(MoneyError):
        exponent_of(code)
    with pytest.raises(MoneyError):
        Money(1, code)


@pytest.mark.parametrize(
    ("text", "currency", "amount_minor"),
    [
        ("12", "CNY", 1200),
        ("12.5", "CNY", 1250),
        ("¥12.50", "CNY", 1250),
        ("￥12.50", "CNY", 1250),
        (" 1,200.00 ", "CNY", 120_000),
        ("1,234,567.89", "USD", 123_456_789),
        ("12 CNY", "CNY", 1200),
        ("CNY 12", "CNY", 1200),
        ("1200", "JPY", 1200),
        ("1,200", "JPY", 1200),
        ("1.250", "KWD", 1250),
        ("0.01", "EUR", 1),
        (".5", "EUR", 50),
        ("500", "SAT", 500),
        ("１２", "CNY", 1200),
    ],
)
def test_what_people_type_is_read(text: str, currency: str, amount_minor: int) -> None:
    assert Money.parse(text, currency) == Money(amount_minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("", "CNY"),
        ("¥", "CNY"),
        ("abc", "CNY"),
        ("1.2.3", "CNY"),
        ("1,2", "CNY"),
        ("12,50", "CNY"),
        ("1,2345", "CNY"),
        ("0.001", "CNY"),
        ("1.5", "JPY"),
        ("1.2345", "KWD"),
        ("NaN", "CNY"),
        ("inf", "CNY"),
        ("-Infinity", "CNY"),
        ("9" * 60, "CNY"),
        ("10000000000000.01", "CNY"),
        ("1e99999999", "CNY"),
        ("0x10", "CNY"),
        ("5 USD", "CNY"),
    ],
)
def test_what_is_no_amount_of_the_currency_is_refused(text: str, currency: str) -> None:
    with pytest.raises(MoneyError) as refused:
        Money.parse(text, currency)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("$4.90", "EUR"),
        ("￥4", "USD"),
        ("€5", "CNY"),
        ("£1", "KWD"),
        ("$5", "SAT"),
        ("$4 EUR", "EUR"),
    ],
)
def test_the_sign_of_another_currency_is_refused(text: str, currency: str) -> None:
    with pytest.raises(MoneyError, match=rf"is not the sign of {currency}; write the currency's"):
        Money.parse(text, currency)


@pytest.mark.parametrize("text", ["$$5", "$¥5", "$€5", "5$"])
def test_more_than_one_sign_in_front_is_no_amount(text: str) -> None:
    with pytest.raises(MoneyError, match="is not an amount"):
        Money.parse(text, "USD")


@pytest.mark.parametrize("currency", ["USD", "CLP", "TWD", "XCD"])
def test_a_sign_that_may_mean_the_currency_is_read(currency: str) -> None:
    assert Money.parse("$5", currency) == Money.parse("5", currency)


@pytest.mark.parametrize(
    "text",
    [
        "1.00000000000000000000000000000000001",
        "1_0",
        "1e2",
        "1.000",  # a thousand to some, one to others
    ],
)
def test_what_a_person_hardly_meant_is_refused(text: str) -> None:
    with pytest.raises(MoneyError):
        Money.parse(text, "CNY")


@given(CURRENCIES, AMOUNTS)
def test_every_amount_survives_being_typed(currency: str, amount_minor: int) -> None:
    text = typed(amount_minor, exponent_of(currency))
    assert Money.parse(text, currency).amount_minor == amount_minor


@given(CURRENCIES, AMOUNTS, st.text("0123456789", min_size=1, max_size=5))
def test_more_decimals_than_the_currency_has_are_never_rounded(
    currency: str, amount_minor: int, more: str
) -> None:
    text = typed(abs(amount_minor), exponent_of(currency))
    text += ("" if "." in text else ".") + more
    if int(more) == 0:
        return
    with pytest.raises(MoneyError):
        Money.parse(text, currency)


@given(CURRENCIES, AMOUNTS)
def test_what_is_written_shows_every_digit(currency: str, amount_minor: int) -> None:
    text = Money(amount_minor, currency).format()
    exponent = exponent_of(currency)
    digits = "".join(c for c in text if c.isdigit())
    assert int(digits) == abs(amount_minor)
    assert text.startswith("-") == (amount_minor < 0)
    assert ("." in text.rpartition(" ")[2].strip(currency)) == (exponent > 0) or "." in currency


@pytest.mark.parametrize(
    ("amount_minor", "currency", "text"),
    [
        (19_900, "CNY", "¥199.00"),
        (120_000, "CNY", "¥1,200.00"),
        (-500, "CNY", "-¥5.00"),
        (1_200, "JPY", "JP¥1,200"),
        (1_250, "KWD", "KWD 1.250"),
        (500, "SAT", "500 SAT"),
        (0, "EUR", "€0.00"),
    ],
)
def test_amounts_are_written_as_people_write_them(
    amount_minor: int, currency: str, text: str
) -> None:
    assert Money(amount_minor, currency).format() == text


@pytest.mark.parametrize("text", ["¥199.00", "¥1,200.00", "¥0.01"])
def test_what_is_shown_can_be_typed_again(text: str) -> None:
    assert Money.parse(text, "CNY").format() == text


@pytest.mark.parametrize("amount", [1.0, True, "1", None, Decimal(1)])
def test_only_a_whole_number_is_an_amount(amount: object) -> None:
    with pytest.raises(MoneyError):
        Money(amount, "CNY")  # type: ignore[arg-type]  # that is what is tested


def test_an_amount_beyond_the_limit_is_refused() -> None:
    Money(AMOUNT_MINOR_MAX, "CNY")
    with pytest.raises(MoneyError):
        Money(AMOUNT_MINOR_MAX + 1, "CNY")


# --- currencies of the instance's own --------------------------------------------------------


@pytest.fixture(autouse=True, scope="module")
def _kudos() -> None:
    define_currency("KUDOS", 0, "kudos")


def test_points_of_a_community_are_money_like_any_other() -> None:
    assert exponent_of("KUDOS") == 0
    assert "KUDOS" in known_currencies()
    assert Money.parse("1,200", "KUDOS") == Money(1200, "KUDOS")
    assert Money(1200, "KUDOS").format() == "1,200 KUDOS"
    with pytest.raises(MoneyError):
        Money.parse("1.5", "KUDOS")


def test_the_same_definition_again_changes_nothing() -> None:
    define_currency("KUDOS", 0, "kudos")
    assert own_currency("KUDOS") == OwnCurrency(0, "kudos")
    assert own_currency("CNY") is None


@pytest.mark.parametrize(
    ("code", "exponent", "name"),
    [
        ("CNY", 2, "yuan"),
        ("KUDOS", 1, "kudos"),
        ("KUDOS", 0, "other points"),
        ("SAT", 2, "satoshi"),
        ("kudos", 0, "kudos"),
        ("A/B", 0, "slash"),
        ("X" * 11, 0, "long"),
        ("POINTS", 5, "points"),
        ("POINTS", -1, "points"),
    ],
)
def test_a_definition_that_cannot_be_is_refused_in_one_sentence(
    code: str, exponent: int, name: str
) -> None:
    with pytest.raises(MoneyError) as refused:
        define_currency(code, exponent, name)
    assert str(refused.value).endswith(".")
    assert "POINTS" not in known_currencies()


def test_an_amount_full_of_accents_is_refused_at_once() -> None:
    began = time.process_time()
    with pytest.raises(MoneyError, match="is not an amount"):
        Money.parse("5" + "\u0345\u0301\u0327\u0334" * 15_000, "EUR")
    assert time.process_time() - began < 1
