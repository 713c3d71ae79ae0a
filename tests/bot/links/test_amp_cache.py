"""Pages in AMP caches and viewers."""

import pytest

from bot.links.canonical import canonical_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop-com.cdn.cache.net/c/s/shop.com/p.html", "https://shop.com/p.html"),
        ("https://shop-com.cache.net/v/s/shop.com/p?id=1&utm_source=x", "https://shop.com/p?id=1"),
        ("https://shop-com.cache.net/c/shop.com/p.html", "http://shop.com/p.html"),
        ("https://my--shop-co-uk.cache.net/c/s/my-shop.co.uk/", "https://my-shop.co.uk/"),
        ("https://www.search.com/amp/s/m.shop.com/p.html", "https://m.shop.com/p.html"),
        ("https://search.com/amp/s/shop.com", "https://shop.com/"),
    ],
)
def test_the_publishers_address_is_the_name(url: str, expected: str) -> None:
    assert canonical_url(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://other-com.cache.net/c/s/shop.com/p.html",
        "https://shop.com/c/s/tea.html",
        "https://shop.com/amp/s/127.0.0.1/x.html",
        "https://shop.com/amp/s/tea.notatld/x.html",
        "https://shop.com/amp/p.html",
        "https://a.com/p/amp/s/",
    ],
)
def test_other_addresses_stay(url: str) -> None:
    assert canonical_url(url) == url
