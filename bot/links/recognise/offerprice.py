"""The price of one offer: which of its fields and specifications name it, and what is in doubt.

Vocabulary: schema.org's Offer, AggregateOffer and PriceSpecification with their subtypes.
"""

from dataclasses import dataclass
from decimal import Decimal

from bot.links.recognise.amounts import machine_amount
from bot.links.recognise.currencies import currency_code, sign_in
from bot.links.recognise.jsonld import Node
from bot.links.recognise.pricefields import (
    amounts_in,
    doubt_of_currencies,
    doubt_of_field,
    doubt_of_several,
)
from bot.links.recognise.values import (
    all_of,
    first_of,
    lowered,
    stock_level,
    text_in,
    types_of,
)

SEVERAL_PRICES = "The page offers the product at several prices."
UNTAXED = "The price in the page's data is without tax."
_CONDITIONAL = (
    "The price in the page's data holds on a condition: for members, for many pieces at once, or "
    "as one of several payments."
)
#: Prices of these kinds are not what a buyer pays now.
_LIST_PRICES = ("listprice", "srp", "msrp", "strikethroughprice", "regularprice")
_OTHER_PRICES = (*_LIST_PRICES, "invoiceprice", "minimumadvertisedprice")
#: Specifications of what is paid beside the price.
_CHARGES = frozenset({"deliverychargespecification", "paymentchargespecification"})
#: With one of these a price holds for some, or is one of several payments.
_CONDITIONS = ("validformembertier", "pricecomponenttype", "billingduration", "billingincrement",
               "billingstart")  # fmt: skip
#: Codes of UN/CEFACT for times; what is priced by them is paid again and again.
_TIMES = frozenset({"HUR", "DAY", "WEE", "MON", "ANN"})
_BOUNDS = ("lowprice", "highprice", "minprice", "maxprice")


@dataclass(slots=True)
class OfferPrice:
    """What one offer costs in whole units.

    It was `named` in `key` by the offer itself, or by one of its price specifications; `priced` are
    all of those that name a price of the product.
    """

    offer: Node
    named: Node
    key: str
    amount: Decimal
    currency: str
    list_price: Decimal | None
    priced: list[Node]

    @property
    def written(self) -> object:
        """The field as it stands in the page; the first where it holds several."""
        return first_of(self.named.get(self.key))

    @property
    def plain(self) -> list[Node]:
        """The specifications that name what anybody pays for one."""
        return [node for node in self.priced if not (_is_untaxed(node) or is_conditional(node))]

    @property
    def amounts(self) -> set[Decimal]:
        """All that the offer names as what anybody pays for one; one amount if it is plain."""
        found = amounts_in(self.named.get(self.key))
        return found.union(*(amounts_in(node.get("price")) for node in self.plain))

    @property
    def codes(self) -> set[str]:
        """The currencies that the offer and its plain specifications name."""
        return set().union(*map(codes_in, (self.offer, self.named, *self.plain)))

    @property
    def doubt(self) -> str | None:
        """What in the offer itself speaks against the price."""
        amounts = self.amounts
        if len(amounts) > 1:
            return doubt_of_several(amounts)
        if self._is_one_of_several:
            return SEVERAL_PRICES
        codes = self.codes
        if len(codes) > 1:
            return doubt_of_currencies(codes)
        if is_conditional(self.named) or is_conditional(self.offer):
            return _CONDITIONAL
        return doubt_of_field(self.written, currency_code(self.currency))

    @property
    def tax_doubt(self) -> str | None:
        """What is noted of a price without tax.

        WooCommerce says so in a specification of the same price beside it.
        """
        same = [node for node in self.priced if self.amount in amounts_in(node.get("price"))]
        return UNTAXED if any(map(_is_untaxed, (self.named, *same))) else None

    @property
    def _is_one_of_several(self) -> bool:
        """Whether the offer has a lowest or highest price that is another, or leaves it open."""
        bounds = [amount for node in (self.offer, *self.plain) for amount in bounds_of(node)]
        if any(amount != self.amount for amount in bounds):
            return True
        return self.key == "lowprice" and is_open(self.offer, known=0)


def price_of(offer: Node, specifications: list[Node]) -> OfferPrice | None:
    """The price that an offer names, itself or in one of its price specifications."""
    currency = text_in(offer.get("pricecurrency"))
    priced = [node for node in specifications if "price" in node and _is_of_product(node)]
    listed = _list_price(specifications) if specifications else None
    for key in ("price", "lowprice"):
        amount = machine_amount(first_of(offer.get(key)))
        if amount is not None:
            named = currency or (sign_in(text_in(offer.get(key))) or "")
            return OfferPrice(offer, offer, key, amount, named, _above(listed, amount), priced)
    for node in sorted(priced, key=lambda node: (is_conditional(node), _is_untaxed(node))):
        amount = machine_amount(first_of(node.get("price")))
        if amount is not None:
            named = text_in(node.get("pricecurrency")) or currency
            return OfferPrice(offer, node, "price", amount, named, _above(listed, amount), priced)
    return None


def codes_in(node: Node) -> set[str]:
    """The currencies that an offer or specification names."""
    named = all_of(node.get("pricecurrency"))
    return {code for text in named if (code := currency_code(text_in(text)))}


def bounds_of(node: Node) -> set[Decimal]:
    """The lowest and the highest price that an offer or specification names."""
    return {amount for key in _BOUNDS if key in node for amount in amounts_in(node[key])}


def is_open(offer: Node, *, known: int) -> bool:
    """Whether an AggregateOffer may stand for other prices than its lowest, and names none.

    `known` is how many offers are listed in it; it has one at least.
    """
    if amounts_in(offer.get("highprice")):
        return False
    count = stock_level(offer.get("offercount"))
    return count > max(known, 1) if count is not None else known == 0


def is_conditional(node: Node) -> bool:
    """Whether the price in an offer or specification is not what anybody pays for one."""
    if any(node.get(key) for key in _CONDITIONS):
        return True
    if text_in(node.get("unitcode")).upper() in _TIMES:
        return True
    quantity = first_of(node.get("eligiblequantity"))
    if not isinstance(quantity, dict):
        return False
    least = machine_amount(first_of(lowered(quantity).get("minvalue")))
    return least is not None and least > 1


def _is_of_product(node: Node) -> bool:
    """Whether a specification names a price of the product as a whole that is paid today."""
    if "referencequantity" in node or _kind(node).endswith(_OTHER_PRICES):
        return False
    return types_of(node).isdisjoint(_CHARGES)


def _list_price(specifications: list[Node]) -> Decimal | None:
    listed = (node for node in specifications if _kind(node).endswith(_LIST_PRICES))
    amounts = (machine_amount(first_of(node.get("price"))) for node in listed)
    return next((amount for amount in amounts if amount is not None), None)


def _above(listed: Decimal | None, amount: Decimal) -> Decimal | None:
    return listed if listed is not None and listed > amount else None


def _kind(node: Node) -> str:
    return text_in(node.get("pricetype")).lower()


def _is_untaxed(node: Node) -> bool:
    return text_in(node.get("valueaddedtaxincluded")).lower() == "false"
