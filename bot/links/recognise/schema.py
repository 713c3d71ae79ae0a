"""schema.org products: which node of a page is its product, and what that node says.

JSON-LD, microdata and RDFa all become the same nodes before they come here.
"""

import html
from collections.abc import Iterable, Iterator
from decimal import Decimal

from ada_url import URL

from bot.links.recognise.amounts import machine_amount
from bot.links.recognise.currencies import currency_code, sign_in
from bot.links.recognise.jsonld import Node
from bot.links.recognise.markup import one_line
from bot.links.recognise.sighting import Clue, PageFacts

_PRODUCT_TYPES = frozenset(
    {
        "product",
        "productgroup",
        "productmodel",
        "individualproduct",
        "someproducts",
        "vehicle",
        "car",
        "motorcycle",
        "book",
        "musicrelease",
        "videogame",
    }
)
_ARTICLE_TYPES = frozenset(
    {"newsarticle", "article", "blogposting", "reportagenewsarticle", "techarticle",
     "scholarlyarticle", "liveblogposting", "opinionnewsarticle", "analysisnewsarticle"}
)  # fmt: skip
_OFFER_TYPES = frozenset({"offer", "aggregateoffer", "demand", ""})
_AVAILABILITIES = {
    name.lower(): name
    for name in (
        "InStock", "OutOfStock", "PreOrder", "PreSale", "BackOrder", "SoldOut", "Discontinued",
        "LimitedAvailability", "OnlineOnly", "InStoreOnly", "MadeToOrder", "Reserved",
    )
} | {
    "available": "InStock", "availablefororder": "BackOrder", "oos": "OutOfStock",
    "outofstock": "OutOfStock", "unavailable": "OutOfStock", "pending": "PreOrder",
    "preorder": "PreOrder", "soldout": "SoldOut", "notavailable": "OutOfStock",
    "instoreavailable": "InStoreOnly", "availableonbackorder": "BackOrder",
}  # fmt: skip
#: Prices of these kinds are not what a buyer pays now.
_OTHER_PRICES = ("listprice", "srp", "msrp", "strikethroughprice", "regularprice", "invoiceprice",
                 "minimumadvertisedprice")  # fmt: skip
_GTINS = ("gtin13", "gtin14", "gtin12", "gtin8", "gtin", "ean", "isbn")
_GTIN_LENGTHS = frozenset({8, 10, 12, 13, 14})
_STOCK_DIGITS_MAX = 9
#: Shorter titles and skus turn up in other words and addresses by chance.
_TELLING_LENGTH = 5
_TELLING_SKU_LENGTH = 4
_OFFERS_MAX = 200
_DEPTH_MAX = 4


def read_schema(source: str, nodes: Iterable[Node], facts: PageFacts) -> Clue | None:
    """What the page's product says, among `nodes` of one source; None without such a product."""
    known = [_lowered(node) for node in nodes]
    by_id = {str(node["@id"]): node for node in known if "@id" in node and len(node) > 1}
    products = [node for node in known if _types(node) & _PRODUCT_TYPES]
    if any("productgroup" in _types(node) for node in products):
        products = [node for node in products if "isvariantof" not in node]
    chosen = _page_products(products, facts)
    return _Reader(source, by_id, facts).clue(chosen) if chosen else None


def names_article(nodes: Iterable[Node]) -> bool:
    """Whether a node says that the page is an article."""
    return any(_types(node) & _ARTICLE_TYPES for node in nodes)


def availability_word(raw: object) -> str | None:
    """schema.org's short word for `raw`: a URL, a word or what shops write instead."""
    text = _text(raw)
    if not text:
        return None
    word = text.rstrip("/").rpartition("/")[2].rpartition("#")[2].rpartition(":")[2]
    return _AVAILABILITIES.get("".join(char for char in word.lower() if char.isalpha()))


def _page_products(products: list[Node], facts: PageFacts) -> list[Node]:
    """The nodes of the product that the page is about: its only one, or the one it is named after.

    Several nodes under one name are one product in several variants.
    """
    by_name: dict[str, list[Node]] = {}
    for product in products:
        if "name" in product or "offers" in product:
            by_name.setdefault(_squeezed(_text(product.get("name"))), []).append(product)
    if len(by_name) <= 1:
        return next(iter(by_name.values()), [])
    closeness = {
        name: max(_closeness(node, facts) for node in nodes) for name, nodes in by_name.items()
    }
    best, second = sorted(closeness, key=lambda name: -closeness[name])[:2]
    return by_name[best] if closeness[best] > closeness[second] else []


