"""Pages built otherwise than the simplest: lists, several headings, prices of other products."""

import pytest

from bot.links.recognise import Sighting, recognise

URL = "https://shop.example/p/green-tea"
BUY = "<button class='add-to-cart'>Add to cart</button>"


def page(body: str, *, head: str = "", body_tag: str = "<body>") -> Sighting:
    html = f'<!doctype html><html lang="en-GB"><head>{head}</head>{body_tag}{body}</body></html>'
    return recognise(html.encode(), URL)


def cards(*prices: str) -> str:
    return "".join(
        f'<li class="card"><div class="info"><p class="tile-price">{price}</p></div></li>'
        for price in prices
    )


@pytest.mark.parametrize(
    "body_tag",
    [
        '<body class="archive tax-product_cat woocommerce">',
        '<body class="woocommerce-shop woocommerce-page">',
        '<body id="html-body" class="page-products catalog-category-view">',
        "<body class='template-collection'>",
        '<body id="tea" class="template-search">',
        '<body class="product-category-20_27">',
        '<body id="page_product_list">',
    ],
)
def test_pages_that_shop_software_calls_lists_have_no_price(body_tag: str) -> None:
    body = f'<h1>Green tea</h1><p class="product-price">£4.90</p>{BUY}'
    assert page(body).price_minor == 490
    assert page(body, body_tag=body_tag).price_minor is None


@pytest.mark.parametrize(
    "head",
    [
        '<meta property="og:type" content="product.group">',
        '<script type="application/ld+json">{"@type": "CollectionPage", "name": "Tea"}</script>',
        '<script type="application/ld+json">{"@type": ["WebPage", "SearchResultsPage"]}</script>',
    ],
)
def test_pages_that_call_themselves_lists_have_no_price(head: str) -> None:
    body = f'<h1>Green tea</h1><p class="product-price">£4.90</p>{BUY}'
    assert page(body, head=head).price_minor is None


def test_a_list_with_data_of_one_product_is_believed() -> None:
    seen = page(
        "<h1>Tea</h1>",
        head='<script type="application/ld+json">{"@type": "Product", "name": "Tea", "offers": '
        '{"price": "4.90", "priceCurrency": "GBP"}}</script>',
        body_tag='<body class="tax-product_cat">',
    )
    assert (seen.price_minor, seen.structured) == (490, True)


@pytest.mark.parametrize(
    "body_tag", ['<body class="single-product">', '<body class="product-product-40">']
)
def test_what_shop_software_calls_a_product_is_one_whatever_its_buttons_say(body_tag: str) -> None:
    head = '<meta property="og:type" content="article">'
    body = '<h1>Green tea</h1><p class="price">£4.90</p><a>Zzz</a>'
    assert page(body, head=head).price_minor is None
    assert page(body, head=head, body_tag=body_tag).price_minor == 490


def test_a_price_on_a_link_is_what_the_page_behind_it_sells() -> None:
    linked = '<a href="{}"><span class="price">£4.90</span></a>'
    body = f"<h1>Tea</h1>{linked}<form>{BUY}</form>"
    assert page(body.format("/p/black-tea")).price_minor is None
    assert page(body.format("#buy")).price_minor == 490
    assert page(body.format("/p/green-tea?size=2")).price_minor == 490


def test_cards_that_are_built_alike_are_a_list() -> None:
    assert page(f"<h1>Tea</h1><ul>{cards('£1.10', '£2.20')}</ul>{BUY}").price_minor == 110
    listed = cards("£1.10", "£2.20", "£3.30", "£4.40")
    assert page(f"<h1>Tea</h1><ul>{listed}</ul>{BUY}").price_minor is None


def test_a_list_beside_the_product_does_not_make_its_page_one() -> None:
    listed = cards("£1.10", "£2.20", "£3.30", "£4.40", "£5.50", "£6.60")
    body = f'<h1>Tea</h1><div class="buy"><b class="price">£9.90</b>{BUY}</div><ul>{listed}</ul>'
    assert page(body).price_minor == 990


@pytest.mark.parametrize("name", ["grid header-slider", "related", "has-options also"])
def test_what_holds_the_heading_is_the_products_own_place(name: str) -> None:
    own = f'<div class="product {name}"><h1>Tea</h1><p class="price">£4.90</p>{BUY}</div>'
    others = "".join(
        f'<div class="{name}"><b class="product-price sale">£{number}.00</b></div>'
        for number in (7, 7, 8)
    )
    assert page(own + others).price_minor == 490


def test_what_can_be_shipped_is_no_cost_of_shipping() -> None:
    own = '<h1>Tea</h1><div class="product shipping-taxable"><p class="price">£4.90</p></div>'
    cost = '<div class="shipping"><p class="price">£2.00</p><p class="price">£2.00</p></div>'
    assert page(f"{own}{cost}{BUY}").price_minor == 490
    assert page(f"<h1>Tea</h1>{cost}<p class='price'>£4.90</p>{BUY}").price_minor == 490


