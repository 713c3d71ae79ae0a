"""schema.org products: which node of a page is its product, and what that node says.

JSON-LD, microdata and RDFa all become the same nodes before they come here.
"""

from collections.abc import Iterable, Sequence

from bot.links.recognise.facts import PageFacts
from bot.links.recognise.jsonld import Node
from bot.links.recognise.offers import OfferReader
from bot.links.recognise.sighting import Clue
from bot.links.recognise.values import (
    ARTICLE_TYPES,
    GONE_AND_THERE,
    PRODUCT_TYPES,
    READING_TYPES,
    absolute_url,
    are_at_odds,
    availability_word,
    clean,
    first_of,
    gtin_in,
    lowered,
    path_of,
    squeezed,
    text_in,
    types_of,
)
from wallet_core.once import once

_GTINS = ("gtin13", "gtin14", "gtin12", "gtin8", "gtin", "ean", "isbn", "upc", "barcode")
#: Shorter titles turn up in other words by chance.
_TELLING_LENGTH = 5
#: So many products are a list, and a name that is the page's own counts so much.
_MANY, _PLAINLY_CLOSE = 10, 4


class SchemaProduct:
    """The product of a page, by one source's nodes for it; read as far as anybody asks."""

    def __init__(
        self, source: str, nodes: list[Node], every: Sequence[Node], facts: PageFacts
    ) -> None:
        self._nodes = nodes
        self._facts = facts
        self._source = source
        self._offers = OfferReader(every, facts, nodes)

    @property
    def names_price(self) -> bool:
        """Whether it has a price in a currency."""
        return self._priced.is_priced

    @once
    def clue(self) -> Clue:
        """All that it says."""
        clue, offers = self._priced, self._offers
        # The first with offers describes the product.
        product = next((node for node in self._nodes if "offers" in node), self._nodes[0])
        numbers = [product[key] for key in _GTINS if key in product]
        clue.title = clean(product.get("name"))
        clue.sku = clean(product.get("sku")) or clean(product.get("productid"))
        clue.brand = offers.name(product.get("brand")) or offers.name(product.get("manufacturer"))
        clue.gtin = next(filter(None, map(gtin_in, numbers)), None)
        clue.image = _image(product.get("image"), self._facts)
        if clue.gtin is None:
            clue.refused_gtin = next(filter(None, map(text_in, numbers)), None)
        offers.read_others(clue)
        said = availability_word(product.get("availability"))
        if clue.doubt is None and are_at_odds((clue.availability, said)):
            clue.doubt = GONE_AND_THERE
        clue.availability = clue.availability or said
        return clue

    @once
    def _priced(self) -> Clue:
        """What it says of prices, which is all that most ask for."""
        clue = Clue(self._source)
        self._offers.read_prices(clue)
        return clue


def find_product(source: str, nodes: Sequence[Node], facts: PageFacts) -> SchemaProduct | None:
    """The page's product among `nodes` of one source; None without one."""
    named = [node for node in nodes if not PRODUCT_TYPES.isdisjoint(types_of(node))]
    products = [_product(node, nodes) for node in named]
    if any("productgroup" in types_of(node) for node in products):
        products = [node for node in products if "isvariantof" not in node]
    chosen = _page_products(products, facts)
    if not chosen:
        return None
    return SchemaProduct(source, _with_nameless(chosen, products), nodes, facts)


def _with_nameless(chosen: list[Node], products: list[Node]) -> list[Node]:
    """The chosen nodes, and those that go on about one of them: its `@id`, offers and no name."""
    ids = {str(node["@id"]) for node in chosen if node.get("@id")}
    more = (node for node in products if "offers" in node and "name" not in node) if ids else ()
    known = set(map(id, chosen))
    return chosen + [n for n in more if id(n) not in known and str(n.get("@id")) in ids]


def _product(node: Node, nodes: Sequence[Node]) -> Node:
    """A product's node, with the offer that names it as what it offers if it has none itself."""
    product = lowered(node)
    if "offers" not in product:
        offer = next((each for each in nodes if each.get("itemOffered") is node), None)
        if offer is not None:
            product["offers"] = offer
    return product


def names_article(nodes: Iterable[Node]) -> bool:
    """Whether a node says that the page is an article."""
    return not all(ARTICLE_TYPES.isdisjoint(types_of(node)) for node in nodes)


def names_reading(nodes: Iterable[Node]) -> bool:
    """Whether a node says that the page tells people something, whatever it sells beside it."""
    return not all(READING_TYPES.isdisjoint(types_of(node)) for node in nodes)


def _page_products(products: list[Node], facts: PageFacts) -> list[Node]:
    """The nodes of the product that the page is about: its only one, or the one it is named after.

    Several nodes under one name are one product in several variants.
    """
    products = [node for node in products if "name" in node or "offers" in node]
    if len(products) <= 1:
        return products
    by_name: dict[str, list[Node]] = {}
    for product in products:
        by_name.setdefault(squeezed(text_in(product.get("name"))), []).append(product)
    if len(by_name) == 1:
        return products
    titles = [squeezed(title) for title in facts.titles if title]
    closeness = {
        name: max(_closeness(node, name, titles, facts) for node in nodes)
        for name, nodes in by_name.items()
    }
    best, second = sorted(closeness, key=lambda name: -closeness[name])[:2]
    only_begins_alike = not any(best in title for title in titles)
    if only_begins_alike and len(by_name) >= _MANY and closeness[best] < _PLAINLY_CLOSE:
        # A list is called “blue pens”, and one of many on it “blue pens, box of ten”.
        return []
    return by_name[best] if closeness[best] > closeness[second] else []


def _closeness(product: Node, name: str, titles: list[str], facts: PageFacts) -> int:
    score = 0
    if name and any(
        name in title or (len(title) > _TELLING_LENGTH and title in name) for title in titles
    ):
        score += 2
    if any(name == title for title in titles):
        score += 2
    addresses = {text_in(product.get(key)) for key in ("url", "@id", "mainentityofpage")} - {""}
    if any(path_of(address, facts.url) == facts.path for address in addresses):
        score += 4
    if "productgroup" in types_of(product):
        score += 1
    return score + ("offers" in product)


def _image(value: object, facts: PageFacts) -> str | None:
    first = first_of(value)
    if isinstance(first, dict):
        node = lowered(first)
        first = first_of(node.get("url") or node.get("contenturl") or node.get("@id"))
    if not isinstance(first, str) or not first.strip():
        return None
    return absolute_url(first.strip(), facts.url)
