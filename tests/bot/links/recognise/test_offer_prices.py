"""The price of one offer: what may be taken for it, and what contradicts itself is in doubt."""

import json

import pytest

from bot.links.recognise import Sighting, recognise

URL = "https://shop.example/p/tea"
SEVERAL = "The page offers the product at several prices."
CONDITION = "The price in the page's data holds on a condition"


def seen(offers: object, *others: object, body: str = "") -> Sighting:
    """A page with a product that has these offers, and `others` as nodes beside it."""
    product = {"@type": "Product", "name": "Tea", "offers": offers}
    block = json.dumps({"@graph": [product, *others]})
    html = f'<h1>Tea</h1>{body}<script type="application/ld+json">{block}</script>'
    return recognise(html.encode(), URL)


def specified(*specifications: dict[str, object], **offer: object) -> Sighting:
    """A page whose offer names its price in specifications, all in euros unless they say more."""
    listed = [
        {"@type": "UnitPriceSpecification", "priceCurrency": "EUR"} | specification
        for specification in specifications
    ]
    return seen({"@type": "Offer", "priceSpecification": listed} | offer)


def aggregate(**fields: object) -> Sighting:
    return seen({"@type": "AggregateOffer", "priceCurrency": "EUR"} | fields)


#: What nobody pays for one piece, or not everybody, or not at once.
ASIDE: list[dict[str, object]] = [
    {"@type": "DeliveryChargeSpecification", "price": "4.95"},
    {"@type": "PaymentChargeSpecification", "price": "1.95"},
    {"price": "150", "validForMemberTier": {"@type": "MemberProgramTier", "name": "gold"}},
    {"price": "120", "eligibleQuantity": {"@type": "QuantitativeValue", "minValue": 100}},
    {"price": "1", "priceComponentType": "https://schema.org/Downpayment"},
    {"price": "9.99", "priceComponentType": "https://schema.org/Installment"},
    {"price": "9.99", "billingDuration": 24},
    {"price": "9.99", "billingIncrement": 1, "unitCode": "MON"},
    {"price": "9.99", "unitCode": "MON"},
]


@pytest.mark.parametrize("aside", ASIDE)
@pytest.mark.parametrize("is_first", [True, False])
def test_what_is_paid_beside_or_by_some_is_no_price_where_a_plain_one_stands(
    aside: dict[str, object], *, is_first: bool
) -> None:
    plain = {"price": "199"}
    page = specified(*((aside, plain) if is_first else (plain, aside)))
    assert (page.price_minor, page.currency, page.disagreements) == (19900, "EUR", ())
    page = specified(aside, price="199", priceCurrency="EUR")
    assert (page.price_minor, page.currency, page.disagreements) == (19900, "EUR", ())


@pytest.mark.parametrize("charge", ASIDE[:2])
def test_what_is_paid_for_delivery_or_payment_is_never_the_price(
    charge: dict[str, object],
) -> None:
    assert specified(charge).price_minor is None


@pytest.mark.parametrize("conditional", ASIDE[2:])
def test_a_price_on_a_condition_that_stands_alone_is_a_doubt(
    conditional: dict[str, object],
) -> None:
    page = specified(conditional)
    assert page.price_minor is not None
    assert page.disagreements[0].startswith(CONDITION)


def test_an_offer_for_many_or_for_members_only_is_a_doubt() -> None:
    many = {"eligibleQuantity": {"minValue": "12"}}
    page = seen({"price": "5", "priceCurrency": "EUR"} | many)
    assert page.disagreements[0].startswith(CONDITION)
    one = {"eligibleQuantity": {"minValue": 1}}
    assert seen({"price": "5", "priceCurrency": "EUR"} | one).disagreements == ()