def _closeness(product: Node, facts: PageFacts) -> int:
    name = _squeezed(_text(product.get("name")))
    titles = [_squeezed(title) for title in facts.titles if title]
    score = 0
    if name and any(
        name in title or (len(title) > _TELLING_LENGTH and title in name) for title in titles
    ):
        score += 2
    if any(name == title for title in titles):
        score += 2
    addresses = {_text(product.get(key)) for key in ("url", "@id", "mainentityofpage")} - {""}
    if any(_path(address, facts.url) == _path(facts.url, facts.url) for address in addresses):
        score += 4
    if _types(product) & {"productgroup"}:
        score += 1
    return score + ("offers" in product)


class _Reader:
    """Reads one product node; `by_id` resolves references inside the source."""

    def __init__(self, source: str, by_id: dict[str, Node], facts: PageFacts) -> None:
        self._source = source
        self._by_id = by_id
        self._facts = facts
        # References may multiply offers without end; a page's author may mean it so.
        self._offers_left = _OFFERS_MAX

    def clue(self, products: list[Node]) -> Clue:
        """What the nodes of one product say together; the first with offers describes it."""
        product = next((node for node in products if "offers" in node), products[0])
        clue = Clue(
            source=self._source,
            title=_clean(product.get("name")),
            sku=_clean(product.get("sku")) or _clean(product.get("productid")),
            brand=self._name(product.get("brand")) or self._name(product.get("manufacturer")),
            gtin=next(filter(None, (_gtin(product.get(key)) for key in _GTINS)), None),
            image=self._image(product.get("image")),
        )
        offers = [offer for node in products for offer in self._offers(node, 0)]
        mine = [offer for offer in offers if self._is_named(offer)] or offers
        self._read_offers(clue, mine, offers)
        if clue.availability is None:
            clue.availability = availability_word(product.get("availability"))
        return clue

    def _read_offers(self, clue: Clue, offers: list[Node], every: list[Node]) -> None:
        prices = [found for offer in offers if (found := self._price(offer)) is not None]
        amounts = {price for price, _ in prices}
        currencies = {currency for _, currency in prices if currency}
        if prices:
            clue.price = min(amounts)
        clue.is_free = not prices and any(_is_zero(offer.get("price")) for offer in offers)
        if len(amounts) > 1:
            clue.doubt = "The page offers the product at several prices."
        if len(currencies) == 1:
            clue.currency = currency_code(next(iter(currencies)))
            clue.symbol = sign_in(next(iter(currencies)))
        elif currencies:
            clue.doubt = "The page offers the product in several currencies."
            clue.price = None
        # An address that names one variant asks for that one; else any that is left will do.
        sold = offers if len(offers) == 1 else every
        clue.availability = _best_availability(sold)
        levels = [_stock(offer.get("inventorylevel")) for offer in sold]
        clue.stock = max((level for level in levels if level is not None), default=None)
        sellers = {name for offer in sold if (name := self._name(offer.get("seller")))}
        clue.seller = sellers.pop() if len(sellers) == 1 else None
        if clue.sku is None and len(sold) == 1:
            clue.sku = _clean(sold[0].get("sku"))

    def _offers(self, node: Node, depth: int) -> Iterator[Node]:
        """The offers of a product, of its variants, and inside an AggregateOffer."""
        if depth > _DEPTH_MAX or self._offers_left <= 0:
            return
        for offer in self._nodes(node.get("offers")):
            self._offers_left -= 1
            inner = list(self._offers(offer, depth + 1))
            if _types(offer) & _OFFER_TYPES or not _types(offer):
                yield from inner if inner and not _is_single(offer) else [_with_names(offer, node)]
        for key in ("hasvariant", "model"):
            for variant in self._nodes(node.get(key)):
                self._offers_left -= 1
                yield from self._offers(variant, depth + 1)
        if depth == 0 and "offers" not in node and "price" in node:
            yield node

    def _is_named(self, offer: Node) -> bool:
        """Whether the page's address names this offer among others."""
        url = _text(offer.get("url"))
        wanted = self._facts.url
        if url and "?" in wanted and absolute_url(url, wanted) == wanted:
            return True
        sku = _text(offer.get("sku")) or _text(offer.get("productid"))
        return len(sku) >= _TELLING_SKU_LENGTH and f"={sku}" in wanted

    def _price(self, offer: Node) -> tuple[Decimal, str] | None:
        currency = _text(offer.get("pricecurrency"))
        for key in ("price", "lowprice"):
            amount = machine_amount(_first(offer.get(key)))
            if amount is not None:
                return amount, currency or (sign_in(_text(offer.get(key))) or "")
        for specification in self._nodes(offer.get("pricespecification")):
            kind = _text(specification.get("pricetype")).lower()
            amount = machine_amount(_first(specification.get("price")))
            is_unit_price = "referencequantity" in specification
            if amount is None or is_unit_price or kind.endswith(_OTHER_PRICES):
                continue
            return amount, _text(specification.get("pricecurrency")) or currency
        return None

    def _nodes(self, value: object) -> Iterator[Node]:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                node = _lowered(item)
                yield self._by_id.get(str(node.get("@id")), node) if len(node) == 1 else node

    def _name(self, value: object) -> str | None:
        first = _first(value)
        if isinstance(first, dict):
            for node in self._nodes(first):
                return _clean(node.get("name"))
        return _clean(first)

    def _image(self, value: object) -> str | None:
        first = _first(value)
        if isinstance(first, dict):
            node = _lowered(first)
            first = _first(node.get("url") or node.get("contenturl") or node.get("@id"))
        if not isinstance(first, str) or not first.strip():
            return None
        return absolute_url(first.strip(), self._facts.url)


