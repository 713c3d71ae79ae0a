"""What kind of page shop software and schema.org call a page: one product's, or a list.

Shop software names its pages in the classes and the id of their body; these names are the
software's own (WooCommerce, Magento, PrestaShop, Shopify, OpenCart, Shopware, EC-CUBE, Zen Cart,
VirtueMart, Drupal Commerce), the same in every shop that runs on it.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote

from bot.links.recognise.jsonld import Node
from bot.links.recognise.markup import text_of
from bot.links.recognise.seek import find
from bot.links.recognise.values import PRODUCT_TYPES, types_of

_BODY = re.compile(rb"<body\b([^<>]{0,4000})", re.IGNORECASE)
_NAMES = re.compile(
    rb"\b(?:class|id)\s{0,3}=\s{0,3}(?:\"([^\"]{0,3000})\"|'([^']{0,3000})')", re.IGNORECASE
)
_PRODUCT_PAGES = frozenset(
    {"single-product", "catalog-product-view", "template-product", "is-ctl-product",
     "page_product_detail", "productinfobody", "view-productdetails", "page-node-type-product"}
)  # fmt: skip
#: Lists, searches, carts, front pages and blogs.
_OTHER_PAGES = frozenset(
    {"post-type-archive-product", "tax-product_cat", "tax-product_tag", "tax-product_brand",
     "woocommerce-shop", "woocommerce-cart", "woocommerce-checkout", "woocommerce-account",
     "search-results", "single-post", "catalog-category-view", "catalogsearch-result-index",
     "catalogsearch-advanced-result", "checkout-cart-index", "cms-index-index", "cms-home",
     "template-collection", "template-list-collections", "template-search", "template-cart",
     "template-index", "template-blog", "template-article", "is-ctl-navigation", "is-ctl-search",
     "page_product_list", "view-category", "common-home", "product-search", "product-special",
     "page-category", "page-search", "page-index", "page-cart", "page-best-sales",
     "page-new-products", "page-prices-drop", "page-home", "homepage", "home-page",
     "frontpage", "front-page"}
)  # fmt: skip
#: OpenCart puts the product's or the category's number behind.
_NUMBERED = re.compile(r"product-(product|category|manufacturer)-[0-9_]+")
#: What a list can be put into the order of: its prices.
_SELECT = re.compile(rb"<select\b")
_PRICE_ORDER = re.compile(
    rb"value(?i:\s{0,3}=\s{0,3}[\"'](?:[^\"'<>]{0,300}?(?:sort|order)[^\"'<>]{0,40}?price"
    rb"|[^\"'<>]{0,40}?price[-_ :.]{0,3}(?:asc|desc|low|high)|price(?:-desc)?[\"']))"
)
#: How far is looked: a list's order is chosen above it.
_ORDER_BYTES_MAX = 200_000
_SELECTS_MAX = 50
_SELECT_BYTES_MAX = 4_000
#: Parts of addresses at which shops search, fill carts and take payments.
_OTHER_PARTS = frozenset(
    {"search", "searchresults", "catalogsearch", "suche", "suchergebnisse", "recherche",
     "rechercher", "buscar", "busca", "busqueda", "ricerca", "cerca", "zoeken", "sok", "søg",
     "søk", "haku", "szukaj", "wyszukiwanie", "vyhledavani", "hledani", "vyhladavanie", "kereses",
     "cautare", "arama", "poisk", "поиск", "cart", "basket", "checkout", "warenkorb", "panier",
     "carrito", "carrinho", "carrello", "winkelwagen", "winkelmand", "varukorg", "kundvagn",
     "handlekurv", "koszyk", "kosik", "kosar", "sepet", "korzina", "kassa", "kasse"}
)  # fmt: skip
#: Under these shop software keeps lists of products, and under the others single ones.
_LISTS = frozenset({"collections", "product-category", "product-tag"})
_SHORT_LIST = "c"
_SINGLE = frozenset({"products", "product", "p"})
_PATH_LENGTH_MAX = 500
_PART = re.compile(r"[^/]+")
_LISTED_PRODUCTS_MIN = 2
_LISTING_TYPES = frozenset({"collectionpage", "searchresultspage"})


def body_names(page: bytes) -> frozenset[str]:
    """The classes and the id of the page's body, in lower case."""
    body = _BODY.search(page)
    if body is None:
        return frozenset()
    written = (text_of(double or single) for double, single in _NAMES.findall(body[1]))
    return frozenset(name for names in written for name in names.lower().split())


def is_product_page(names: frozenset[str]) -> bool:
    """Whether shop software, by the `names` of a page's body, calls it one product's."""
    return not _PRODUCT_PAGES.isdisjoint(names) or "product" in _numbered(names)


def is_other_page(names: frozenset[str]) -> bool:
    """Whether it calls the page a list, or another one that is no single product's."""
    if not _PRODUCT_PAGES.isdisjoint(names):
        return False
    # WordPress names its front page so.
    is_front_page = "home" in names and any(name.startswith("woocommerce") for name in names)
    is_other = is_front_page or not _OTHER_PAGES.isdisjoint(names)
    return is_other or not _numbered(names) <= {"product"}


def names_listing(nodes: Iterable[Node]) -> bool:
    """Whether a node says that the page lists things."""
    return not all(_LISTING_TYPES.isdisjoint(types_of(node)) for node in nodes)


def lists_products(nodes: Iterable[Node]) -> bool:
    """Whether a node is a list of several products."""
    lists = (node.get("itemListElement") for node in nodes if "itemlist" in types_of(node))
    return any(
        isinstance(listed, list) and sum(map(_is_product, listed)) >= _LISTED_PRODUCTS_MIN
        for listed in lists
    )


def offers_price_order(page: bytes) -> bool:
    """Whether people can put what the page shows into the order of its prices, as a list."""
    for count, select in enumerate(_SELECT.finditer(page, 0, _ORDER_BYTES_MAX)):
        if count >= _SELECTS_MAX:
            break
        ended = find(page, b"</select", select.end(), select.end() + _SELECT_BYTES_MAX)
        end = ended if ended >= 0 else select.end() + _SELECT_BYTES_MAX
        if _PRICE_ORDER.search(page, select.end(), end):
            return True
    return False


def is_other_address(path: str) -> bool:
    """Whether `path`, with its host in front, is where shops search, fill carts or list products.

    Lists are told by the addresses of Shopify (`/collections/teas`), WooCommerce
    (`/product-category/teas`) and Hybris (`/c/teas`).
    """
    parts = _PART.findall(unquote(path[:_PATH_LENGTH_MAX]).lower())[1:]
    if any(part.removesuffix(".html").removesuffix(".php") in _OTHER_PARTS for part in parts):
        return True
    is_list = not _LISTS.isdisjoint(parts[:-1]) or parts[-2:-1] == [_SHORT_LIST]
    return is_list and _SINGLE.isdisjoint(parts)


def _is_product(entry: object) -> bool:
    """Whether an entry of a list is a product, by itself or as its item."""
    if not isinstance(entry, dict):
        return False
    item = entry.get("item")
    types = types_of(entry) | (types_of(item) if isinstance(item, dict) else frozenset())
    return not types.isdisjoint(PRODUCT_TYPES)


def _numbered(names: frozenset[str]) -> set[str]:
    """What the page is one of by OpenCart's names: `product`, `category` or `manufacturer`."""
    return {found[1] for name in names if (found := _NUMBERED.fullmatch(name))}