def test_of_several_headings_the_one_the_title_names_is_the_products() -> None:
    seen = page(
        '<header><h1>Leaf &amp; Co</h1><p class="price">£7.00</p></header>'
        f'<main><h1>Green tea, 100 g</h1><p class="price">£4.90</p>{BUY}</main>',
        head="<title>Buy green tea 100 g | Leaf & Co</title>",
    )
    assert (seen.price_minor, seen.title) == (490, "Green tea, 100 g")


def test_a_lone_heading_is_the_products_whatever_the_title_says() -> None:
    seen = page(f'<h1>Tea</h1><p class="price">£4.90</p>{BUY}', head="<title>Leaf</title>")
    assert (seen.price_minor, seen.title) == (490, "Tea")


def test_of_a_range_the_lowest_price_is_shown() -> None:
    assert page(f'<h1>Tea</h1><p class="price">£4.90 – £7.50</p>{BUY}').price_minor == 490
    assert page(f'<h1>Tea</h1><p class="price">2 - 3</p>{BUY}').price_minor is None


def test_what_stands_in_an_old_price_is_old() -> None:
    seen = page(
        '<h1>Tea</h1><div class="box"><span class="price">£4.90</span>'
        '<span class="SuggestedRetailPrice"><b class="base-price sale">£7.50</b></span>'
        f"</div>{BUY}"
    )
    assert seen.price_minor == 490


def test_of_several_offers_the_page_shows_one() -> None:
    block = (
        '<script type="application/ld+json">{"@type": "Product", "name": "Tea", "offers": ['
        '{"price": "4.90", "priceCurrency": "GBP"}, {"price": "9.90", "priceCurrency": "GBP"}]}'
        "</script>"
    )
    shown = '<h1>Tea</h1><p class="product-price">{}</p>'
    assert page(shown.format("£9.90"), head=block).price_minor == 990
    assert page(shown.format("£4.90"), head=block).price_minor == 490
    assert page(shown.format("£5.50"), head=block).price_minor == 490
    assert page(shown.format("£9.90"), head=block).disagreements


@pytest.mark.parametrize(
    "words",
    [
        "Earn £25 back", "Save £25", "Free shipping over £25", "Spend £25 or more", "£25 off",
        "Spare £25", "Free delivery on orders of £25", "£25+ orders", "£25 ve üzeri siparişlerde",
    ],
)  # fmt: skip
def test_savings_and_thresholds_are_no_prices(words: str) -> None:
    assert page(f"<h1>Tea</h1><p>{words}</p>{BUY}").price_minor is None
    assert page(f"<h1>Tea</h1><p>{words}</p><p>Only £4.90</p>{BUY}").price_minor == 490


def test_what_is_gone_and_shows_no_price_has_none() -> None:
    block = (
        '<script type="application/ld+json">{"@type": "Product", "name": "Tea", "offers": '
        '{"price": {}, "availability": "OutOfStock"}}</script>'
    )
    seen = page(f"<h1>Tea</h1><p>A gift box costs £26.00</p>{BUY}", head=block)
    assert (seen.price_minor, seen.availability) == (None, "OutOfStock")


def test_a_button_that_asks_for_a_variant_sells_nothing_when_all_are_gone() -> None:
    block = (
        '<script type="application/ld+json">{"@type": "Product", "name": "Tea", "offers": '
        '{"price": "4.90", "priceCurrency": "GBP", "availability": "OutOfStock"}}</script>'
    )
    form = (
        '<h1>Tea</h1><form data-product_variations="[{{&quot;display_price&quot;:4.9,'
        '&quot;is_in_stock&quot;:{}}}]"><button class="single_add_to_cart_button">Add to cart'
        "</button></form>"
    )
    assert page(form.format("true"), head=block).availability == "InStock"
    assert page(form.format("false"), head=block).availability == "OutOfStock"


def test_microdata_in_a_scripts_spelling_is_read() -> None:
    seen = page(
        '<div itemScope itemType="https://schema.org/Product"><h1 itemProp="name">Tea</h1>'
        '<p itemProp="offers" itemScope itemType="https://schema.org/Offer">'
        '<b itemProp="price" content="4.90">4.90</b><meta itemProp="priceCurrency" content="GBP">'
        "</p></div>"
    )
    assert (seen.price_minor, seen.currency, seen.structured) == (490, "GBP", True)


def test_a_charset_that_is_named_late_is_used() -> None:
    script = f"<script>{'x' * 5000}</script>"
    html = f'<html><head>{script}<meta charset="gbk"><title>绿茶</title></head></html>'
    assert recognise(html.encode("gbk"), URL).title == "绿茶"


@pytest.mark.parametrize(
    ("script", "currency"),
    [
        ('"countryCode":"US"', "USD"),
        ("country: 'CA'", "CAD"),
        ('\\"country\\":\\"AU\\"', "AUD"),
        ('"countryCode":"US","country":"CA"', None),
        ('"countryCode":"FR"', None),
    ],
)
def test_a_sign_is_meant_as_in_the_country_that_scripts_name(
    script: str, currency: str | None
) -> None:
    body = f'<h1>Tea</h1><p class="price">$4.90</p>{BUY}<script>x = {{{script}}}</script>'
    html = f'<html lang="en"><head><title>Tea</title></head><body>{body}</body></html>'
    assert recognise(html.encode(), URL).currency == currency


