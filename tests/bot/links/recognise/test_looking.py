"""Shops' own endpoints, asked over real HTTP, and only where the page names no price."""

import json
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.links.fetch import Fetcher
from bot.links.recognise.looking import look

SHOPIFY_PAGE = """<html lang="en"><head><title>Tee</title>
<script>var Shopify = {}; Shopify.currency = {"active":"JPY","rate":"1.0"}; Shopify.theme = {};
</script></head><body><h1>Tee</h1><img src="/cdn/shop/tee.jpg"></body></html>"""
SHOPIFY_PRODUCT = {
    "id": 1, "title": "Tee", "handle": "tee", "vendor": "Weaver", "available": True,
    "price": 120000, "compare_at_price": 150000, "featured_image": "//cdn.example/tee.jpg",
    "variants": [
        {"id": 11, "title": "S", "sku": "TEE-S", "price": 120000, "available": True},
        {"id": 12, "title": "L", "sku": "TEE-L", "price": 140000, "available": False},
    ],
}  # fmt: skip
WOO_PAGE = """<html><head><title>Mug</title></head>
<body class="single-product woocommerce postid-7"><h1>Mug</h1></body></html>"""
WOO_PRODUCT = {
    "id": 7, "name": "Mug", "sku": "MUG", "is_in_stock": False,
    "prices": {"price": "1250", "regular_price": "1500", "currency_code": "KWD",
               "currency_minor_unit": 2, "price_range": None},
    "images": [{"src": "/mug.jpg"}],
}  # fmt: skip
OEMBED_PAGE = """<html><head><link rel="alternate" type="application/json+oembed"
href="/oembed.json"><title>Cup</title></head><h1>Cup</h1></html>"""
OEMBED = {
    "version": "1.0", "type": "link", "title": "Cup", "provider_name": "Potter",
    "offers": [{"title": "Cup", "price": 9.5, "currency_code": "EUR", "in_stock": True}],
}  # fmt: skip
PRICED_PAGE = SHOPIFY_PAGE.replace(
    "</head>",
    '<script type="application/ld+json">{"@type": "Product", "name": "Tee", "offers": '
    '{"price": 5, "priceCurrency": "EUR"}}</script></head>',
)


class Shop:
    """A web server with some pages, which counts what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, tuple[str, str]] = {}
        self.port = 0

    async def answer(self, request: web.Request) -> web.Response:
        if request.path != "/robots.txt":
            self.asked.append(request.path_qs)
        if request.path not in self.answers:
            raise web.HTTPNotFound
        content_type, text = self.answers[request.path]
        return web.Response(text=text, content_type=content_type)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    shop = Shop()
    application = web.Application()
    application.router.add_get("/{path:.*}", shop.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    shop.port = listener.getsockname()[1]
    await web.SockSite(runner, listener).start()
    yield shop
    await runner.cleanup()


@pytest.fixture
async def fetcher(shop: Shop) -> AsyncIterator[Fetcher]:
    async with Fetcher(allowed_origins=frozenset({("127.0.0.1", shop.port)})) as fetcher:
        yield fetcher


async def test_shopify_is_asked_for_hundredths_in_the_pages_currency(
    shop: Shop, fetcher: Fetcher
) -> None:
    shop.answers["/products/tee"] = ("text/html", SHOPIFY_PAGE)
    shop.answers["/products/tee.js"] = ("application/json", json.dumps(SHOPIFY_PRODUCT))
    seen = await look(await fetcher.get(shop.url("/products/tee?variant=11")), fetcher)
    assert (seen.price_minor, seen.currency, seen.exponent) == (1200, "JPY", 0)
    assert (seen.brand, seen.sku, seen.availability) == ("Weaver", "TEE-S", "InStock")
    assert seen.sources["price"] == "shop-api"
    assert seen.structured
    assert [variant.price_minor for variant in seen.variants] == [1200, 1400]
    assert seen.list_price_minor == 1500
    assert seen.disagreements == ()


async def test_variants_at_several_prices_are_a_doubt(shop: Shop, fetcher: Fetcher) -> None:
    shop.answers["/products/tee"] = ("text/html", SHOPIFY_PAGE)
    shop.answers["/products/tee.js"] = ("application/json", json.dumps(SHOPIFY_PRODUCT))
    seen = await look(await fetcher.get(shop.url("/products/tee")), fetcher)
    assert seen.price_minor == 1200
    assert "several prices" in seen.disagreements[0]


async def test_woocommerce_names_its_own_minor_unit(shop: Shop, fetcher: Fetcher) -> None:
    shop.answers["/shop/mug/"] = ("text/html", WOO_PAGE)
    endpoint = "/wp-json/wc/store/v1/products/7"
    shop.answers[endpoint] = ("application/json", json.dumps(WOO_PRODUCT))
    seen = await look(await fetcher.get(shop.url("/shop/mug/")), fetcher)
    assert (seen.price_minor, seen.currency, seen.exponent) == (12500, "KWD", 3)
    assert (seen.sku, seen.availability) == ("MUG", "OutOfStock")
    assert seen.list_price_minor == 15000
    assert shop.asked[-1] == endpoint


async def test_another_product_under_the_pages_id_is_not_believed(
    shop: Shop, fetcher: Fetcher
) -> None:
    shop.answers["/shop/mug/"] = ("text/html", WOO_PAGE)
    other = WOO_PRODUCT | {"name": "Plate", "permalink": shop.url("/shop/plate/")}
    shop.answers["/wp-json/wc/store/v1/products/7"] = ("application/json", json.dumps(other))
    seen = await look(await fetcher.get(shop.url("/shop/mug/")), fetcher)
    assert seen.price_minor is None


async def test_oembed_offers_are_read(shop: Shop, fetcher: Fetcher) -> None:
    shop.answers["/cup"] = ("text/html", OEMBED_PAGE)
    shop.answers["/oembed.json"] = ("application/json", json.dumps(OEMBED))
    seen = await look(await fetcher.get(shop.url("/cup")), fetcher)
    assert (seen.price_minor, seen.currency, seen.seller) == (950, "EUR", "Potter")
    assert seen.sources["price"] == "oembed"


@pytest.mark.parametrize("page", [PRICED_PAGE, "<title>News</title><p>nothing here</p>"])
async def test_nobody_is_asked_where_the_page_is_enough_or_is_no_shop(
    shop: Shop, fetcher: Fetcher, page: str
) -> None:
    shop.answers["/products/tee"] = ("text/html", page)
    await look(await fetcher.get(shop.url("/products/tee")), fetcher)
    assert shop.asked == ["/products/tee"]


@pytest.mark.parametrize("answer", ["", "null", "[]", "{}", '{"variants": 5}', "{", "[" * 5000])
async def test_an_endpoint_that_fails_or_answers_nonsense_changes_nothing(
    shop: Shop, fetcher: Fetcher, answer: str
) -> None:
    shop.answers["/products/tee"] = ("text/html", SHOPIFY_PAGE)
    if answer:
        shop.answers["/products/tee.js"] = ("application/json", answer)
    seen = await look(await fetcher.get(shop.url("/products/tee")), fetcher)
    assert (seen.title, seen.price_minor) == ("Tee", None)
