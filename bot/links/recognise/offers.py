"""The offers of a schema.org product: prices, variants, availability, seller."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from bot.links.recognise.amounts import machine_amount
from bot.links.recognise.currencies import currency_code, sign_in
from bot.links.recognise.facts import PageFacts
from bot.links.recognise.jsonld import Node
from bot.links.recognise.sighting import Clue, VariantClue
from bot.links.recognise.values import (
    absolute_url,
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

_OFFER_TYPES = frozenset({"offer", "aggregateoffer", "demand", "offerforpurchase", ""})
#: Prices of these kinds are not what a buyer pays now.
_LIST_PRICES = ("listprice", "srp", "msrp", "strikethroughprice", "regularprice")
_OTHER_PRICES = (*_LIST_PRICES, "invoiceprice", "minimumadvertisedprice")
_GTINS = ("gtin13", "gtin14", "gtin12", "gtin8", "gtin")
_VARIANTS = ("hasvariant", "model")
#: Under these an offer may hold others.
_NESTS = frozenset({"offers", *_VARIANTS})
_INHERITED = ("sku", "productid", "url", "name", *_GTINS)
#: Shorter skus turn up in addresses by chance.
_TELLING_SKU_LENGTH = 4
_MARKS = re.compile("[?#&]")
_OFFERS_MAX = 200
_VARIANTS_MAX = 100
_DEPTH_MAX = 4
_GONE = frozenset({"OutOfStock", "SoldOut", "Discontinued"})
SEVERAL_PRICES = "The page offers the product at several prices."


@dataclass(slots=True)
class _Priced:
    offer: Node
    amount: Decimal
    currency: str
    list_price: Decimal | None = None
    without_tax: bool = False


class OfferReader:
    """The offers of one product, whose nodes are `products`.

    `by_id` resolves references inside the source.
    """

    def __init__(self, by_id: dict[str, Node], facts: PageFacts, products: list[Node]) -> None:
        self._by_id = by_id
        self._facts = facts
        # References may multiply offers without end; a page's author may mean it so.
        self._offers_left = _OFFERS_MAX
        self._every = [offer for node in products for offer in self._offers(node, 0)]
        self._named = self._every
        if len(self._every) > 1:
            # An address that names one variant asks for that one.
            self._named = list(filter(self._is_named, self._every)) or self._every

    def read_others(self, clue: Clue) -> None:
        """Put into `clue` what the offers say beside prices."""
        every, offers = self._every, self._named
        # Where the address names none, any that is left will do.
        sold = offers if len(offers) == 1 else every
        levels = [stock_level(offer.get("inventorylevel")) for offer in sold]
        clue.stock = max((level for level in levels if level is not None), default=None)
        clue.availability = best_availability(map(_availability, sold))
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

    def read_prices(self, clue: Clue) -> None:
        """Put into `clue` the prices that the offers name."""
        offers = self._named
        prices = [found for offer in offers if (found := self._price(offer)) is not None]
        clue.is_free = not prices and any(_is_zero(offer.get("price")) for offer in offers)
        if not prices:
            return
        lowest = min(_there(prices), key=lambda priced: priced.amount)
        clue.price, clue.list_price = lowest.amount, lowest.list_price
        currencies = {priced.currency for priced in prices if priced.currency}
        amounts = frozenset(priced.amount for priced in prices)
        if len(amounts) > 1 or any(map(_is_range, offers)):
            clue.doubt, clue.prices = SEVERAL_PRICES, amounts
        elif lowest.without_tax:
            clue.doubt = "The price in the page's data is without tax."
        if len(currencies) == 1:
            named = next(iter(currencies))
            clue.currency = currency_code(named)
            clue.symbol = named if clue.currency == named else sign_in(named)
        elif currencies:
            clue.doubt = "The page offers the product in several currencies."
            clue.price = clue.list_price = None

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
                yield from inner if inner and "price" not in offer else [_with_names(offer, node)]
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

    def _price(self, offer: Node) -> _Priced | None:
        currency = text_in(offer.get("pricecurrency"))
        listed: Decimal | None = None
        specifications: list[Node] = []
        if "pricespecification" in offer:
            specifications = list(self._nodes(offer["pricespecification"]))
            listed = next(
                (amount for node in specifications if _kind(node).endswith(_LIST_PRICES)
                 and (amount := machine_amount(first_of(node.get("price")))) is not None),
                None,
            )  # fmt: skip
        for key in ("price", "lowprice"):
            amount = machine_amount(first_of(offer.get(key)))
            if amount is not None:
                named = currency or (sign_in(text_in(offer.get(key))) or "")
                return _Priced(offer, amount, named, _above(listed, amount), _is_untaxed(offer))
        for node in sorted(specifications, key=_is_untaxed):
            amount = machine_amount(first_of(node.get("price")))
            is_unit_price = "referencequantity" in node
            if amount is None or is_unit_price or _kind(node).endswith(_OTHER_PRICES):
                continue
            named = text_in(node.get("pricecurrency")) or currency
            return _Priced(offer, amount, named, _above(listed, amount), _is_untaxed(node))
        return None

    def _nodes(self, value: object) -> Iterator[Node]:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                is_reference = len(item) == 1 and "@id" in item
                yield lowered(self._by_id.get(str(item["@id"]), item) if is_reference else item)


def _there(prices: list[_Priced]) -> list[_Priced]:
    """Those of offers that are not gone; all where none is left."""
    if len(prices) == 1:
        return prices
    return [one for one in prices if _availability(one.offer) not in _GONE] or prices


def _above(listed: Decimal | None, amount: Decimal) -> Decimal | None:
    return listed if listed is not None and listed > amount else None


def _kind(node: Node) -> str:
    return text_in(node.get("pricetype")).lower()


def _is_untaxed(node: Node) -> bool:
    return text_in(node.get("valueaddedtaxincluded")).lower() == "false"


def _is_range(offer: Node) -> bool:
    """Whether an AggregateOffer names a highest price above its lowest."""
    if "price" in offer:
        return False
    low, high = (machine_amount(first_of(offer.get(key))) for key in ("lowprice", "highprice"))
    return low is not None and high is not None and high > low


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


def _is_zero(price: object) -> bool:
    text = text_in(price)
    return bool(text) and set(text) <= set("0.,") and "0" in text
