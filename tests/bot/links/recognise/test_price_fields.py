"""Price fields for machines: what can be read in two ways, or says more, is in doubt."""

import json

import pytest

from bot.links.recognise import Sighting, recognise

URL = "https://shop.example/p/tea"
NO_PLAIN_PRICE = "stands beside words that may make it another"


def json_ld(price: str, currency: str) -> str:
    """A product whose offer has `price` as JSON writes it."""
    return (
        '<script type="application/ld+json">{"@type": "Product", "name": "Tea", "offers": '
        f'{{"@type": "Offer", "price": {price}, "priceCurrency": "{currency}"}}}}</script>'
    )


def tags(**named: str) -> str:
    """Meta tags `product:price:amount`, where `_` stands for a colon and `__` for itself."""
    return "".join(
        f'<meta property="{name.replace("__", "#").replace("_", ":").replace("#", "_")}" '
        f'content="{text}">'
        for name, text in named.items()
    )


def page(head: str, shown: str = "", *, lang: str = "en") -> Sighting:
    body = f'<p class="price">{shown}</p><button>Add to cart</button>' if shown else ""
    html = f'<html lang="{lang}"><head>{head}</head><body><h1>Tea</h1>{body}</body></html>'
    return recognise(html.encode(), URL)


def two_ways(seen: Sighting) -> bool:
    return any("may mean" in doubt for doubt in seen.disagreements)


@pytest.mark.parametrize(
    ("written", "currency", "minor"),
    [
        ("19,900", "TND", 19_900_000),
        ("250.000", "VND", 250),
        ("12.000", "IDR", 1200),
        ("45.900", "COP", 4590),
        ("1.500", "EUR", 150),
        ("19.900 KWD", "KWD", 19_900_000),
    ],
)
def test_three_digits_behind_one_mark_that_may_be_decimals_or_thousands_are_a_doubt(
    written: str, currency: str, minor: int
) -> None:
    for head in (
        json_ld(json.dumps(written), currency),
        tags(product_price_amount=written, product_price_currency=currency),
    ):
        seen = page(head)
        assert (seen.price_minor, two_ways(seen)) == (minor, True)


@pytest.mark.parametrize(
    ("written", "currency", "minor"),
    [
        ('"19.900"', "JOD", 19_900),
        ('"1,234.500"', "JOD", 1_234_500),
        ('"1,299"', "EUR", 129_900),
        ('"1,500"', "USD", 150_000),
        ('"30,000"', "KRW", 30_000),
        ('"1.500,00"', "EUR", 150_000),
        ('"0.500"', "EUR", 50),
        ('"1500.000"', "EUR", 150_000),
        ('"1.5000"', "EUR", 150),
        ("1.500", "EUR", 150),
        ("250.000", "VND", 250),
    ],
)
def test_numbers_of_json_and_what_is_plain_in_its_currency_are_no_doubt(
    written: str, currency: str, minor: int
) -> None:
    seen = page(json_ld(written, currency))
    assert (seen.price_minor, seen.disagreements) == (minor, ())


def test_what_the_page_shows_settles_which_reading_is_meant() -> None:
    seen = page(json_ld('"1.500"', "EUR"), "1,50 €")
    assert (seen.price_minor, seen.disagreements) == (150, ())
    seen = page(json_ld('"23.450"', "INR"), "₹23,450")
    assert (seen.price_minor, two_ways(seen)) == (2_345_000, False)
    assert seen.disagreements  # The data as they stand mean another amount.
    seen = page(json_ld('"19,900"', "TND"), "19,900 DT", lang="fr-TN")
    assert seen.price_minor == 19_900
    assert seen.disagreements


def test_the_same_writing_on_the_page_settles_nothing_in_a_currency_with_a_third_decimal() -> None:
    assert two_ways(page(json_ld('"19,900"', "TND"), "19,900 TND"))


def test_another_source_that_can_be_read_in_one_way_settles_it() -> None:
    plain = tags(product_price_amount="1.50", product_price_currency="EUR")
    assert page(json_ld('"1.500"', "EUR") + plain).disagreements == ()
    same = tags(product_price_amount="1.500", product_price_currency="EUR")
    assert two_ways(page(json_ld('"1.500"', "EUR") + same))


