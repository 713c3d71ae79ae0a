"""Product endpoints of shop software: where a page's product can be asked for, and the answers.

Shopify's `/products/HANDLE.js` (hundredths, no currency), WooCommerce's Store API
(`/wp-json/wc/store/v1/products`, minor units with their exponent), and oEmbed 1.0 (with the offers
that shops add to it). Nothing is fetched here.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import msgspec
from ada_url import URL

from bot.links.recognise.amounts import machine_amount
from bot.links.recognise.currencies import currency_code
from bot.links.recognise.facts import PageFacts
from bot.links.recognise.jsonld import parse_leniently
from bot.links.recognise.markup import Markup
from bot.links.recognise.offerprice import SEVERAL_PRICES
from bot.links.recognise.shopdata import (
    clue_of_variants,
    shopify_clue,
    shopify_currency,
    stock_word,
)
from bot.links.recognise.sighting import Clue, VariantClue
from bot.links.recognise.values import absolute_url, clean, squeezed

_SHOPIFY_SIGNS = (b"cdn.shopify.com", b"/cdn/shop/", b"Shopify.theme", b"myshopify.com")
_WOO_SIGNS = (b"woocommerce", b"WooCommerce")
_HANDLE = re.compile(r"^(.*/products/[^/]+?)(?:\.(?:js|json|oembed))?/?$")
_POST_ID = re.compile(rb"[\s\"']postid-(\d{1,12})[\s\"']")
_REST = "https://api.w.org/"
_MINOR_UNIT_MAX = 6
_ENDPOINTS_MAX = 3
#: WooCommerce's types of products that nobody can buy by themselves, or not in this shop.
_NOT_SOLD_HERE = frozenset({"grouped", "external"})


class Endpoint(msgspec.Struct, frozen=True):
    """An address that may name the page's product, and how its answer is read."""

    kind: str
    url: str


def endpoints_of(markup: Markup, facts: PageFacts) -> tuple[Endpoint, ...]:
    """Where the page's own shop may be asked about its product, the most telling first.

    Only addresses on the page's own host: nobody else may speak for its price.
    """
    if not URL.can_parse(facts.url):
        return ()
    page = URL(facts.url)
    found: list[Endpoint] = []
    handle = _HANDLE.match(page.pathname)
    if handle and any(sign in markup.page for sign in _SHOPIFY_SIGNS):
        found.append(Endpoint("shopify", f"{page.origin}{handle[1]}.js"))
    if any(sign in markup.page for sign in _WOO_SIGNS):
        found.append(Endpoint("woocommerce", _store_api(markup, page)))
    for link in markup.links:
        if link.get("type", "").lower() == "application/json+oembed" and "href" in link:
            url = absolute_url(link["href"], facts.url)
            if url is not None and URL(url).host == page.host:
                found.append(Endpoint("oembed", url))
    return tuple(found[:_ENDPOINTS_MAX])


def read_endpoint(endpoint: Endpoint, body: bytes, markup: Markup, facts: PageFacts) -> Clue | None:
    """What an endpoint's answer says about the page's product; None when it says nothing."""
    values = parse_leniently(body)
    if not values:
        return None
    return _READERS[endpoint.kind](values[0], markup, facts)


def _store_api(markup: Markup, page: URL) -> str:
    roots = (link.get("href", "") for link in markup.links if link.get("rel") == _REST)
    named = next(roots, "")
    root = (absolute_url(named, page.href) if named else None) or ""
    if not URL.can_parse(root) or URL(root).host != page.host or "?" in root:
        root = f"{page.origin}/wp-json/"
    products = f"{root.rstrip('/')}/wc/store/v1/products"
    post = _POST_ID.search(markup.page)
    if post is not None:
        return f"{products}/{post[1].decode()}"
    return f"{products}?slug={page.pathname.rstrip('/').rpartition('/')[2]}"


