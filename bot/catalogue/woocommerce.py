"""A WooCommerce shop: its Store API, `/wp-json/wc/store/v1/products`, page by page.

Amounts are whole numbers of the shop's own minor units, whose exponent (`currency_minor_unit`) need
not be the currency's. Products whose variations differ in price are listed by their variations,
which `type=variation` gives.
"""

from decimal import Decimal

from ada_url import URL

from bot.catalogue.amounts import BadValue, exact_minor
from bot.catalogue.json_values import decoded, dicts, number_or_text
from bot.catalogue.record import Draft, Found, Problem, UnreadableCatalogue, page_of
from bot.links.recognise.currencies import currency_code

#: What the Store API gives at most on one page.
PAGE_ITEMS = 100
_MINOR_UNIT_MAX = 6
_DIGITS_MAX = 18
_API = "/wp-json/wc/store/v1/products"
#: These sell nothing by themselves.
_NOT_SOLD_HERE = frozenset({"grouped", "external"})


def page_url(url: str, page: int, *, variations: bool = False) -> str:
    """The address of a page of the list, counted from 1."""
    found = URL(url)
    base, rest, _ = found.pathname.partition("/wp-json/")
    base = base if rest else ""
    kind = "&type=variation" if variations else ""
    return f"{found.origin}{base}{_API}?per_page={PAGE_ITEMS}&page={page}{kind}"


def read_woocommerce_page(
    body: bytes, url: str, hosts: frozenset[str]
) -> tuple[str, list[Found], bool]:
    """What tells this page from others (empty behind the last), its items, and whether some of its
    products are to be listed by their variations.

    Raises `UnreadableCatalogue`.
    """  # noqa: D205 - one sentence
    products = decoded(body)
    if not isinstance(products, list):
        raise UnreadableCatalogue("That is no list of WooCommerce's Store API.")
    listed = list(dicts(products))
    found: list[Found] = []
    varying = False
    for product in listed:
        if product.get("type") in _NOT_SOLD_HERE:
            continue
        if _varies(product):
            varying = True
            continue
        found.append(_item(product, url, hosts))
    return (number_or_text(listed[0].get("id")) if listed else ""), found, varying


def _varies(product: dict[str, object]) -> bool:
    prices = product.get("prices")
    return isinstance(prices, dict) and isinstance(prices.get("price_range"), dict)


def _item(product: dict[str, object], url: str, hosts: frozenset[str]) -> Found:
    name = number_or_text(product.get("id"))
    prices = next(dicts([product.get("prices")]), {})
    try:
        currency = currency_code(prices.get("currency_code")) or ""
        price = _minor(prices, "price", currency)
        before = _minor(prices, "regular_price", currency) if prices.get("regular_price") else None
    except BadValue as error:
        return Problem(0, f"product {name[:40]}: {error}")
    images = next(dicts(product.get("images")), {})
    link = number_or_text(product.get("permalink"))
    picture = images.get("src")
    return Draft(
        line=0,
        hosts=hosts,
        feed_id=name,
        title=product.get("name"),
        link=link,
        page=page_of(link),
        base=url,
        price_minor=price,
        currency=currency,
        variant=product.get("variation") or None,
        list_price_minor=before,
        availability=_availability(product),
        sku=product.get("sku"),
        gtin=product.get("global_unique_id"),
        brand=next(dicts(product.get("brands")), {}).get("name"),
        picture=picture if isinstance(picture, str) else None,
    ).finished()


def _availability(product: dict[str, object]) -> str | None:
    if product.get("is_purchasable") is False or product.get("is_in_stock") is False:
        return "OutOfStock"
    if product.get("is_on_backorder") is True:
        return "BackOrder"
    return "InStock" if product.get("is_in_stock") is True else None


def _minor(prices: dict[str, object], key: str, currency: str) -> int:
    unit, written = prices.get("currency_minor_unit"), number_or_text(prices.get(key))
    if isinstance(unit, bool) or not isinstance(unit, int) or not 0 <= unit <= _MINOR_UNIT_MAX:
        raise BadValue("its prices name no currency_minor_unit")
    if not (written.isascii() and written.isdigit() and len(written) <= _DIGITS_MAX):
        raise BadValue(f"“{written[:40]}” is no amount in minor units")
    return exact_minor(Decimal(written).scaleb(-unit), currency)