@pytest.mark.parametrize(
    "words",
    [
        "Frakt £49 (post)",
        "£350 kvar till fri frakt",
        "Shipping: £4.00",
        "£5 away from free delivery",
    ],
)
def test_costs_of_shipping_are_no_prices(words: str) -> None:
    assert page(f"<h1>Tea</h1><p>{words}</p>{BUY}").price_minor is None


def test_a_cart_button_far_from_the_heading_makes_a_shop() -> None:
    far = "<p>" + "word " * 20_000 + "</p>"
    body = '<h1>Tea</h1><p class="amount">£4.90</p>'
    assert page(f"<div>{far}</div>{body}").price_minor is None
    button = '<input type="submit" id="add-to-cart-button" value="Zzz">'
    assert page(f"<div>{button}</div>{far}{body}").price_minor == 490


def test_what_one_source_calls_the_price_before_is_not_paid() -> None:
    head = (
        '<script type="application/ld+json">{"@type": "Product", "name": "Tea", "offers": '
        '{"price": "9.90", "priceCurrency": "GBP"}}</script>'
        '<meta property="og:price:standard_amount" content="9.90">'
        '<meta property="product:price:amount" content="4.90">'
        '<meta property="product:price:currency" content="GBP">'
    )
    seen = page("<h1>Tea</h1>", head=head)
    assert (seen.price_minor, seen.list_price_minor) == (490, 990)
    assert seen.disagreements


@pytest.mark.parametrize(
    ("currency", "shown", "expected"),
    [("COP", "$ 275.000", 27_500_000), ("COP", "$ 275", 27_500), ("KWD", "KWD 275.000", 275_000)],
)
def test_thousands_without_a_third_decimal_are_told_by_what_is_shown(
    currency: str, shown: str, expected: int
) -> None:
    head = (
        '<script type="application/ld+json">{"@type": "Product", "name": "Tea", "offers": '
        f'{{"price": "275.000", "priceCurrency": "{currency}"}}}}</script>'
    )
    seen = page(f'<h1>Tea</h1><p class="product-price">{shown}</p>{BUY}', head=head)
    assert seen.price_minor == expected
    assert bool(seen.disagreements) == (expected == 27_500_000)


def test_a_shops_front_page_has_no_price() -> None:
    body = f'<h1>Tea</h1><p class="product-price">£4.90</p>{BUY}'
    assert page(body, body_tag='<body class="home woocommerce-no-js">').price_minor is None
    assert page(body, body_tag='<body class="home">').price_minor == 490


@pytest.mark.parametrize(
    "path",
    ["/collections/green-teas", "/en/collections/teas/green", "/product-category/teas", "/c/teas"],
)
def test_what_stands_where_shops_have_their_lists_has_no_price(path: str) -> None:
    html = f'<title>Teas</title><h1>Teas</h1><p class="product-price">£4.90</p>{BUY}'
    assert recognise(html.encode(), f"https://shop.example{path}").price_minor is None
    for single in ("/collections/teas/products/green", "/c/teas/p/123", "/collections", "/c"):
        assert recognise(html.encode(), f"https://shop.example{single}").price_minor == 490


def test_a_list_that_is_marked_up_as_a_product_for_its_stars_has_no_price() -> None:
    stars = '<script type="application/ld+json">{"@type": "Product", "name": "Green tea"}</script>'
    body = f'<h1>Green tea</h1><p class="product-price">£4.90</p>{BUY}'
    assert page(body, head=stars).price_minor == 490
    assert page(body, head=stars, body_tag='<body class="page-category">').price_minor is None


def test_a_front_page_that_shows_one_of_many_products_has_no_price() -> None:
    product = (
        '<div itemscope itemtype="https://schema.org/Product"><h1 itemprop="name">Tea infuser</h1>'
        '<div itemprop="offers" itemscope itemtype="https://schema.org/Offer"><b itemprop="price" '
        'content="5">£5</b><meta itemprop="priceCurrency" content="GBP"></div></div>'
    )
    called = "<title>River Tea</title><h1>River Tea</h1>"
    for head, price_minor in ((called, None), (called.replace("River", "Tea infuser |"), 500)):
        html = f"{head}{product}".encode()
        assert recognise(html, "https://shop.example/").price_minor == price_minor
    html = f"{called}{product}".encode()
    assert recognise(html, "https://shop.example/infuser").price_minor == 500
    # What a front page's author says of it in data of its own is believed.
    data = (
        '<script type="application/ld+json">{"@type": "Product", "name": "Tea infuser", "offers": '
        '{"price": "5", "priceCurrency": "GBP"}}</script>'
    )
    for head in ("", called):
        assert recognise(f"{head}{data}".encode(), "https://shop.example/").price_minor == 500


def test_what_is_paid_each_month_is_no_price_in_a_text() -> None:
    seen = page(f"<h1>Green tea</h1><p>or £1.20/mo. for 12 months</p><p>£14.90</p>{BUY}")
    assert seen.price_minor == 1490