def test_the_condition_of_a_price_is_read_from_microdata_too() -> None:
    html = (
        '<div itemscope itemtype="https://schema.org/Product"><h1 itemprop="name">Tea</h1>'
        '<div itemprop="offers" itemscope itemtype="https://schema.org/Offer">'
        '<div itemprop="priceSpecification" itemscope '
        'itemtype="https://schema.org/UnitPriceSpecification"><meta itemprop="price" content="2">'
        '<meta itemprop="priceCurrency" content="EUR"><div itemprop="eligibleQuantity" itemscope>'
        '<meta itemprop="minValue" content="100"></div></div></div></div>'
    )
    page = recognise(html.encode(), URL)
    assert page.price_minor == 200
    assert page.disagreements[0].startswith(CONDITION)


@pytest.mark.parametrize(
    ("specifications", "offer", "doubt"),
    [
        ([{"price": "8"}, {"price": "10"}], {}, "prices: 8, 10"),
        ([{"price": "10"}], {"price": "8", "priceCurrency": "EUR"}, "prices: 8, 10"),
        ([{"price": "8", "priceCurrency": "USD"}], {"price": "8", "priceCurrency": "EUR"},
         "currencies: EUR, USD"),
        ([{"price": "8"}, {"price": "8", "priceCurrency": "USD"}], {}, "currencies: EUR, USD"),
        ([{"price": ["8", "9"]}], {}, "prices: 8, 9"),
        ([{"price": "8", "minPrice": "8", "maxPrice": "30"}], {}, SEVERAL),
    ],
)  # fmt: skip
def test_specifications_that_contradict_each_other_or_the_offer_are_a_doubt(
    specifications: list[dict[str, object]], offer: dict[str, object], doubt: str
) -> None:
    page = specified(*specifications, **offer)
    assert page.price_minor == 800
    assert doubt in page.disagreements[0]


@pytest.mark.parametrize("kind", ["ListPrice", "StrikethroughPrice", "SRP", "MSRP", "RegularPrice"])
def test_a_list_price_beside_the_price_is_no_contradiction(kind: str) -> None:
    listed: dict[str, object] = {"price": "12", "priceType": f"https://schema.org/{kind}"}
    for page in (
        specified(listed, {"price": "8"}),
        specified(listed, price="8", priceCurrency="EUR"),
        specified(listed, {"price": "8.00"}, price=8, priceCurrency="EUR"),
    ):
        assert (page.price_minor, page.list_price_minor, page.disagreements) == (800, 1200, ())


def test_the_same_price_without_tax_beside_the_one_with_it_is_no_contradiction() -> None:
    untaxed: dict[str, object] = {"price": "8", "valueAddedTaxIncluded": False}
    page = specified(untaxed, price="9.52", priceCurrency="EUR")
    assert (page.price_minor, page.disagreements) == (952, ())


@pytest.mark.parametrize(
    "fields",
    [
        {"lowPrice": "10", "offerCount": 3},
        {"lowPrice": "10"},
        {"lowPrice": "10", "highPrice": "0", "offerCount": 2},
        {"price": "10", "highPrice": "50"},
        {"price": "10", "lowPrice": "5"},
        {"lowPrice": "10", "highPrice": "5"},
        {"lowPrice": "10", "highPrice": "50", "offers": [{"price": "10"}]},
        {"lowPrice": "10", "offerCount": 4, "offers": [{"price": "10"}]},
    ],
)
def test_a_lowest_price_with_room_for_others_is_a_doubt(fields: dict[str, object]) -> None:
    page = aggregate(**fields)
    assert page.price_minor == 1000
    assert page.disagreements == (SEVERAL,)


@pytest.mark.parametrize(
    "fields",
    [
        {"lowPrice": "10", "highPrice": "10.00"},
        {"lowPrice": "10", "highPrice": "10", "offerCount": 7},
        {"lowPrice": "10", "offerCount": "1"},
        {"price": "10", "highPrice": "10"},
        {"lowPrice": "10", "offers": [{"price": "10", "priceCurrency": "EUR"}]},
        {"lowPrice": "10", "offerCount": 1, "offers": [{"price": "10", "priceCurrency": "EUR"}]},
    ],
)
def test_a_lowest_price_that_is_the_highest_or_the_only_one_is_plain(
    fields: dict[str, object],
) -> None:
    page = aggregate(**fields)
    assert (page.price_minor, page.disagreements) == (1000, ())