@pytest.mark.parametrize(
    ("written", "currency", "is_odd"),
    [
        ("$10.00", "EUR", True),
        ("£10.00", "EUR", True),
        ("10.00 USD", "CAD", True),
        ("R$ 10,00", "USD", True),
        ("$10.00", "USD", False),
        ("$10.00", "CAD", False),
        ("US$ 10.00", "USD", False),
        ("10,00 €", "EUR", False),
        ("10.00 eur", "EUR", False),
        ("¥10", "CNY", False),
    ],
)
def test_a_sign_that_cannot_mean_the_named_currency_is_a_doubt(
    written: str, currency: str, *, is_odd: bool
) -> None:
    for head in (
        json_ld(json.dumps(written), currency),
        tags(product_price_amount=written, product_price_currency=currency),
    ):
        doubts = page(head).disagreements
        assert [f"name {currency}" in doubt for doubt in doubts] == ([True] if is_odd else [])


@pytest.mark.parametrize(
    "written",
    ["from 10", "from €10.00", "ab 10,00", "ab 10,00 €", "à partir de 10,00 €", "desde 10 €",
     "10,00 € / Monat", "10.00 per month", "10,00 €/mois", "10 €/kg", "10 € per kg", "10+",
     "10 €~", "10 € excl. VAT", "от 10", "月々10€"],
)  # fmt: skip
def test_words_that_make_a_number_another_thing_than_the_price_are_a_doubt(written: str) -> None:
    microdata = (
        '<div itemscope itemtype="https://schema.org/Product"><h2 itemprop="name">Tea</h2><div '
        'itemprop="offers" itemscope itemtype="https://schema.org/Offer"><b itemprop="price">'
        f'{written}</b><meta itemprop="priceCurrency" content="EUR"></div></div>'
    )
    for head in (
        json_ld(json.dumps(written), "EUR"),
        tags(product_price_amount=written, product_price_currency="EUR"),
        microdata,
    ):
        seen = page(head)
        assert seen.price_minor == 1000
        assert NO_PLAIN_PRICE in seen.disagreements[0]


@pytest.mark.parametrize(
    "written",
    ["10.00", " 10 ", "10,00 €", "EUR 10.00", "€10.00 incl. VAT", "Price: €10.00", "Now 10.00 EUR",
     "10,00 € inkl. MwSt.", "Nur 10,00 €", "Цена: 10 €", "10,00 euros", "10 €(税込)", "10.-"],
)  # fmt: skip
def test_words_that_only_say_that_it_is_the_price_are_none(written: str) -> None:
    seen = page(json_ld(json.dumps(written), "EUR"))
    assert (seen.price_minor, seen.disagreements) == (1000, ())


EURO = tags(product_price_currency="EUR")


@pytest.mark.parametrize(
    ("head", "doubt"),
    [
        (tags(product_price_amount="10", og_price_amount="12") + EURO, "prices: 10, 12"),
        (tags(product_price_amount="10") + tags(product_price_amount="12") + EURO,
         "prices: 10, 12"),
        (tags(product_sale__price_amount="10", product_price_amount="15", og_price_amount="12")
         + EURO, "prices: 10, 12"),
        (tags(product_price_amount="10", og_price_amount="8", product_original__price_amount="10")
         + EURO, "prices: 8, 10"),
        (tags(product_price_amount="10", og_price_currency="USD") + EURO, "currencies: EUR, USD"),
        (tags(product_price_amount="10") + EURO + tags(product_price_currency="USD"),
         "currencies: EUR, USD"),
    ],
)  # fmt: skip
def test_tags_that_name_different_prices_or_currencies_are_a_doubt(head: str, doubt: str) -> None:
    seen = page(head)
    assert seen.price_minor == 1000
    assert doubt in seen.disagreements[0]


@pytest.mark.parametrize(
    ("head", "list_price_minor"),
    [
        (tags(product_price_amount="10", og_price_amount="10.00"), None),
        (tags(product_price_amount="10") + tags(product_price_amount="10,00 €"), None),
        (tags(product_price_amount="10", og_price_currency="eur"), None),
        (tags(product_sale__price_amount="10", product_price_amount="15"), 1500),
        (tags(product_sale__price_amount="10", product_price_amount="15", og_price_amount="10"),
         1500),
        (tags(product_price_amount="10", product_original__price_amount="15"), 1500),
        (tags(product_price_amount="10", og_price_amount="15", og_price_standard__amount="15"),
         1500),
    ],
)  # fmt: skip
def test_tags_that_agree_or_name_a_reduction_are_plain(
    head: str, list_price_minor: int | None
) -> None:
    seen = page(head + EURO)
    assert (seen.price_minor, seen.list_price_minor) == (1000, list_price_minor)
    assert seen.disagreements == ()
