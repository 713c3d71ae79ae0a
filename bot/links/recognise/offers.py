"""The offers of a schema.org product: prices, variants, availability, seller."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice

from bot.links.recognise.currencies import currency_code, sign_in
from bot.links.recognise.facts import PageFacts
from bot.links.recognise.jsonld import Node
from bot.links.recognise.offerprice import (
    SEVERAL_PRICES,
    OfferPrice,
    bounds_of,
    codes_in,
    is_open,
    price_of,
)
from bot.links.recognise.pricefields import (
    amounts_in,
    doubt_of_currencies,
    doubt_of_several,
    other_reading,
)
from bot.links.recognise.sighting import Clue, VariantClue
from bot.links.recognise.values import (
    GONE,
    GONE_AND_THERE,
    absolute_url,
    all_of,
    are_at_odds,
    availability_word,
    best_availability,
    clean,
    first_of,
    gtin_in,
    lowered,
    stock_level,
    text_in,
    types_of,
)
from wallet_core.once import once

_OFFER_TYPES = frozenset({"offer", "aggregateoffer", "demand", "offerforpurchase", ""})
_GTINS = ("gtin13", "gtin14", "gtin12", "gtin8", "gtin")
_VARIANTS = ("hasvariant", "model")
#: schema.org's OfferItemCondition, but for what is new.
_USED = ("usedcondition", "refurbishedcondition", "damagedcondition")
#: Under these an offer may hold others.
_NESTS = frozenset({"offers", *_VARIANTS})
_INHERITED = ("sku", "productid", "url", "name", *_GTINS)
#: Shorter skus turn up in addresses by chance.
_TELLING_SKU_LENGTH = 4
_MARKS = re.compile("[?#&]")
_OFFERS_MAX = 200
_VARIANTS_MAX = 100
_SPECIFICATIONS_MAX = 50
_DEPTH_MAX = 4


class OfferReader:
    """The offers of one product, whose nodes are `products`.

    References lead to the others of the source's `nodes`.
    """

    def __init__(self, nodes: Sequence[Node], facts: PageFacts, products: list[Node]) -> None:
        self._nodes_of_source = nodes
        self._facts = facts
        #: What sums up offers that are listed inside it, and how many those are.
        self._summaries: list[tuple[Node, int]] = []
        # References may multiply offers without end; a page's author may mean it so.
        self._offers_left = _OFFERS_MAX
        self._every = [offer for node in products for offer in self._offers(node, 0)]
        self._named = self._every
        if len(self._every) > 1:
            # An address that names one variant asks for that one.
            self._named = list(filter(self._is_named, self._every)) or self._every

    @once
    def _by_id(self) -> dict[str, list[Node]]:
        """The nodes of each `@id`; most sources have no references, and nobody asks."""
        by_id: dict[str, list[Node]] = {}
        for node in self._nodes_of_source:
            if "@id" in node and len(node) > 1:
                by_id.setdefault(str(node["@id"]), []).append(node)
        return by_id

    def read_others(self, clue: Clue) -> None:
        """Put into `clue` what the offers say beside prices, and what is in doubt of those."""
        if clue.price is not None:
            self._read_doubts(clue)
        every, offers = self._every, self._named
        # Where the address names none, any that is left will do.
        sold = offers if len(offers) == 1 else every
        levels = [stock_level(offer.get("inventorylevel")) for offer in sold]
        clue.stock = max((level for level in levels if level is not None), default=None)
        clue.availability = best_availability(map(_availability, sold))
        if clue.doubt is None and any(map(_is_gone_and_there, sold)):
            clue.doubt = GONE_AND_THERE
        sellers = {name for offer in sold if (name := self.name(offer.get("seller")))}
        clue.seller = sellers.pop() if len(sellers) == 1 else None
        if clue.sku is None and len(sold) == 1:
            clue.sku = clean(sold[0].get("sku"))
        if len(every) > 1:
            clue.variants = partial(self._variants, every[:_VARIANTS_MAX])

    def name(self, value: object) -> str | None:
        """The name of a thing or person that is given as text, object or reference."""
        first = first_of(value)
        if isinstance(first, dict):
            for node in self._nodes(first):
                return clean(node.get("name"))
        return clean(first)

    @once
    def _prices(self) -> list[OfferPrice]:
        return [found for offer in self._named if (found := self._price(offer)) is not None]

    def read_prices(self, clue: Clue) -> None:
        """Put into `clue` the prices that the offers name."""
        offers, prices = self._named, self._prices
        clue.is_free = not prices and any(_is_zero(offer.get("price")) for offer in offers)
        if not prices:
            return
        lowest = _lowest(prices)
        clue.price, clue.list_price = lowest.amount, lowest.list_price
        currencies = {priced.currency for priced in prices if priced.currency}
        amounts = frozenset(priced.amount for priced in prices)
        if len(amounts) > 1:
            clue.doubt, clue.prices = SEVERAL_PRICES, amounts
        if len(currencies) == 1:
            named = next(iter(currencies))
            clue.currency = currency_code(named)
            clue.symbol = named if clue.currency == named else sign_in(named)
        elif currencies:
            clue.doubt = "The page offers the product in several currencies."
            clue.price = clue.list_price = None

    def _read_doubts(self, clue: Clue) -> None:
        """Put into `clue` what in the offers themselves speaks against their price."""
        lowest = _lowest(self._prices)
        clue.otherwise = other_reading(lowest.written)
        amounts = lowest.amounts
        if not clue.prices and len(amounts) > 1:
            # What contradicts itself may cost any of these; the page may show which.
            clue.prices = frozenset(amounts)
        if clue.doubt is None:
            doubts = (priced.doubt for priced in self._prices)
            clue.doubt = (
                next(filter(None, doubts), None)
                or self._doubt_of_ids()
                or self._doubt_of_summaries(lowest)
                or lowest.tax_doubt
            )

    def _doubt_of_ids(self) -> str | None:
        """What is noted where the nodes of one `@id` name different prices."""
        ids = dict.fromkeys(str(one.offer["@id"]) for one in self._prices if one.offer.get("@id"))
        for name in ids:
            nodes = self._by_id.get(name, [])
            alike = [lowered(node) for node in nodes] if len(nodes) > 1 else []
            amounts = set().union(*(amounts_in(node.get("price")) for node in alike))
            if len(amounts) > 1:
                return doubt_of_several(amounts)
            codes = set().union(*map(codes_in, alike))
            if len(codes) > 1:
                return doubt_of_currencies(codes)
        return None

    def _doubt_of_summaries(self, lowest: OfferPrice) -> str | None:
        """What is noted where an AggregateOffer has room for other prices than its offers have."""
        if self._named is not self._every:
            return None  # The address asks for one of them.
        for offer, known in self._summaries:
            bounds = bounds_of(offer)
            if bounds - {lowest.amount} or (bounds and is_open(offer, known=known)):
                return SEVERAL_PRICES
        return None

    def _variants(self, offers: list[Node]) -> list[VariantClue]:
        return [self._variant(offer) for offer in offers]

    def _variant(self, offer: Node) -> VariantClue:
        priced = self._price(offer)
        url = text_in(offer.get("url"))
        return VariantClue(
            price=priced.amount if priced else None,
            currency=currency_code(priced.currency) if priced else None,
            title=clean(offer.get("name")),
            sku=clean(offer.get("sku")) or clean(offer.get("productid")),
            gtin=next(filter(None, (gtin_in(offer.get(key)) for key in _GTINS)), None),
            availability=_availability(offer),
            url=absolute_url(url, self._facts.url) if url else None,
        )

    def _offers(self, node: Node, depth: int) -> Iterator[Node]:
        """The offers of a product, of its variants, and inside an AggregateOffer."""
        if depth > _DEPTH_MAX or self._offers_left <= 0:
            return
        for offer in self._nodes(node.get("offers")):
            self._offers_left -= 1
            inner = [] if _NESTS.isdisjoint(offer) else list(self._offers(offer, depth + 1))
            if types_of(offer) & _OFFER_TYPES or not types_of(offer):
                if inner and "price" not in offer:
                    self._summaries.append((offer, len(inner)))
                    yield from inner
                else:
                    yield _with_names(offer, node)
        for key in _VARIANTS:
            for variant in self._nodes(node[key]) if key in node else ():
                self._offers_left -= 1
                yield from self._offers(variant, depth + 1)
        if depth == 0 and "offers" not in node and "price" in node:
            yield node

    def _is_named(self, offer: Node) -> bool:
        """Whether the page's address names this offer among others."""
        url = text_in(offer.get("url"))
        wanted = self._facts.url
        # An address without any of these marks has no query.
        if "?" in wanted and _MARKS.search(url) and absolute_url(url, wanted) == wanted:
            return True
        sku = text_in(offer.get("sku")) or text_in(offer.get("productid"))
        return len(sku) >= _TELLING_SKU_LENGTH and sku in self._facts.asked_for

    def _price(self, offer: Node) -> OfferPrice | None:
        if "pricespecification" not in offer:
            return price_of(offer, [])
        specifications = self._nodes(offer["pricespecification"])
        return price_of(offer, list(islice(specifications, _SPECIFICATIONS_MAX)))

    def _nodes(self, value: object) -> Iterator[Node]:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                is_reference = len(item) == 1 and "@id" in item
                known = self._by_id.get(str(item["@id"])) if is_reference else None
                yield lowered(known[-1] if known else item)