@pytest.mark.parametrize(
    ("offer", "doubt"),
    [
        ({"price": ["10", "20"], "priceCurrency": "EUR"}, "prices: 10, 20"),
        ({"price": "10", "priceCurrency": ["EUR", "USD"]}, "currencies: EUR, USD"),
        ({"price": "10", "Price": "10.50", "priceCurrency": "EUR"}, "prices: 10, 10.50"),
        ({"schema:price": "10", "price": 12, "priceCurrency": "EUR"}, "prices: 10, 12"),
    ],
)
def test_one_offer_with_two_prices_or_currencies_is_a_doubt(
    offer: dict[str, object], doubt: str
) -> None:
    assert doubt in seen(offer).disagreements[0]


@pytest.mark.parametrize(
    "offer",
    [
        {"price": ["10", 10.0], "priceCurrency": "EUR"},
        {"price": "10", "priceCurrency": ["EUR", "eur"]},
        {"price": "10", "Price": "10.00", "priceCurrency": "EUR"},
    ],
)
def test_one_offer_that_says_the_same_twice_is_plain(offer: dict[str, object]) -> None:
    page = seen(offer)
    assert (page.price_minor, page.currency, page.disagreements) == (1000, "EUR", ())


@pytest.mark.parametrize(
    ("prices", "codes", "doubt"),
    [
        (("20", "15"), ("EUR",), "prices: 15, 20"),
        (("20", "20.00"), ("EUR", "USD"), "currencies: EUR, USD"),
        (("20", "20.00"), ("EUR", "EUR"), None),
    ],
)
def test_one_offer_in_tags_with_two_prices_or_currencies_is_a_doubt(
    prices: tuple[str, ...], codes: tuple[str, ...], doubt: str | None
) -> None:
    named = [*((n, "price") for n in prices), *((code, "priceCurrency") for code in codes)]
    microdata = "".join(f'<meta itemprop="{name}" content="{text}">' for text, name in named)
    rdfa = microdata.replace("itemprop=", "property=")
    as_item = 'itemscope itemtype="https://schema.org/{}"'.format
    in_microdata = (
        f'<div {as_item("Product")}><h2 itemprop="name">Tea</h2>'
        f'<div itemprop="offers" {as_item("Offer")}>{microdata}</div></div>'
    )
    in_rdfa = (
        '<div vocab="https://schema.org/" typeof="Product"><h2 property="name">Tea</h2>'
        f'<div property="offers" typeof="Offer">{rdfa}</div></div>'
    )
    for html in (in_microdata, in_rdfa):
        page = recognise(f"<h1>Tea</h1>{html}".encode(), URL)
        assert page.price_minor == 2000
        assert [doubt in said for said in page.disagreements if doubt] == ([True] if doubt else [])
        assert doubt is not None or page.disagreements == ()


def test_the_page_tells_which_of_two_prices_in_one_offer_is_meant_and_the_doubt_stays() -> None:
    shown = '<p class="price">10,00 €</p><button>Add to cart</button>'
    offer = {"priceCurrency": "EUR", "priceSpecification": [{"price": "8"}, {"price": "10"}]}
    page = seen(offer, body=shown)
    assert page.price_minor == 1000
    assert "prices: 8, 10" in page.disagreements[0]


def test_nodes_of_one_id_that_name_different_prices_or_currencies_are_a_doubt() -> None:
    offer = {"@id": "#o", "@type": "Offer", "price": "10", "priceCurrency": "EUR"}
    for named in ({"@id": "#o"}, offer):
        assert seen(named, offer, offer | {"price": "10.0"}).disagreements == ()
        assert "prices: 10, 12" in seen(named, offer, offer | {"price": "12"}).disagreements[0]
        other = offer | {"priceCurrency": "USD"}
        assert "currencies: EUR, USD" in seen(named, offer, other).disagreements[0]


