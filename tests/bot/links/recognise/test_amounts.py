"""Numbers that mean money."""

from decimal import Decimal

import pytest

from bot.links.recognise.amounts import machine_amount, read_amount


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1,234.56", "1234.56"), ("1.234,56", "1234.56"), ("1 234,56", "1234.56"),
        ("1\u202f234,56 €", "1234.56"), ("1'234.50", "1234.50"), ("12,34,567", "1234567"),
        ("1.234.567", "1234567"), ("15,99", "15.99"), ("15.9", "15.9"), ("1,299", "1299"),
        ("0.999", "0.999"), ("€ 20,-", "20"), ("249.-", "249"), ("Rs 23,450", "23450"),
        ("1.2万", "12000"), ("12万3,000円", "123000"), ("3,000원~", "3000"),
        ("١٢٣٫٤٥", "123.45"), ("１，２９９円", "1299"), ("$5.99 - $5.99", "5.99"),
        ("１２３元", "123"), ("٣٫٤٥", "3.45"), ("¥1,200起", "1200"), ("۱۲٬۳۴۵ تومان", "12345"),
        ("१२,३४,५६७.५० ₹", "1234567.50"), ("৳১২,৩৪,৫৬৭", "1234567"), ("CHF 1’299.–", "1299"),
        ("1.299,00 €", "1299"), ("1.299.00", "1299"), ("\u200f1,234.50\xa0د.إ.\u200f", "1234.50"),
        ("12€99", "12.99"), ("29 ,99 €", "29.99"), ("-20% € 15,99", "15.99"), ("3千円", "3000"),
        ("1億2,000万円", "120000000"), ("1만2천원", "12000"), ("三千五百円", "3500"),
        ("1,234万円", "12340000"), ("₹ 2.5 lakh", "250000"), ("₹1.2 Cr", "12000000"),
        ("$1.2K", "1200"), ("1,5 juta", "1500000"), ("1 234 567,89 zł", "1234567.89"),
        ("1,200円（税込1,320円）", "1320"), ("€ 10.00 (€ 12.10 incl. VAT)", "12.10"),
        ("5 US dollars", "5"), ("1,234.50 Mexican silver pesos (1861–1992)", "1234.50"),
    ],
)  # fmt: skip
def test_what_people_write_is_read(written: str, expected: str) -> None:
    assert read_amount(written) == Decimal(expected)


def test_a_third_decimal_is_one_only_where_the_currency_has_it() -> None:
    assert read_amount("19.900", exponent=3) == Decimal("19.900")
    assert read_amount("19.900", exponent=2) == Decimal(19900)
    assert read_amount("19.900 JOD", exponent=3) == Decimal("19.900")
    assert read_amount("19,900 JOD", exponent=3, language="de") == Decimal("19.900")
    assert read_amount("19,900 JOD", exponent=3, language="en") == Decimal(19900)


@pytest.mark.parametrize(
    "written",
    ["", "free", "€", "5 or 6", "881,00 169,00", "1" * 130, "0", "-5.00 €", "-€5", "12.50-",
     "1.2.3", "12.05.2024", "192.168.1.10", "50%", "1,200円～1,500円", "5'6"],
)  # fmt: skip
def test_what_names_no_single_amount_is_none(written: str) -> None:
    assert read_amount(written) is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("19.900", "19.900"), ("199", "199"), (199, "199"), (Decimal("9.5"), "9.5"),
     ("1,299.00", "1299.00"), ("29,9", "29.9"), (" 15.99 ", "15.99"), ("€ 15,99", "15.99")],
)  # fmt: skip
def test_machine_fields_have_a_decimal_point(raw: object, expected: str) -> None:
    assert machine_amount(raw) == Decimal(expected)


@pytest.mark.parametrize(
    "raw",
    [None, True, 0, "0.00", -5, "", "NaN", Decimal("NaN"), Decimal("Infinity"), 10**13, [], {}],
)
def test_machine_fields_without_a_price_are_none(raw: object) -> None:
    assert machine_amount(raw) is None