def _lowest(prices: list[OfferPrice]) -> OfferPrice:
    """The lowest price of offers that are not gone, of new ones if there are any.

    Of all where none is left: who is not told otherwise takes what is sold for new.
    """
    if len(prices) == 1:
        return prices[0]
    there = [one for one in prices if _availability(one.offer) not in GONE] or prices
    new = [one for one in there if not _is_used(one.offer)] or there
    return min(new, key=lambda priced: priced.amount)


def _is_used(offer: Node) -> bool:
    condition = text_in(offer.get("itemcondition")) if "itemcondition" in offer else ""
    return condition.lower().endswith(_USED)


def _with_names(offer: Node, product: Node) -> Node:
    """The offer with its product's names and address, where it has none of its own."""
    inherited = {key: product[key] for key in _INHERITED if key in product}
    return inherited | offer


def _availability(offer: Node) -> str | None:
    """What an offer says of its stock, in a word or by a number of pieces or offers."""
    word = availability_word(offer.get("availability"))
    if word is not None:
        return word
    counted = stock_level(offer.get("inventorylevel"))
    if counted is None:
        counted = 0 if stock_level(offer.get("offercount")) == 0 else None
    return None if counted is None else ("InStock" if counted else "OutOfStock")


def _is_gone_and_there(offer: Node) -> bool:
    """Whether one offer names several words for its stock, which contradict each other."""
    named = offer.get("availability")
    return isinstance(named, list) and are_at_odds(map(availability_word, all_of(named)))


def _is_zero(price: object) -> bool:
    text = text_in(price)
    return bool(text) and set(text) <= set("0.,") and "0" in text
