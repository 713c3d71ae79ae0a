"""What Shopify's and WooCommerce's own software answers."""

import json

import pytest

from bot.catalogue import shopify, woocommerce
from bot.catalogue.record import Found, UnreadableCatalogue
from tests.bot.catalogue.feeds import HOSTS, SHOPIFY, items, problems, woo_prices, woo_product

SHOP = "https://shop.example/"


def shopify_page(answer: object, currency: str = "EUR") -> list[Found]:
    body = json.dumps(answer).encode()
    return shopify.read_shopify_page(body, SHOP, currency, HOSTS)[1]


def woo_page(*products: object) -> list[Found]:
    body = json.dumps(products).encode()
    return woocommerce.read_woocommerce_page(body, SHOP, HOSTS)[1]


def test_each_variant_of_a_shopify_product_is_an_item_of_its_own() -> None:
    blue, white, tea = items(shopify_page(SHOPIFY))
    assert (blue.url, blue.page_url) == (
        "https://shop.example/products/ceramic-cup?variant=9001",
        "https://shop.example/products/ceramic-cup",
    )
    assert (blue.price_minor, blue.list_price_minor, blue.currency) == (2400, 3000, "EUR")
    assert (blue.full_title, blue.sku, blue.brand) == ("Ceramic Cup · Blue", "CUP-B", "Tea House")
    assert blue.picture == "https://cdn.shop.example/cup.jpg"
    assert (white.availability, white.sku) == ("OutOfStock", None)
    assert white.picture == "https://cdn.shop.example/white.jpg"
    assert (tea.full_title, tea.list_price_minor) == ("Green tea", None)


def test_the_currency_is_that_of_the_shops_own_data() -> None:
    assert shopify.currency_in(b'{"id": 1, "currency": "GBP", "country": "GB"}') == "GBP"
    for answer in (b"{}", b"[]", b"", b'{"currency": 5}', b"<html>"):
        with pytest.raises(UnreadableCatalogue):
            shopify.currency_in(answer)


def test_shopify_pages_are_asked_for_one_by_one() -> None:
    url = "https://shop.example/collections/tea/products.json?limit=9"
    assert shopify.page_url(url, 3) == (
        "https://shop.example/collections/tea/products.json?limit=250&page=3"
    )
    assert shopify.page_url("https://shop.example", 1).startswith(
        "https://shop.example/products.json?"
    )
    assert shopify.meta_url(url) == "https://shop.example/meta.json"


def test_odd_shopify_products_are_problems_and_never_crash() -> None:
    odd = {"products": [{"id": 1}, 7, {"handle": "a", "variants": [{"id": 2, "price": None}, 3]}]}
    assert len(problems(shopify_page(odd))) == 2
    nothing: tuple[object, ...] = ({}, [], {"products": 5})
    for answer in nothing:
        with pytest.raises(UnreadableCatalogue):
            shopify_page(answer)


@pytest.mark.parametrize(
    ("price", "currency", "unit", "minor"),
    [
        ("1999", "EUR", 2, 1999),
        ("199900", "EUR", 4, 1999),
        ("20", "EUR", 0, 2000),
        ("1200", "JPY", 0, 1200),
        ("120000", "JPY", 2, 1200),
        ("1250", "KWD", 3, 1250),
    ],
)
def test_woocommerces_minor_units_are_those_that_it_names(
    price: str, currency: str, unit: int, minor: int
) -> None:
    prices = woo_prices(price, currency=currency, unit=unit)
    (book,) = items(woo_page(woo_product(1, prices=prices)))
    assert (book.price_minor, book.currency) == (minor, currency)


def test_a_woocommerce_product_is_read() -> None:
    (book,) = items(woo_page(woo_product(1)))
    assert (book.title, book.url) == ("Book – 1", "https://shop.example/product/book-1/")
    assert (book.price_minor, book.list_price_minor) == (1999, 2499)
    assert (book.availability, book.sku) == ("InStock", "B-1")
    assert book.picture == "https://shop.example/wp-content/book.jpg"


def test_woocommerces_availability_is_what_can_be_bought() -> None:
    found = items(
        woo_page(
            woo_product(1, is_in_stock=False),
            woo_product(2, is_purchasable=False),
            woo_product(3, is_on_backorder=True),
        )
    )
    assert [book.availability for book in found] == ["OutOfStock", "OutOfStock", "BackOrder"]


def test_a_product_with_several_prices_is_left_to_its_variations() -> None:
    variable = woo_product(1, type="variable", prices=woo_prices("1000", spread=True))
    body = json.dumps([variable, woo_product(2, type="grouped")]).encode()
    first, found, varying = woocommerce.read_woocommerce_page(body, SHOP, HOSTS)
    assert (first, found, varying) == ("1", [], True)
    variation = woo_product(
        3,
        type="variation",
        parent=1,
        variation="Colour: Blue",
        permalink="https://shop.example/product/book-1/?attribute_pa_colour=blue",
    )
    (blue,) = items(woo_page(variation))
    assert blue.full_title == "Book – 3 · Colour: Blue"
    assert blue.page_url == "https://shop.example/product/book-1/"


def test_odd_woocommerce_products_are_problems_and_never_crash() -> None:
    bad = [
        woo_prices("12.50"),
        woo_prices("1250", unit=None),
        woo_prices("1250", unit=True),
        woo_prices("1250", currency="Taler"),
        woo_prices("0"),
        woo_prices("1" * 30),
        None,
    ]
    assert len(problems(woo_page(*(woo_product(1, prices=prices) for prices in bad)))) == len(bad)
    with pytest.raises(UnreadableCatalogue):
        woocommerce.read_woocommerce_page(b'{"code": "rest_no_route"}', SHOP, HOSTS)


def test_woocommerce_pages_are_asked_for_one_by_one() -> None:
    url = "https://shop.example/blog/wp-json/wc/store/v1/products?orderby=date"
    assert woocommerce.page_url(url, 2) == (
        "https://shop.example/blog/wp-json/wc/store/v1/products?per_page=100&page=2"
    )
    assert woocommerce.page_url(SHOP, 1, variations=True).endswith("page=1&type=variation")
