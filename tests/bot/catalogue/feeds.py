"""Catalogues as shops' software gives them, of our own making."""

import io
from collections.abc import Iterable
from datetime import datetime
from typing import BinaryIO

from bot.catalogue.record import Found, Problem
from wallet_core.commerce.catalogue import CatalogueItem

HOSTS = frozenset({"shop.example"})

RSS = """<?xml version="1.0"?>
<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0">
<channel>
<title>The Shop</title>
<link>https://shop.example</link>
<description>All that we sell</description>
<item>
<g:id>DB_1</g:id>
<g:title>Dog bowl in blue</g:title>
<g:description>A &lt;b&gt;bowl&lt;/b&gt; &amp; more</g:description>
<g:link>https://shop.example/animals/dog-bowls?utm_source=google&amp;id=1</g:link>
<g:image_link>https://cdn.example/bowl.jpg</g:image_link>
<g:additional_image_link>https://cdn.example/bowl-2.jpg</g:additional_image_link>
<g:condition>new</g:condition>
<g:availability>in_stock</g:availability>
<g:price>9.99 GBP</g:price>
<g:sale_price>7.99 GBP</g:sale_price>
<g:sale_price_effective_date>2026-11-20T00:00+0000/2026-11-30T00:00Z</g:sale_price_effective_date>
<g:shipping><g:country>UK</g:country><g:price>4.95 GBP</g:price></g:shipping>
<g:gtin>4006381333931</g:gtin>
<g:brand>Bowls &amp; Co</g:brand>
<g:mpn>BB-1</g:mpn>
</item>
<item>
<title><![CDATA[Shirt "Ärmel"]]></title>
<link>https://shop.example/shirt?variant=2</link>
<g:id>S-2</g:id>
<g:price>20 GBP</g:price>
<g:availability>out of stock</g:availability>
<g:item_group_id>S</g:item_group_id>
<g:color>Red</g:color><g:size>M</g:size>
</item>
</channel>
</rss>
"""

ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">
<title>The Shop</title>
<link rel="self" href="https://shop.example/feed.xml"/>
<updated>2026-11-11T12:00:00Z</updated>
<author><name>Somebody</name></author>
<entry>
<title>Tea pot</title>
<link rel="self" href="https://shop.example/feeds/pot"/>
<link href="https://shop.example/pot"/>
<id>urn:pot</id>
<g:id>POT</g:id>
<summary>For tea</summary>
<g:price>25.00 EUR</g:price>
<g:availability>preorder</g:availability>
</entry>
</feed>
"""

TSV = (
    "id\ttitle\tdescription\tlink\timage link\tavailability\tprice\tbrand\n"
    'A1\tMonitor 24" wide\tGood\thttps://shop.example/m\thttps://cdn.example/m.jpg\tin stock\t'
    "199.00 USD\tAcme\n"
    'A2\t"Cable, ""long"""\tx\thttps://shop.example/c\t\tbackorder\t5.00 USD\tAcme\n'
)

SHOPIFY = {
    "products": [
        {
            "id": 7001,
            "title": "Ceramic Cup",
            "handle": "ceramic-cup",
            "body_html": "<p>Made by hand</p>",
            "published_at": "2026-10-01T10:00:00+02:00",
            "vendor": "Tea House",
            "product_type": "Cups",
            "tags": ["cups"],
            "variants": [
                {
                    "id": 9001, "title": "Blue", "option1": "Blue", "sku": "CUP-B",
                    "requires_shipping": True, "taxable": True, "featured_image": None,
                    "available": True, "price": "24.00", "grams": 300,
                    "compare_at_price": "30.00", "position": 1, "product_id": 7001,
                },
                {
                    "id": 9002, "title": "White", "option1": "White", "sku": "",
                    "featured_image": {"src": "https://cdn.shop.example/white.jpg"},
                    "available": False, "price": "26.00", "compare_at_price": None,
                },
            ],
            "images": [{"id": 1, "src": "https://cdn.shop.example/cup.jpg", "variant_ids": []}],
            "options": [{"name": "Colour", "position": 1, "values": ["Blue", "White"]}],
        },
        {
            "id": 7002, "title": "Green tea", "handle": "green-tea", "vendor": "Tea House",
            "variants": [
                {"id": 9003, "title": "Default Title", "price": "12.50", "available": True,
                 "compare_at_price": "0.00", "sku": None}
            ],
            "images": [],
        },
    ]
}  # fmt: skip


def woo_product(number: int, **other: object) -> dict[str, object]:
    """A product as WooCommerce's Store API gives it."""
    return {
        "id": number,
        "name": f"Book &#8211; {number}",
        "slug": f"book-{number}",
        "parent": 0,
        "type": "simple",
        "variation": "",
        "permalink": f"https://shop.example/product/book-{number}/",
        "sku": f"B-{number}",
        "short_description": "<p>Read it</p>",
        "on_sale": True,
        "prices": woo_prices("1999", regular="2499"),
        "images": [{"id": 5, "src": "https://shop.example/wp-content/book.jpg", "alt": ""}],
        "is_purchasable": True,
        "is_in_stock": True,
        "is_on_backorder": False,
        "low_stock_remaining": None,
        "add_to_cart": {"text": "Add to cart", "minimum": 1, "maximum": 9999},
        **other,
    }


def woo_prices(
    price: str, *, regular: str = "", currency: str = "EUR", unit: object = 2, spread: bool = False
) -> dict[str, object]:
    """Prices as WooCommerce's Store API gives them."""
    return {
        "price": price,
        "regular_price": regular or price,
        "sale_price": price,
        "price_range": {"min_amount": price, "max_amount": "9999"} if spread else None,
        "currency_code": currency,
        "currency_symbol": "€",
        "currency_minor_unit": unit,
        "currency_decimal_separator": ",",
        "currency_thousand_separator": ".",
        "currency_prefix": "",
        "currency_suffix": " €",
    }


def file(text: str | bytes) -> BinaryIO:
    return io.BytesIO(text.encode() if isinstance(text, str) else text)


def items(found: Iterable[Found]) -> list[CatalogueItem]:
    """All that was found, which has no problem."""
    listed = list(found)
    assert not [one for one in listed if isinstance(one, Problem)]
    return [one for one in listed if isinstance(one, CatalogueItem)]


def problems(found: Iterable[Found]) -> list[str]:
    """The problems among what was found."""
    return [one.sentence() for one in found if isinstance(one, Problem)]


def us(text: str) -> int:
    """A moment in microseconds, from ISO 8601."""
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000
