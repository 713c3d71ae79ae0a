"""What is called gone in one place and there in another: never chosen silently."""

import json

import pytest

from bot.links.recognise import Sighting, recognise
from bot.links.recognise.recogniser import PageReader

URL = "https://shop.example/p/tea"
GONE_AND_THERE = "The page's data call it both sold out and in stock."


def seen(*stock: str, said: str = "", product: str = "") -> Sighting:
    """A page whose offer names each word of `stock`, its tags `said`, its product `product`."""
    named = list(stock) if len(stock) > 1 else stock[0]
    offer = {"@type": "Offer", "price": "10", "priceCurrency": "EUR", "availability": named}
    block = {"@type": "Product", "name": "Tea", "offers": offer, "availability": product}
    tag = f'<meta property="product:availability" content="{said}">' if said else ""
    html = f'{tag}<script type="application/ld+json">{json.dumps(block)}</script><h1>Tea</h1>'
    return recognise(f"{html}<p class='price'>10,00 €</p>".encode(), URL)


@pytest.mark.parametrize(
    ("stock", "said"),
    [
        ("InStock", "out of stock"),
        ("InStock", "discontinued"),
        ("https://schema.org/PreOrder", "oos"),
        ("OutOfStock", "in stock"),
        ("Discontinued", "preorder"),
    ],
)
def test_data_and_tags_that_contradict_each_other_on_the_stock_are_a_doubt(
    stock: str, said: str
) -> None:
    assert GONE_AND_THERE in seen(stock, said=said).disagreements


def test_the_doubt_is_there_also_where_a_glance_confirms_the_price() -> None:
    page = seen("InStock", said="out of stock")
    assert (page.price_minor, page.availability) == (1000, "InStock")
    assert page.disagreements == (GONE_AND_THERE,)


@pytest.mark.parametrize(
    ("stock", "said"),
    [("InStock", "in stock"), ("OutOfStock", "discontinued"), ("InStock", "preorder"),
     ("InStock", "")],
)  # fmt: skip
def test_data_and_tags_that_both_call_it_gone_or_both_there_are_no_doubt(
    stock: str, said: str
) -> None:
    assert GONE_AND_THERE not in seen(stock, said=said).disagreements


def test_one_offer_with_two_words_that_contradict_each_other_is_a_doubt() -> None:
    assert GONE_AND_THERE in seen("InStock", "OutOfStock").disagreements
    assert GONE_AND_THERE not in seen("InStock", "http://schema.org/InStock").disagreements
    assert GONE_AND_THERE in seen("InStock", product="SoldOut").disagreements
    assert GONE_AND_THERE not in seen("InStock", product="InStock").disagreements


def test_tags_of_one_family_that_contradict_each_other_are_a_doubt() -> None:
    tags = (
        '<meta property="og:type" content="product"><meta property="{}:availability" '
        'content="in stock"><meta property="product:availability" content="out of stock">'
        '<meta property="product:price:amount" content="10">'
        '<meta property="product:price:currency" content="EUR"><h1>Tea</h1>'
    )
    for family in ("product", "og"):
        assert GONE_AND_THERE in recognise(tags.format(family).encode(), URL).disagreements


def answered(**facts: object) -> tuple[bool, Sighting]:
    """Whether WooCommerce's answer, with these `facts`, is heard, and what the page is then."""
    html = "<h1>Tea</h1><div class='woocommerce'></div><button>Add to cart</button>"
    reader = PageReader(html.encode(), URL)
    product = {
        "id": 1, "name": "Tea", "permalink": URL, "is_in_stock": True,
        "prices": {"price": "490", "currency_code": "EUR", "currency_minor_unit": 2},
    }  # fmt: skip
    body = json.dumps([product | facts]).encode()
    return reader.hear_endpoint(reader.endpoints[0], body, URL), reader.sighting()


@pytest.mark.parametrize(
    ("facts", "availability"),
    [
        ({"is_purchasable": True}, "InStock"),
        ({"is_purchasable": False}, "OutOfStock"),
        ({"is_on_backorder": True}, "BackOrder"),
        ({"is_on_backorder": True, "is_in_stock": False}, "OutOfStock"),
        ({"type": "simple"}, "InStock"),
    ],
)
def test_what_woocommerce_does_not_sell_is_not_there(
    facts: dict[str, object], availability: str
) -> None:
    heard, page = answered(**facts)
    assert heard
    assert (page.price_minor, page.availability) == (490, availability)


@pytest.mark.parametrize("kind", ["external", "grouped"])
def test_what_woocommerce_sells_elsewhere_or_only_in_parts_has_no_price_here(kind: str) -> None:
    heard, page = answered(type=kind)
    assert not heard
    assert (page.price_minor, page.structured) == (None, False)


BOUGHT = '<h1>Tea</h1><p class="price">10,00 €</p><button class="add-to-cart">Add to cart</button>'


def beside_a_button(offers: list[dict[str, str]], *, scripts: str = "") -> str | None:
    """The availability of a page whose data call it gone, with a button that buys."""
    block = {"@type": "Product", "name": "Tea", "offers": offers}
    data = f'<script type="application/ld+json">{json.dumps(block)}</script>'
    page = f"{data}{BOUGHT}<script>{scripts}</script>"
    return recognise(page.encode(), URL).availability


def gone(sku: str) -> dict[str, str]:
    offer = {"@type": "Offer", "price": "10", "priceCurrency": "EUR", "sku": sku, "name": sku}
    return {**offer, "availability": "https://schema.org/OutOfStock"}


def test_a_button_is_believed_before_data_that_call_all_of_it_gone_at_once() -> None:
    assert beside_a_button([gone("T")]) == "InStock"


def test_data_that_call_each_variant_gone_are_believed_before_a_button() -> None:
    assert beside_a_button([gone("S"), gone("M"), gone("L")]) == "OutOfStock"


@pytest.mark.parametrize(
    ("scripts", "availability"),
    [
        ('chosen({"id": 1, "title": "Tea","available":false})', "OutOfStock"),
        ('chosen([{"available":false}, {"available":true}])', "InStock"),
    ],
)
def test_what_a_shop_tells_its_own_scripts_of_the_stock_is_believed_before_a_button(
    scripts: str, availability: str
) -> None:
    assert beside_a_button([gone("T")], scripts=scripts) == availability
