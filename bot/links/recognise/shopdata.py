"""What shop software leaves in a page for its own scripts: product data of Shopify and WooCommerce.

Formats: Shopify's product object (prices are hundredths of the currency, without its name) and
`Shopify.currency`; WooCommerce's `data-product_variations` (prices in whole units).
"""

import html
import re
from decimal import Decimal
from functools import partial

import msgspec

from bot.links.recognise.amounts import machine_amount
from bot.links.recognise.currencies import currency_code
from bot.links.recognise.facts import PageFacts
from bot.links.recognise.markup import Markup, Script, text_of
from bot.links.recognise.offerprice import SEVERAL_PRICES
from bot.links.recognise.seek import find
from bot.links.recognise.sighting import Clue, VariantClue
from bot.links.recognise.values import absolute_url, best_availability, clean, gtin_in

_ACTIVE = re.compile(
    rb"Shopify\.currency\s{0,3}=\s{0,3}\{\s{0,3}[\"']?active[\"']?\s{0,3}:\s{0,3}[\"']([A-Z]{3})"
)
_REPORTED = re.compile(rb"ShopifyAnalytics\.meta\.currency\s{0,3}=\s{0,3}[\"']([A-Z]{3})")
_META, _META_END = b"var meta = {", b"};"
#: What both have in common goes first, which makes the search fast.
_SIGN = re.compile(rb"varia(?:nts\"|tions\s{0,3}=)")
_VARIATIONS = re.compile(rb"data-product_variations\s{0,3}=\s{0,3}([\"'])")
_BEFORE_SIGN = b"data-product_"
_VARIATIONS_BYTES_MAX = 400_000
_SIGNS_MAX = 300
_PRODUCT_JSON_BYTES_MAX = 600_000
_VARIANTS_MAX = 100
#: What a product of Shopify's has beside variants, one of them at least.
_SHOPIFYS = frozenset({"handle", "available", "gid", "vendor"})
_CENTS = 100


def read_shop_data(markup: Markup, facts: PageFacts) -> Clue | None:
    """The product that the page's own scripts know; None where there is none, or several."""
    found: list[Clue] = []
    variations: Clue | None = None
    position = 0
    for _ in range(_SIGNS_MAX):
        sign = _SIGN.search(markup.page, position)
        if sign is None:
            break
        position = sign.end()
        script = markup.script_around(position)
        if script is not None:
            position = max(position, script.end)
            clue = _shopify_script(script, markup, facts)
            found.extend([clue] if clue is not None else [])
        elif sign.group().endswith(b"=") and variations is None:
            variations = _variations(markup.page, sign.start(), facts)
    if len({clue.title for clue in found}) == 1:
        return found[0]
    return variations or _looked_at(markup, facts)


def shopify_currency(markup: Markup) -> str | None:
    """The currency that a Shopify page shows its prices in."""
    active = _ACTIVE.search(markup.page)
    return currency_code(text_of(active[1])) if active else None


def shopify_clue(
    product: object, currency: str | None, source: str, facts: PageFacts
) -> Clue | None:
    """A Shopify product object as a clue; None when `product` is none."""
    if not isinstance(product, dict) or not isinstance(product.get("variants"), list):
        return None
    if product.keys().isdisjoint(_SHOPIFYS):
        return None
    variants = [
        _shopify_variant(variant, currency)
        for variant in product["variants"][:_VARIANTS_MAX]
        if isinstance(variant, dict)
    ]
    asked = {value for name, value in facts.parameters if name.endswith("variant")}
    wanted = [variant for variant in variants if variant.url in asked]
    for variant in variants:
        variant.url = absolute_url(f"?variant={variant.url}", facts.url) if variant.url else None
    clue = clue_of_variants(source, wanted or variants)
    clue.title, clue.brand = clean(product.get("title")), clean(product.get("vendor"))
    clue.variants = partial(list, variants if len(variants) > 1 else ())
    image = product.get("featured_image")
    clue.image = absolute_url(image, facts.url) if isinstance(image, str) else None
    before = hundredths(product.get("compare_at_price"))
    if before is not None and clue.price is not None and before > clue.price:
        clue.list_price = before
    return clue