def _is_single(offer: Node) -> bool:
    return "price" in offer


def _with_names(offer: Node, product: Node) -> Node:
    """The offer with its product's sku and address, where it has none of its own."""
    inherited = {key: product[key] for key in ("sku", "productid", "url") if key in product}
    return inherited | offer


def _is_zero(price: object) -> bool:
    text = _text(price)
    return bool(text) and set(text) <= set("0.,") and "0" in text


def _best_availability(offers: list[Node]) -> str | None:
    words = [word for offer in offers if (word := availability_word(offer.get("availability")))]
    return "InStock" if "InStock" in words else next(iter(words), None)


def _stock(value: object) -> int | None:
    first = _first(value)
    if isinstance(first, dict):
        first = _first(_lowered(first).get("value"))
    text = str(first).strip() if isinstance(first, int | str | Decimal) else ""
    return (
        int(text) if text.isascii() and text.isdigit() and len(text) <= _STOCK_DIGITS_MAX else None
    )


def _types(node: Node) -> frozenset[str]:
    raw = node.get("@type")
    names = raw if isinstance(raw, list) else [raw]
    return frozenset(
        name.rstrip("/").rpartition("/")[2].rpartition("#")[2].rpartition(":")[2].lower()
        for name in names
        if isinstance(name, str)
    )


def _lowered(node: Node) -> Node:
    """The node with short lower-case keys: `http://schema.org/priceCurrency` → `pricecurrency`."""
    return {
        str(key).rpartition("/")[2].rpartition(":")[2].lower(): value for key, value in node.items()
    }


def _first(value: object) -> object:
    while isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict) and "@value" in value:
        return value["@value"]
    return value


def _text(value: object) -> str:
    first = _first(value)
    if isinstance(first, dict):
        first = first.get("@id") or first.get("name")
    return str(first).strip() if isinstance(first, str | int | Decimal) else ""


def _clean(value: object) -> str | None:
    return one_line(html.unescape(_text(value))) or None


def _gtin(value: object) -> str | None:
    digits = "".join(char for char in _text(value) if char not in " -")
    return (
        digits if digits.isascii() and digits.isdigit() and len(digits) in _GTIN_LENGTHS else None
    )


def _squeezed(text: str) -> str:
    return "".join(char for char in html.unescape(text).lower() if char.isalnum())


def absolute_url(url: str, base: str) -> str | None:
    """`url` relative to the page's address, None when it leads to no web address."""
    try:
        found = URL(html.unescape(url), base or None)
    except (ValueError, UnicodeEncodeError):
        return None
    return found.href if found.protocol in {"http:", "https:"} else None


def _path(url: str, base: str) -> str:
    try:
        found = URL(url, base or None)
    except (ValueError, UnicodeEncodeError):
        return url
    return f"{found.hostname.removeprefix('www.')}{found.pathname.rstrip('/')}"
