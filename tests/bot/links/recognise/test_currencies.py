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
