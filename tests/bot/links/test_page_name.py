"""One name for all the ways to one product page."""

import pytest

from bot.links.fetch_types import Fetched
from bot.links.page_name import home_address, page_name


def page(url: str, body: str = "") -> str:
    return page_name(Fetched(url, 200, "text/html", "utf-8", body.encode()))


def link(address: str) -> str:
    return f'<head><link rel="canonical" href="{address}"></head>'


NAME = "shop.example/products/tea"


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("https://shop.example/products/tea", ""),
        ("http://shop.example/products/tea/", ""),
        ("https://www.shop.example/products/tea?utm_source=x#top", ""),
        ("https://m.shop.example/products/tea", ""),
        ("https://amp.shop.example/products/tea", link("https://shop.example/products/tea")),
        ("https://shop.example/products/tea/amp", link("https://shop.example/products/tea")),
        ("https://shop.example/products/tea.amp.html", link("/products/tea")),
        ("https://shop.example/collections/all/products/tea?ref=a", link("/products/tea")),
        ("https://shop.example/products/tea?from=app&list=7", link("https://www.shop.example/products/tea")),
        ("https://shop.example/products/tea?amp=1", "<meta property=og:url content='https://shop.example/products/tea'>"),
        ("https://shop.example/products/tea/index.html", link("/products/tea")),
        ("https://shop.example/products/tea/ref=a1", link("/products/tea")),
        ("https://shop.example/item?handle=tea&from=a", link("/products/tea")),
        ("https://shop.example/item?id=tea", link("/products/tea")),
        ("https://shop.example/x/tea", "<META CONTENT=/products/tea PROPERTY=og:url>"),
    ],
)  # fmt: skip
def test_ways_to_one_product_have_one_name(url: str, body: str) -> None:
    assert page(url, body) == NAME


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("https://shop.example/products/cup", link("https://shop.example/")),
        ("https://shop.example/products/cup", link("https://other.example/products/tea")),
        ("https://shop.example/products/cup", link("https://shop.example/products/tea")),
        ("https://shop.example:8443/products/tea", ""),
        ("https://shop.example/products/tea?variant=7", link("https://shop.example/products/tea")),
        ("https://shop.example/item?id=7", link("https://shop.example/item")),
        ("https://eu.shop.example/products/tea", link("https://shop.example/products/tea")),
        ("https://shop.example/products/cup", link("javascript:alert(1)")),
        ("https://shop.example/products/cup", link("")),
    ],
)
def test_a_page_that_names_another_thing_is_not_believed(url: str, body: str) -> None:
    assert page(url, body) != NAME


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("https://shop.example/p/12345", "/green-tea-12345"),
        ("https://shop.example/12345-green-tea.html", "/p/12345"),
        ("https://shop.example/item?id=12345", "/p/12345"),
        ("https://shop.example/item?id=12345", "/green-tea-12345"),
    ],
)
def test_an_article_number_tells_what_a_page_is_about(url: str, named: str) -> None:
    assert page(url, link(named)) == f"shop.example{named}"


@pytest.mark.parametrize(
    ("one", "two", "named"),
    [
        # The front page in some language, a category: the same for all that a shop sells.
        ("/p/green-tea", "/p/golden-pen", "/en"),
        ("/p/cup-deluxe", "/p/deep-plate", "/de/"),
        ("/p/cup", "/p/tea", "/shop"),
        ("/p/green-tea", "/p/red-tea", "/p/tea"),
        ("/p/1", "/p/12", "/p/12"),
        ("/tea/500g", "/tea/100g", "/tea"),
        ("/?product=tea", "/?product=cup", "/"),
        # The address without what chooses.
        ("/tea?weight=500g", "/tea?weight=100g", "/tea"),
        ("/tea?attribute_pa_gewicht=1kg", "/tea?attribute_pa_gewicht=100g", "/tea"),
        ("/tea?options%5B1%5D=L", "/tea?options%5B1%5D=S", "/tea"),
        ("/tea?variantColor=red", "/tea?variantColor=blue", "/tea"),
        ("/tea?%E8%A7%84%E6%A0%BC=1", "/tea?%E8%A7%84%E6%A0%BC=2", "/tea"),
        ("/tea?currency=USD", "/tea?currency=EUR", "/tea"),
        ("/view.php?goodsno=1", "/view.php?goodsno=2", "/view.php"),
        ("/detail.html?product_no=1", "/detail.html?product_no=2", "/detail.html"),
        ("/item?artnr=A7", "/item?artnr=A8", "/item"),
        # The first of all that it sells.
        ("/tea?variant=1", "/tea?variant=12", "/tea?variant=12"),
        ("/tea?size=S&size=M", "/tea?size=S&size=L", "/tea"),
    ],
)
def test_one_name_for_two_products_is_not_believed(one: str, two: str, named: str) -> None:
    host = "https://shop.example"
    assert page(host + one, link(named)) != page(host + two, link(named))


def test_variants_of_one_page_are_two() -> None:
    body = link("https://shop.example/products/tea")
    one = page("https://shop.example/products/tea?variant=1&utm_source=x", body)
    two = page("https://shop.example/products/tea?variant=2", body)
    assert one != two
    assert one == page("https://m.shop.example/products/tea?from=app&variant=1", body)


def test_a_page_made_to_slow_the_search_does_not() -> None:
    for unit in ("<link ", "<meta property=og:url content=", '<link rel="canonical" href="', "<"):
        page("https://shop.example/p", unit * 50_000)


@pytest.mark.parametrize(
    ("url", "named", "expected"),
    [
        ("https://m.a.com/tea", "https://www.a.com/tea", "https://www.a.com/tea"),
        ("https://a.com/tea", "https://www.a.com/tea?utm_source=x", "https://www.a.com/tea"),
        ("https://www.a.com/tea", "https://www.a.com/tea", None),
        ("https://m.a.com/tea", "https://evil.com/tea", None),
        ("https://m.a.com/tea", "https://www.a.com/", None),
        ("https://m.a.com/tea", "", None),
        # What chooses among several is chosen at home as well.
        (
            "https://m.a.com/tea?variant=2",
            "https://www.a.com/tea",
            "https://www.a.com/tea?variant=2",
        ),
        ("https://m.a.com/item?id=7&from=a", "https://a.com/item", "https://a.com/item?id=7"),
        ("https://m.a.com/tea?variant=2", "https://a.com/tea?variant=1", None),
        ("https://m.a.com/tea?variant=1", "https://a.com/tea?variant=12", None),
        ("https://m.a.com/green-tea", "https://a.com/en", None),
        # Another owner's, under an ending that all share.
        ("https://touch.co.uk/tea", "https://mobile.co.uk/tea", None),
    ],
)
def test_a_mobile_page_says_where_it_is_at_home(url: str, named: str, expected: str | None) -> None:
    assert home_address(Fetched(url, 200, "text/html", "utf-8", link(named).encode())) == expected
