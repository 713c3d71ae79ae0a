"""A Shopify shop: `/products.json`, page by page, and its currency from `/meta.json`.

Prices are decimal strings in the shop's own currency, which the list does not name. Each variant
is an item of its own, at `/products/HANDLE?variant=ID`.
"""

from collections.abc import Iterator

from ada_url import URL

from bot.catalogue.amounts import BadValue, minor_of
from bot.catalogue.json_values import decoded, dicts, number_or_text
from bot.catalogue.record import Draft, Found, Problem, UnreadableCatalogue
from bot.links.recognise.currencies import currency_code

#: What Shopify gives at most on one page.
PAGE_ITEMS = 250
_NO_VARIANT = "Default Title"


def page_url(url: str, page: int) -> str:
    """The address of a page of the list, counted from 1."""
    found = URL(url)
    base, list_name, _ = found.pathname.rpartition("/products.json")
    base = base if list_name else ""
    return f"{found.origin}{base}/products.json?limit={PAGE_ITEMS}&page={page}"


def meta_url(url: str) -> str:
    """Where the shop says what its currency is."""
    return f"{URL(url).origin}/meta.json"


def currency_in(body: bytes) -> str:
    """The shop's currency from `/meta.json`. Raises `UnreadableCatalogue`."""
    meta = decoded(body)
    currency = currency_code(meta.get("currency")) if isinstance(meta, dict) else None
    if currency is None:
        raise UnreadableCatalogue("The shop's /meta.json does not name its currency.")
    return currency


def read_shopify_page(
    body: bytes, url: str, currency: str, hosts: frozenset[str]
) -> tuple[str, list[Found]]:
    """What tells this page from others, empty for the page after the last, and its items.

    Raises `UnreadableCatalogue`.
    """
    answer = decoded(body)
    products = answer.get("products") if isinstance(answer, dict) else None
    if not isinstance(products, list):
        raise UnreadableCatalogue("That is no list of a Shopify shop: it has no “products”.")
    listed = list(dicts(products))
    found = [item for product in listed for item in _items(product, url, currency, hosts)]
    return (number_or_text(listed[0].get("id")) if listed else ""), found


def _items(
    product: dict[str, object], url: str, currency: str, hosts: frozenset[str]
) -> Iterator[Found]:
    handle = number_or_text(product.get("handle"))
    if not handle:
        yield Problem(0, f"product {number_or_text(product.get('id'))[:40]} has no handle")
        return
    page = f"{URL(url).origin}/products/{handle}"
    variants = list(dicts(product.get("variants")))
    pictures = {number_or_text(i.get("id")): i.get("src") for i in dicts(product.get("images"))}
    for variant in variants:
        yield _item(product, variant, page, currency, hosts, pictures)


def _item(
    product: dict[str, object],
    variant: dict[str, object],
    page: str,
    currency: str,
    hosts: frozenset[str],
    pictures: dict[str, object],
) -> Found:
    name = number_or_text(variant.get("id"))
    try:
        price = minor_of(number_or_text(variant.get("price")), currency)
    except BadValue as error:
        return Problem(0, f"{page} variant {name[:40]}: {error}")
    title = number_or_text(variant.get("title"))
    own = next(dicts([variant.get("featured_image")]), {}).get("src")
    picture = own or next(iter(pictures.values()), None)
    available = variant.get("available")
    return Draft(
        line=0,
        hosts=hosts,
        feed_id=name,
        title=product.get("title"),
        link=f"{page}?variant={name}" if name else page,
        page=page,
        base=page,
        price_minor=price,
        currency=currency,
        variant=None if title == _NO_VARIANT else title,
        list_price_minor=_list_price(variant.get("compare_at_price"), currency),
        availability=None if available is None else ("InStock" if available else "OutOfStock"),
        sku=variant.get("sku"),
        gtin=variant.get("barcode"),
        brand=product.get("vendor"),
        picture=picture if isinstance(picture, str) else None,
    ).finished()


def _list_price(value: object, currency: str) -> int | None:
    try:
        return minor_of(number_or_text(value), currency)
    except BadValue:
        # None, empty or zero: it is not reduced.
        return None