def clue_of_variants(source: str, variants: list[VariantClue]) -> Clue:
    """One clue for all variants: the lowest price, with a doubt where they differ."""
    prices = {variant.price for variant in variants if variant.price is not None}
    single = variants[0] if len(variants) == 1 else VariantClue()
    return Clue(
        source=source,
        price=min(prices, default=None),
        currency=variants[0].currency if variants else None,
        sku=single.sku,
        gtin=single.gtin,
        availability=best_availability(variant.availability for variant in variants),
        doubt=SEVERAL_PRICES if len(prices) > 1 else None,
        prices=frozenset(prices) if len(prices) > 1 else frozenset(),
    )


def hundredths(value: object) -> Decimal | None:
    """Shopify's integers: hundredths of a whole unit in every currency, the yen too."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return machine_amount(Decimal(value) / _CENTS)


def _shopify_script(script: Script, markup: Markup, facts: PageFacts) -> Clue | None:
    """The product in a script of JSON, when it is the page's own."""
    if b"json" not in script.tag or b"ld+json" in script.tag:
        return None
    if script.end - script.begin > _PRODUCT_JSON_BYTES_MAX:
        return None
    try:
        value = msgspec.json.decode(markup.page[script.begin : script.end])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    product = value.get("product", value) if isinstance(value, dict) else None
    clue = shopify_clue(product, shopify_currency(markup), "shop-data", facts)
    handle = product.get("handle") if isinstance(product, dict) else None
    # A page may carry its neighbours' data too.
    if clue is None or (isinstance(handle, str) and handle not in facts.url):
        return None
    return clue


def _looked_at(markup: Markup, facts: PageFacts) -> Clue | None:
    """The product that a Shopify page reports to its statistics, whatever its theme shows."""
    page = markup.page
    begin = find(page, _META)
    end = find(page, _META_END, begin, begin + _PRODUCT_JSON_BYTES_MAX) if begin >= 0 else -1
    if end < 0:
        return None
    try:
        value = msgspec.json.decode(page[begin + len(_META) - 1 : end + 1])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    product, kind = value.get("product"), value.get("page")
    if not isinstance(kind, dict) or kind.get("pageType") != "product":
        return None
    currency = _REPORTED.search(page)
    named = currency_code(text_of(currency[1])) if currency else shopify_currency(markup)
    return shopify_clue(product, named, "shop-data", facts)


def _shopify_variant(variant: dict[str, object], currency: str | None) -> VariantClue:
    available = variant.get("available")
    number = variant.get("id")
    return VariantClue(
        price=hundredths(variant.get("price")),
        currency=currency,
        title=clean(variant.get("title") or variant.get("public_title")),
        sku=clean(variant.get("sku")),
        gtin=gtin_in(variant.get("barcode")),
        availability=stock_word(available),
        url=str(number) if isinstance(number, int) else None,
    )


def _variations(page: bytes, sign: int, facts: PageFacts) -> Clue | None:
    """The variants in the attribute whose name goes on at `sign`."""
    named = _VARIATIONS.match(page, sign - len(_BEFORE_SIGN)) if sign >= len(_BEFORE_SIGN) else None
    if named is None:
        return None
    end = find(page, named[1], named.end(), named.end() + _VARIATIONS_BYTES_MAX)
    if end < 0:
        return None
    try:
        listed = msgspec.json.decode(html.unescape(text_of(page[named.end() : end])))
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(listed, list):
        return None
    variants = [
        _variation(item, facts) for item in listed[:_VARIANTS_MAX] if isinstance(item, dict)
    ]
    clue = clue_of_variants("shop-data", variants)
    clue.variants = partial(list, variants if len(variants) > 1 else ())
    return clue


def _variation(item: dict[str, object], facts: PageFacts) -> VariantClue:
    attributes = item.get("attributes")
    words = attributes.values() if isinstance(attributes, dict) else ()
    return VariantClue(
        price=machine_amount(item.get("display_price")),
        title=clean(" ".join(word for word in words if isinstance(word, str))),
        sku=clean(item.get("sku")),
        availability=stock_word(item.get("is_in_stock")),
        url=absolute_url("", facts.url),
    )


def stock_word(available: object) -> str | None:
    """schema.org's word for a shop's yes or no, None for anything else."""
    if not isinstance(available, bool):
        return None
    return "InStock" if available else "OutOfStock"