def _shopify(value: object, markup: Markup, facts: PageFacts) -> Clue | None:
    return shopify_clue(value, shopify_currency(markup), "shop-api", facts)


def _woocommerce(value: object, _: Markup, facts: PageFacts) -> Clue | None:
    listed = value if isinstance(value, list) else [value]
    products = [item for item in listed if isinstance(item, dict) and _is_of_page(item, facts)]
    if len(products) != 1 or not isinstance(products[0].get("prices"), dict):
        return None
    product = products[0]
    if product.get("type") in _NOT_SOLD_HERE:
        return None
    prices: dict[str, object] = product["prices"]
    price, before = _minor(prices, "price"), _minor(prices, "regular_price")
    return Clue(
        source="shop-api",
        title=clean(product.get("name")),
        price=price,
        currency=currency_code(prices.get("currency_code")),
        list_price=before if before and price and before > price else None,
        sku=clean(product.get("sku")),
        availability=_woocommerce_stock(product),
        image=_first_image(product.get("images"), facts),
        doubt=SEVERAL_PRICES if isinstance(prices.get("price_range"), dict) else None,
    )


def _woocommerce_stock(product: dict[str, object]) -> str | None:
    """As an import of the shop's catalogue has it: what cannot be bought is not there."""
    if product.get("is_purchasable") is False:
        return "OutOfStock"
    word = stock_word(product.get("is_in_stock"))
    is_late = word != "OutOfStock" and product.get("is_on_backorder") is True
    return "BackOrder" if is_late else word


def _first_image(images: object, facts: PageFacts) -> str | None:
    first = images[0] if isinstance(images, list) and images else None
    source = first.get("src") if isinstance(first, dict) else None
    return absolute_url(source, facts.url) if isinstance(source, str) else None


def _is_of_page(product: dict[str, object], facts: PageFacts) -> bool:
    """Whether the product's address or name is the page's; an id in a page may be another's."""
    permalink = product.get("permalink")
    if isinstance(permalink, str) and URL.can_parse(permalink):
        return URL(permalink).pathname.rstrip("/") == URL(facts.url).pathname.rstrip("/")
    name = squeezed(str(product.get("name") or ""))
    return any(name and name in squeezed(title) for title in facts.titles)


def _minor(prices: dict[str, object], key: str) -> Decimal | None:
    """An amount in the shop's own minor units, whose exponent need not be the currency's."""
    unit, written = prices.get("currency_minor_unit"), prices.get(key)
    if not isinstance(unit, int) or not 0 <= unit <= _MINOR_UNIT_MAX:
        return None
    if not isinstance(written, str) or not (written.isascii() and written.isdigit()):
        return None
    return machine_amount(Decimal(written).scaleb(-unit))


def _oembed(value: object, _: Markup, facts: PageFacts) -> Clue | None:
    if not isinstance(value, dict):
        return None
    offers = value.get("offers")
    variants = [
        VariantClue(
            price=machine_amount(offer.get("price")),
            currency=currency_code(offer.get("currency_code")),
            title=clean(offer.get("title")),
            sku=clean(offer.get("sku")),
            availability=stock_word(offer.get("in_stock")),
        )
        for offer in (offers if isinstance(offers, list) else [])[:100]
        if isinstance(offer, dict)
    ]
    clue = clue_of_variants("oembed", variants)
    clue.title, clue.brand = clean(value.get("title")), clean(value.get("brand"))
    clue.seller = clean(value.get("provider_name"))
    clue.variants = partial(list, variants if len(variants) > 1 else ())
    thumbnail = value.get("thumbnail_url")
    clue.image = absolute_url(thumbnail, facts.url) if isinstance(thumbnail, str) else None
    return clue


_READERS: dict[str, Callable[[object, Markup, PageFacts], Clue | None]] = {
    "shopify": _shopify,
    "woocommerce": _woocommerce,
    "oembed": _oembed,
}
