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
    ],
)
def test_a_mobile_page_says_where_it_is_at_home(url: str, named: str, expected: str | None) -> None:
    assert home_address(Fetched(url, 200, "text/html", "utf-8", link(named).encode())) == expected
