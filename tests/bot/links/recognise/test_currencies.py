"""Which currency is meant."""

import pytest

from bot.links.recognise.currencies import (
    currency_code,
    currency_of_sign,
    page_regions,
    possible_currencies,
    sign_in,
)


@pytest.mark.parametrize(
    ("text", "sign"),
    [("€ 5", "€"), ("US$5", "US$"), ("5 kr", "kr"), ("EUR 5", "EUR"), ("5 Kč", "Kč"),
     ("30,000원~", "원"), ("krona 5", None), ("5/1 ARM 100", None),
     ("100 DEM", None), ("5", None), ("NEW 5", None), ("R$ 5", "R$"),
     ("5 р.", "р."), ("5 Р/шт", "Р"), ("р. 1985", None), ("5 рублей", None)],
)  # fmt: skip
def test_signs_and_codes_are_found(text: str, sign: str | None) -> None:
    assert sign_in(text) == sign


def test_only_iso_codes_are_codes() -> None:
    assert currency_code("eur") == "EUR"
    assert currency_code("RUR") == "RUB"
    assert currency_code("€") is None
    assert currency_code("ABC") is None
    assert currency_code(5) is None


def test_a_sign_can_mean_several_currencies() -> None:
    assert possible_currencies("€") == {"EUR"}
    assert {"USD", "CAD"} <= possible_currencies("$")
    assert possible_currencies("Rs") >= {"INR", "PKR"}
    assert possible_currencies("nonsense") == frozenset()


@pytest.mark.parametrize(
    ("sign", "regions", "currency"),
    [("$", (), None), ("$", ("CA",), "CAD"), ("$", ("US", "CA"), None), ("kr", ("DK",), "DKK"),
     ("£", (), "GBP"), ("£", ("IE",), "GBP"), ("£", ("EG",), "EGP"), ("¥", ("JP",), "JPY"),
     ("¥", (), None), ("€", ("US",), "EUR")],
)  # fmt: skip
def test_the_pages_country_decides_where_it_can(
    sign: str, regions: tuple[str, ...], currency: str | None
) -> None:
    assert currency_of_sign(sign, regions) == currency


def test_a_page_names_its_countries() -> None:
    assert page_regions("shop.co.uk", "/", ()) == ("GB",)
    assert page_regions("shop.io", "/", ("en-CA", "")) == ("CA",)
    assert page_regions("shop.com", "/en-nz/p", ()) == ("NZ",)
    assert page_regions("shop.com", "/p", ("en",)) == ()
    assert page_regions("shop.com", "/p", ("ja", "")) == ("JP",)
    assert page_regions("shop.com", "/dk/p", ("sv",)) == ("DK",)


@pytest.mark.parametrize(
    ("text", "currency"),
    [("100美元", "USD"), ("500日元", "JPY"), ("300 港幣", "HKD"), ("50 欧元", "EUR"),
     ("3만원", "KRW"), ("100 엔", "JPY"), ('93 ש"ח', "ILS"), ("93 ש״ח", "ILS"),
     ("120 ريال سعودي", "SAR"), ("120 درهم إماراتي", "AED"), ("ر. س 120", "SAR"),
     ("500 دج", "DZD"), ("1.000 ریال", "IRR"), ("Gs. 150.000", "PYG"), ("MXN$ 10", "MXN"),
     ("12 евро", "EUR"), ("₹ 5", "INR"), ("krona 5", None)],
)  # fmt: skip
def test_words_of_many_scripts_mean_a_currency(text: str, currency: str | None) -> None:
    sign = sign_in(text)
    assert (currency_of_sign(sign, ()) if sign else None) == currency


@pytest.mark.parametrize("sign", ["تومان", "تومن", "Toman"])
def test_a_toman_has_no_code_and_puts_data_that_name_the_rial_in_doubt(sign: str) -> None:
    assert sign_in(f"120 {sign}") == sign
    assert currency_of_sign(sign, ("IR",)) is None
    assert possible_currencies(sign) == frozenset()


def test_a_sign_of_several_countries_is_that_of_the_pages_own() -> None:
    assert currency_of_sign("C$", ()) == "CAD"
    assert currency_of_sign("C$", ("NI",)) == "NIO"
    assert currency_of_sign("Bs.", ("BO",)) == "BOB"
    assert currency_of_sign("Bs.", ()) is None
    assert currency_of_sign("圓", ("TW",)) == "TWD"
    assert currency_of_sign("圓", ()) is None


@pytest.mark.parametrize(
    ("language", "region"),
    [("ko", "KR"), ("th", "TH"), ("vi", "VN"), ("he", "IL"), ("tr", "TR"), ("uk", "UA"),
     ("hu", "HU"), ("id", "ID")],
)  # fmt: skip
def test_a_language_of_one_country_is_at_home_there(language: str, region: str) -> None:
    assert page_regions("shop.com", "/p", (language, "")) == (region,)


@pytest.mark.parametrize(
    "language", ["en", "es", "ar", "zh", "zh-Hans", "zh-Hant", "ru", "pt", "fr"]
)
def test_a_language_of_many_countries_names_none(language: str) -> None:
    assert page_regions("shop.com", "/p", (language, "")) == ()