def test_a_product_that_goes_on_in_a_node_without_a_name_has_the_offers_of_both() -> None:
    nodes = [
        {"@type": "Product", "@id": "#tea", "name": name, "offers": {"price": price,
         "priceCurrency": "EUR"}}
        for name, price in (("Tea", "10"), ("", "12"))
    ]  # fmt: skip
    del nodes[1]["name"]
    html = f'<h1>Tea</h1><script type="application/ld+json">{json.dumps(nodes)}</script>'
    page = recognise(html.encode(), URL)
    assert (page.price_minor, page.disagreements) == (1000, (SEVERAL,))


def test_of_new_and_used_pieces_the_new_ones_price_is_told_and_the_doubt_stays() -> None:
    def piece(price: str, condition: str, availability: str = "InStock") -> dict[str, str]:
        stated = {"itemCondition": f"https://schema.org/{condition}", "availability": availability}
        return {"@type": "Offer", "price": price, "priceCurrency": "EUR"} | stated

    used = piece("5.86", "UsedCondition")
    told = seen([used, piece("10.46", "NewCondition"), piece("7", "RefurbishedCondition")])
    assert told.price_minor == 1046
    assert SEVERAL in told.disagreements
    gone = seen([used, piece("10.46", "NewCondition", "OutOfStock")])
    assert gone.price_minor == 586
    assert seen([used]).price_minor == 586


UNTAXED_OFFER = {
    "@type": "Offer",
    "price": "27.23",
    "priceCurrency": "AUD",
    "availability": "https://schema.org/InStock",
    "priceSpecification": {"price": "27.23", "valueAddedTaxIncluded": "false"},
}
UNTAXED = "The price in the page's data is without tax."


def test_a_price_without_tax_is_a_doubt_unless_people_see_the_same() -> None:
    assert seen(UNTAXED_OFFER).disagreements == (UNTAXED,)
    page = seen(UNTAXED_OFFER, body='<p class="price">$27.23</p>')
    assert (page.price_minor, page.disagreements) == (2723, ())


def test_beside_a_price_without_tax_the_one_that_the_shop_shows_is_taken() -> None:
    variations = "[{&quot;display_price&quot;:29.95,&quot;is_in_stock&quot;:true}]"
    page = seen(UNTAXED_OFFER, body=f'<form data-product_variations="{variations}"></form>')
    assert page.price_minor == 2995
    assert UNTAXED in page.disagreements


def offered_at(*prices: str) -> list[dict[str, str]]:
    return [{"@type": "Offer", "price": price, "priceCurrency": "USD"} for price in prices]


@pytest.mark.parametrize(
    "body",
    [
        # In a part of the page that is not the product's own, and as a text that nothing names.
        '<section class="recommended"><p class="price">$116.97</p></section>',
        "<b>$116.97</b> or $9.75 a month",
        "<b>$116.97</b> $111.12 by subscription",
    ],
)
def test_of_several_prices_the_one_that_the_page_shows_is_told_and_the_doubt_stays(
    body: str,
) -> None:
    page = seen(offered_at("99.97", "116.97", "155"), body=body)
    assert page.price_minor == 11697
    assert SEVERAL in page.disagreements


@pytest.mark.parametrize(
    ("prices", "body"),
    [
        # The lowest is shown too; both others are; what is shown is for what is used.
        (("99.97", "116.97"), "<b>$99.97</b> $116.97"),
        (("99.97", "116.97", "155"), '<i class="price">$116.97</i><i class="price">$155</i>'),
        (("99.97", "116.97"), "<b>$89.00</b> $116.97"),
    ],
)
def test_of_several_prices_the_lowest_is_told_where_the_page_leaves_it_open(
    prices: tuple[str, ...], body: str
) -> None:
    aside = '<section class="recommended">' if "class" in body else "<section>"
    page = seen(offered_at(*prices), body=f"{aside}{body}</section>")
    assert page.price_minor == 9997
