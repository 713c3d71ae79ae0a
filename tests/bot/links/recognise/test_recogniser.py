"""Products in pages, from whole pages."""

import pytest

from bot.links.recognise import Sighting, recognise

URL = "https://shop.example/p/tea"


def page(body: str, *, head: str = "", lang: str = "en") -> Sighting:
    html = f'<!doctype html><html lang="{lang}"><head>{head}</head><body>{body}</body></html>'
    return recognise(html.encode(), URL)


def json_ld(block: str) -> str:
    return f'<script type="application/ld+json">{block}</script>'


OFFER = '"offers": {"@type": "Offer", "price": "199.00", "priceCurrency": "CNY"}'


def price(seen: Sighting) -> tuple[int | None, str | None, int | None]:
    return seen.price_minor, seen.currency, seen.exponent


@pytest.mark.parametrize(
    "block",
    [
        '{"@context": "https://schema.org", "@type": "Product", "name": "Tea", OFFER}',
        '{"@type": ["Product", "Thing"], "name": "Tea", OFFER}',
        '[{"@type": "BreadcrumbList"}, {"@type": "Product", "name": "Tea", OFFER}]',
        ('{"@graph": [{"@type": "WebPage", "mainEntity": {"@id": "#p"}}, '
        '{"@id": "#p", "@type": "Product", "name": "Tea", OFFER}]}'),
        ('{"@graph": [{"@type": "Product", "name": "Tea", "offers": {"@id": "#o"}}, '
        '{"@id": "#o", "@type": "Offer", "price": 199, "priceCurrency": "CNY"}]}'),
        ('{"@type": "http://schema.org/Product", "name": "Tea", "offers": [{"@type": '
        '"AggregateOffer", "lowPrice": "199.00", "priceCurrency": "CNY", "offerCount": 1}]}'),
        ('{"@type": "Product", "name": "Tea", "offers": {"@type": "Offer", "priceSpecification": '
        '[{"price": 250, "priceCurrency": "CNY", "priceType": "https://schema.org/ListPrice"}, '
        '{"price": 199.0, "priceCurrency": "CNY"}]}}'),
        ('{"@type": "ProductGroup", "name": "Tea", "hasVariant": [{"@type": "Product", "sku": "1", '
        'OFFER}, {"@type": "Product", "sku": "2", OFFER}]}'),
        '{"@type": "Product", "name": "Tea", OFFER,}',
        '<!-- {"@type": "Product", "name": "Tea\n", OFFER} -->',
        '//<![CDATA[\n{"@type": "Product", "name": "Te\\a", OFFER};\n//]]>',
        '{"@type": "BreadcrumbList"}{"@type": "Product", "name": "Tea", OFFER}',
        ("{&quot;@type&quot;: &quot;Product&quot;, &quot;name&quot;: &quot;Tea&quot;, "
        "&quot;offers&quot;: {&quot;price&quot;: &quot;199&quot;, &quot;priceCurrency&quot;: "
        "&quot;CNY&quot;}}"),
    ],
)  # fmt: skip
def test_json_ld_is_read_in_every_shape_it_comes_in(block: str) -> None:
    seen = page("<h1>Tea</h1>", head=json_ld(block.replace("OFFER", OFFER)))
    assert price(seen) == (19900, "CNY", 2)
    assert seen.structured
    assert seen.disagreements == ()
    assert seen.sources["price"] == "json-ld"


def test_every_field_is_read_and_says_where_it_came_from() -> None:
    seen = page(
        "<h1>Tea</h1>",
        head=json_ld(
            '{"@type": "Product", "name": "Tea &amp; Co", "sku": "T1", "brand": {"name": "Leaf"}, '
            '"gtin13": "4006381333931", "image": ["/a.png", "/b.png"], "offers": {"price": "9.90", '
            '"priceCurrency": "EUR", "availability": "http://schema.org/PreOrder", "seller": '
            '{"name": "Shop"}, "inventoryLevel": {"@type": "QuantitativeValue", "value": 7}}}'
        ),
    )
    assert price(seen) == (990, "EUR", 2)
    assert (seen.title, seen.sku, seen.brand, seen.gtin) == (
        "Tea & Co", "T1", "Leaf", "4006381333931",
    )  # fmt: skip
    assert (seen.availability, seen.stock, seen.seller) == ("PreOrder", 7, "Shop")
    assert seen.image == "https://shop.example/a.png"
    assert set(seen.sources.values()) == {"json-ld"}


def test_microdata_is_read() -> None:
    seen = page(
        '<div itemscope itemtype="https://schema.org/Product"><h1 itemprop="name">Tea</h1>'
        '<img itemprop="image" src="/t.jpg"><div itemprop="brand" itemscope '
        'itemtype="https://schema.org/Brand"><meta itemprop="name" content="Leaf"></div>'
        '<div itemprop="offers" itemscope itemtype="https://schema.org/Offer">'
        '<span itemprop="price" content="12.50">12,50</span>'
        '<meta itemprop="priceCurrency" content="EUR">'
        '<link itemprop="availability" href="https://schema.org/OutOfStock"></div>'
        '<div itemprop="isRelatedTo" itemscope itemtype="https://schema.org/Product">'
        '<span itemprop="name">Cup</span><div itemprop="offers" itemscope '
        'itemtype="https://schema.org/Offer"><meta itemprop="price" content="3"></div></div></div>'
    )
    assert price(seen) == (1250, "EUR", 2)
    assert (seen.title, seen.brand, seen.availability) == ("Tea", "Leaf", "OutOfStock")
    assert seen.sources["price"] == "microdata"


def test_rdfa_is_read() -> None:
    seen = page(
        '<div vocab="https://schema.org/" typeof="Product"><h1 property="name">Tea</h1>'
        '<div property="offers" typeof="Offer"><span property="price" content="1250">1 250</span>'
        '<meta property="priceCurrency" content="JPY"></div></div>'
    )
    assert price(seen) == (1250, "JPY", 0)
    assert seen.sources["price"] == "rdfa"


def test_open_graph_is_read() -> None:
    seen = page(
        "<p>Tea</p>",
        head='<meta property="og:type" content="product"><meta property="og:title" content="Tea">'
        '<meta property="product:price:amount" content="19.900">'
        "<meta content='KWD' property='product:price:currency'>"
        '<meta property="product:availability" content="in stock">'
        '<meta property="og:image" content="//cdn.example/t.png">',
    )
    assert price(seen) == (19900, "KWD", 3)
    assert (seen.title, seen.availability) == ("Tea", "InStock")
    assert seen.image == "https://cdn.example/t.png"
    assert seen.sources["price"] == "opengraph"


def test_a_shown_price_is_a_preview_only() -> None:
    seen = page('<h1>Tea</h1><p class="price">€ 1.299,00</p><button>Add to cart</button>')
    assert price(seen) == (129900, "EUR", 2)
    assert not seen.structured
    assert seen.sources["price"] == "page"


def test_the_current_price_is_taken_and_the_struck_one_left() -> None:
    seen = page(
        '<h1>Tea</h1><div class="product-price"><del class="price">€20.00</del> '
        '<span class="price sale">€15.00</span></div><button>Add to cart</button>'
    )
    assert price(seen) == (1500, "EUR", 2)


def test_sources_that_disagree_are_named_and_never_chosen_silently() -> None:
    seen = page(
        "<h1>Tea</h1>",
        head=json_ld('{"@type": "Product", "name": "Tea", OFFER}'.replace("OFFER", OFFER))
        + '<meta property="og:price:amount" content="150.00">',
    )
    assert len(seen.disagreements) == 1
    assert "199" in seen.disagreements[0]
    assert "150" in seen.disagreements[0]


def offered(price: str, currency: str, body: str) -> Sighting:
    offers = f'{{"price": "{price}", "priceCurrency": "{currency}"}}'
    head = json_ld(f'{{"@type": "Product", "name": "Tea", "offers": {offers}}}')
    return page(f"<h1>Tea</h1>{body}", head=head)


def test_a_higher_price_that_people_see_as_well_is_a_doubt() -> None:
    """What the data name may be for members only."""
    members = '<p>Members: <b class="price">$129.00</b></p>'
    seen = offered("129.00", "USD", f'<b class="price">$159.00</b>{members}')
    assert seen.price_minor == 12900
    assert seen.disagreements == ("The page shows 159.00, its data say 129.00.",)


def test_a_price_that_is_shown_as_plainly_as_can_be_outdoes_one_that_is_shown_nowhere() -> None:
    body = '<div class="product-main"><b class="price current">€132.34</b></div>'
    seen = offered("549.56", "EUR", body)
    assert seen.price_minor == 13234
    assert not seen.structured
    assert seen.disagreements == ("The page shows 132.34, its data say 549.56.",)


def test_data_that_kept_the_price_the_page_strikes_out_are_not_believed() -> None:
    seen = page(
        '<h1>Tea</h1><div class="product-main"><del class="price old">¥199.00</del>'
        '<b class="price current">¥149.00</b></div>',
        head=json_ld('{"@type": "Product", "name": "Tea", OFFER}'.replace("OFFER", OFFER)),
    )
    assert seen.price_minor == 14900
    assert not seen.structured
    assert seen.disagreements


def test_variants_at_several_prices_are_a_doubt_and_an_address_that_names_one_is_none() -> None:
    block = json_ld(
        '{"@type": "ProductGroup", "name": "Tea", "hasVariant": ['
        '{"@type": "Product", "sku": "SMALL", "offers": {"price": 5, "priceCurrency": "EUR"}}, '
        '{"@type": "Product", "sku": "LARGE", "offers": {"price": 9, "priceCurrency": "EUR"}}]}'
    )
    assert page("", head=block).disagreements
    seen = recognise(block.encode(), f"{URL}?sku=LARGE")
    assert (seen.price_minor, seen.disagreements) == (900, ())


@pytest.mark.parametrize(
    ("lang", "written", "currency"),
    [
        ("en-US", "$15.99", "USD"),
        ("en-CA", "$15.99", "CAD"),
        ("", "$15.99", None),
        ("en", "159 kr", None),
        ("sv", "159 kr", "SEK"),
        ("ja", "¥1599", "JPY"),
        ("zh", "¥15.99", None),
        ("ru", "1 490.00 Р", "RUB"),
        ("ru", "1 490 р.", "RUB"),
        ("be-BY", "149 руб.", "BYN"),
        ("en", "US $15.99", "USD"),
        ("sv-SE", "159 kr", "SEK"),
        ("zh-CN", "¥15.99", "CNY"),
        ("ja-JP", "¥1599", "JPY"),
        ("en", "US$15.99", "USD"),
        ("en", "£15.99", "GBP"),
    ],
)
def test_a_sign_that_many_currencies_share_needs_a_page_that_tells_more(
    lang: str, written: str, currency: str | None
) -> None:
    seen = page(
        f'<h1>Tea</h1><p class="price">{written}</p><button>Add to cart</button>', lang=lang
    )
    assert seen.currency == currency
    assert seen.price_minor is not None


def test_without_a_currency_the_exponent_counts_the_decimals_as_written() -> None:
    seen = page("", head=json_ld('{"@type": "Product", "name": "T", "offers": {"price": "5.950"}}'))
    assert price(seen) == (5950, None, 3)


def test_a_price_finer_than_money_is_rounded_and_says_so() -> None:
    seen = page(
        "",
        head=json_ld(
            '{"@type": "Product", "name": "T", '
            '"offers": {"price": "12.4958", "priceCurrency": "EUR"}}'
        ),
    )
    assert price(seen) == (1250, "EUR", 2)
    assert seen.disagreements


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<title>News</title><p>The company paid $5 million.</p>",
        '<meta property="og:type" content="article"><h1>News</h1><p class="price">$5</p>',
        json_ld('{"@type": "NewsArticle", "headline": "x", "offers": {"price": 5}}'),
        json_ld('{"@type": "NewsArticle", "headline": "x"}')
        + json_ld('{"@type": "Product", "name": "Tea", OFFER}'.replace("OFFER", OFFER)),
        json_ld('{"@type": "Event", "name": "x", "offers": {"price": 5}}'),
        json_ld('{"@type": "Product", "name": "Tea", "offers": {"price": "0"}}'),
        json_ld(
            '{"@type": "ItemList", "itemListElement": [{"item": {"@type": "Product", '
            '"name": "A", "offers": {"price": 5}}}, {"item": {"@type": "Product", "name": "B", '
            '"offers": {"price": 6}}}]}'
        ),
        json_ld('[{"@type": "Product", "name": "A", "offers": {"price": 5}}, '
                '{"@type": "Product", "name": "B", "offers": {"price": 6}}]'),
        json_ld('{"@type": "Review", "itemReviewed": {"@type": "Product", "name": "A", '
                '"offers": {"price": 5}}}'),
        "<h1>All teas</h1>" + "".join(
            f'<div class="card"><p class="price">€{n}.50</p></div>' for n in range(1, 20)
        ) + "<button>Add to cart</button>",
    ],
)  # fmt: skip
def test_a_page_that_is_not_about_one_product_has_no_price(html: str) -> None:
    seen = recognise(html.encode(), "https://news.example/story")
    assert price(seen) == (None, None, None)
    assert "price" not in seen.sources


def test_hostile_titles_come_out_as_one_line_of_plain_text() -> None:
    title = "<b>x</b>\\u202e\\u0000\\n&lt;script&gt;alert(1)&lt;/script&gt;" + "y" * 5000
    seen = page("", head=json_ld(f'{{"@type": "Product", "name": "{title}"}}'))
    assert seen.title is not None
    assert len(seen.title) <= 300
    assert seen.title.isprintable()


@pytest.mark.parametrize(
    ("charset", "declared", "served"),
    [
        ("gb18030", "gbk", None),
        ("shift_jis", "Shift_JIS", None),
        ("windows-1251", "", "windows-1251"),
        ("utf-8", "", None),
        ("utf-16", "", None),
        ("big5", "big5", None),
    ],
)
def test_pages_in_other_charsets_are_read(charset: str, declared: str, served: str | None) -> None:
    word = "чай" if charset == "windows-1251" else "茶"
    html = f'<meta charset="{declared}"><title>{word}</title>'
    assert recognise(html.encode(charset), URL, charset=served).title == word


def test_image_addresses_that_are_no_web_addresses_are_dropped() -> None:
    seen = page(
        "", head=json_ld('{"@type": "Product", "name": "T", "image": "javascript:alert(1)"}')
    )
    assert seen.image is None


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    ["<div>", "<div class=price>", "<p class=price>$5</p>", "<script", "<meta ", '<meta name="',
     '<script type="application/ld+json">{</script>', "<link ", "<title", "<h1", "<",
     "<i itemscope itemprop=a>", "<i typeof=Product property=offers>", "currency:'",
     "<del class=price>", "\n", "<x></y>"],
)  # fmt: skip
def test_a_page_made_to_be_slow_is_done_with_soon(unit: str) -> None:
    recognise((unit * (2_000_000 // len(unit))).encode(), URL)


@pytest.mark.timeout(30)
def test_json_ld_made_to_be_slow_is_done_with_soon() -> None:
    references = ",".join(['{"@id": "A"}'] * 3000)
    prices = ",".join(['{"price": "10,00 €"}'] * 20_000)
    for block in (
        "[" * 500_000,
        "\n" * 1_000_000,
        ", " * 500_000,
        f'{{"@id": "A", "@type": "Product", "name": "x", "offers": [{references}]}}',
        f'[{{"@type": "Product", "offers": [{references}]}}, {{"@id": "A", "price": [{prices}]}}]',
        (
            f'[{{"@type": "Product", "offers": [{references}]}}, {{"@id": "A", "lowPrice": "10", '
            f'"priceSpecification": [{prices}]}}]'
        ),
        '{"@type": "Product", "name": "x", "offers": {"price": ' + "9" * 5000 + "}}",
    ):
        recognise(json_ld(block).encode(), URL)


def test_variants_have_their_own_prices_numbers_and_stock() -> None:
    seen = page(
        "<h1>Tea</h1>",
        head=json_ld(
            '{"@type": "ProductGroup", "name": "Tea", "hasVariant": ['
            '{"@type": "Product", "name": "Tea 100 g", "sku": "S", "gtin13": "4006381333931", '
            '"offers": {"price": "5", "priceCurrency": "EUR", "availability": "InStock"}}, '
            '{"@type": "Product", "name": "Tea 1 kg", "sku": "L", "gtin13": "4006381333932", '
            '"offers": {"price": "39.5", "priceCurrency": "EUR", "availability": "SoldOut"}}]}'
        ),
    )
    small, large = seen.variants
    assert (small.price_minor, small.sku, small.availability) == (500, "S", "InStock")
    assert (small.title, small.gtin) == ("Tea 100 g", "4006381333931")
    assert (large.price_minor, large.currency, large.gtin) == (3950, "EUR", None)
    assert seen.sources["variants"] == "json-ld"


@pytest.mark.parametrize(
    ("offers", "listed", "doubtful"),
    [
        ('{"@type": "AggregateOffer", "lowPrice": 5, "highPrice": 9, "priceCurrency": "EUR"}',
         None, True),
        ('{"@type": "AggregateOffer", "lowPrice": 5, "highPrice": 5, "priceCurrency": "EUR"}',
         None, False),
        (('{"price": 5, "priceCurrency": "EUR", "priceSpecification": {"price": 8, '
         '"priceType": "https://schema.org/ListPrice"}}'), 800, False),
        (('{"priceSpecification": {"price": 5, "priceCurrency": "EUR", '
         '"valueAddedTaxIncluded": false}}'), None, True),
        (('{"priceCurrency": "EUR", "priceSpecification": [{"price": 4, "valueAddedTaxIncluded": '
         'false}, {"price": 5, "valueAddedTaxIncluded": true}]}'), None, False),
        ('[{"price": 5, "priceCurrency": "EUR"}, {"price": 5, "priceCurrency": "USD"}]', None,
         True),
    ],
)  # fmt: skip
def test_ranges_taxes_and_list_prices_are_told_apart(
    offers: str, listed: int | None, *, doubtful: bool
) -> None:
    block = f'{{"@type": "Product", "name": "Tea", "offers": {offers}}}'
    seen = page("<h1>Tea</h1>", head=json_ld(block))
    assert seen.price_minor in {500, None}
    assert seen.list_price_minor == listed
    assert bool(seen.disagreements) == doubtful


def test_sources_that_agree_make_a_field_surer_and_doubts_less_sure() -> None:
    product = '{"@type": "Product", "name": "Tea", OFFER}'.replace("OFFER", OFFER)
    alone = page("", head=json_ld(product))
    tag = '<meta property="product:price:amount" content="{}">'
    agreed = page("", head=json_ld(product) + tag.format("199.00"))
    disputed = page("", head=json_ld(product) + tag.format("150.00"))
    assert disputed.confidence["price"] < alone.confidence["price"] < agreed.confidence["price"]
    assert set(alone.confidence) == set(alone.sources)


def test_the_struck_price_is_the_list_price() -> None:
    seen = page(
        '<h1>Tea</h1><div class="product"><del class="price">€20.00</del>'
        '<b class="price">€15.00</b></div>',
        head=json_ld(
            '{"@type": "Product", "name": "Tea", "offers": {"price": 15, "priceCurrency": "EUR", '
            '"availability": "InStock"}}'
        ),
    )
    assert (seen.price_minor, seen.list_price_minor) == (1500, 2000)
    assert seen.sources["list_price"] == "page"
    assert seen.structured


@pytest.mark.parametrize(
    ("body", "availability"),
    [
        ('<p class="stock">Out of stock</p>', "OutOfStock"),
        ('<p class="stock out-of-stock">Momentan leider weg</p>', "OutOfStock"),
        ('<button class="btn">売り切れ</button>', "OutOfStock"),
        ('<button class="notify">Notify me when available</button>', "OutOfStock"),
        ('<div id="availability">אינו במלאי</div>', "OutOfStock"),
        (
            '<p class="stock">In stock</p><button class="add-to-cart">Add to cart</button>',
            "InStock",
        ),
        ('<aside class="related"><p class="stock">Sold out</p></aside>', "InStock"),
        ('<p class="stock" style="display: none">Sold out</p>', "InStock"),
    ],
)
def test_stock_lines_and_buttons_tell_whether_the_product_is_there(
    body: str, availability: str
) -> None:
    seen = page(f'<h1>Tea</h1><p class="price product-price">€5.00</p>{body}<b>Add to cart</b>',
                head='<meta property="og:type" content="product">')  # fmt: skip
    assert seen.availability == availability
    assert seen.sources["availability"] == "page"


def test_data_that_call_sold_out_what_the_page_sells_are_doubted() -> None:
    product = (
        '{"@type": "Product", "name": "Tea", "offers": {"price": 5, "priceCurrency": "EUR", '
        '"availability": "OutOfStock"}}'
    )
    form = '<form><button class="add-to-cart" type="submit"%s>Add to cart</button></form>'
    sold = page("<h1>Tea</h1>" + form % "", head=json_ld(product))
    assert sold.availability == "InStock"
    assert any("sold out" in doubt for doubt in sold.disagreements)
    gone = page("<h1>Tea</h1>" + form % " disabled", head=json_ld(product))
    assert (gone.availability, gone.disagreements) == ("OutOfStock", ())


def test_what_stands_in_comments_and_scripts_is_not_seen() -> None:
    product = '{"@type": "Product", "name": "Tea", OFFER}'.replace("OFFER", OFFER)
    hidden = '<div itemscope itemtype="http://schema.org/Product"><b itemprop="name">Cup</b></div>'
    for html in (
        f"<!-- {json_ld(product)} -->",
        f"<script>var x = '{hidden}';</script>",
        f"<!-- {hidden} -->",
    ):
        assert page(html).price_minor is None


def test_shops_own_data_in_the_page_are_read() -> None:
    woo = (
        '<h1>Mug</h1><form data-product_variations="[{&quot;display_price&quot;:15.5,'
        "&quot;is_in_stock&quot;:true,&quot;sku&quot;:&quot;M&quot;,&quot;attributes&quot;:"
        '{&quot;size&quot;:&quot;L&quot;}}]"></form>'
    )
    seen = page(woo, head='<meta property="og:price:currency" content="EUR">')
    assert (seen.price_minor, seen.currency, seen.sku) == (1550, "EUR", "M")
    assert seen.sources["price"] == "shop-data"


def test_what_a_shopify_page_reports_of_its_product_is_read_where_nothing_else_names_a_price() -> (
    None
):
    report = (
        '{"product":{"id":1,"gid":"gid:\\/\\/shopify\\/Product\\/1","vendor":"Leaf","variants":'
        '[{"id":2,"price":15900,"sku":"T-1"},{"id":3,"price":18900,"sku":"T-2"}]},'
        '"page":{"pageType":"product","resourceId":1}}'
    )
    script = f"ShopifyAnalytics.meta.currency = 'USD'; var meta = {report};"
    page = f"<h1>Sheets</h1><p>{{}}</p><script>{script}</script>"
    seen = recognise(page.encode(), URL)
    assert (seen.price_minor, seen.currency) == (15900, "USD")
    assert [variant.price_minor for variant in seen.variants] == [15900, 18900]
    for other in ('"pageType":"collection"', '"pageType":1', '"pageType":"product",,'):
        changed = page.replace('"pageType":"product"', other)
        assert recognise(changed.encode(), URL).price_minor is None


@pytest.mark.parametrize(
    ("offers", "availability"),
    [
        ('{"price": 5, "inventoryLevel": {"value": 0}}', "OutOfStock"),
        ('{"price": 5, "inventoryLevel": 3}', "InStock"),
        ('{"@type": "AggregateOffer", "lowPrice": 5, "offerCount": 0}', "OutOfStock"),
        (('[{"price": 5, "availability": "SoldOut"}, '
         '{"price": 5, "availability": "LimitedAvailability"}]'), "LimitedAvailability"),
        ('[{"price": 5, "availability": "SoldOut"}, {"price": 5, "availability": "OutOfStock"}]',
         "OutOfStock"),
    ],
)  # fmt: skip
def test_stock_is_read_from_counts_and_from_the_best_variant(
    offers: str, availability: str
) -> None:
    block = f'{{"@type": "Product", "name": "Tea", "offers": {offers}}}'
    seen = page("<h1>Tea</h1>", head=json_ld(block))
    assert seen.availability == availability
    assert seen.sources["availability"] == "json-ld"


def test_small_cents_behind_a_price_are_cents() -> None:
    seen = page(
        '<h1>Tea</h1><div class="product-price">$229<sup>99</sup></div><button>Add to cart</button>'
        '<p class="price">$229 <small>99</small></p>',
        lang="en-US",
    )
    assert price(seen) == (22999, "USD", 2)


def test_a_price_that_is_struck_out_beside_another_products_is_not_this_ones() -> None:
    seen = page(
        '<h1>Tea</h1><div class="product"><b class="price">€15.00</b></div>'
        '<div class="item"><del class="price old">€449.99</del><b class="price">€399.99</b></div>',
        head=json_ld(
            '{"@type": "Product", "name": "Tea", "offers": {"price": 15, "priceCurrency": "EUR"}}'
        ),
    )
    assert (seen.price_minor, seen.list_price_minor) == (1500, None)


def test_a_page_that_was_saved_in_utf8_is_read_so_whatever_it_calls_itself() -> None:
    html = (
        '<html lang="ru"><head><meta charset="windows-1251"></head><body><h1>Чай</h1>'
        '<b class="price">163 290.00 руб.</b><button>В корзину</button></body></html>'
    )
    for codec in ("utf-8", "cp1251"):
        seen = recognise(html.encode(codec), "https://shop.example/p/tea")
        assert (seen.title, seen.price_minor, seen.currency) == ("Чай", 16329000, "RUB")
    seen = recognise(html.encode(), "https://shop.example/p/tea", charset="windows-1251")
    assert seen.title != "Чай"


def test_an_offer_belongs_to_the_product_that_it_names_as_offered() -> None:
    offer = (
        '{"@type": "Offer", "price": "4.90", "priceCurrency": "EUR", "availability": "InStock",'
        ' "itemOffered": {"@type": "Product", "name": "Tea"%s}}'
    )
    seen = page("<h1>Tea</h1>", head=json_ld(offer % ""))
    assert (price(seen), seen.title, seen.availability) == ((490, "EUR", 2), "Tea", "InStock")
    own = ', "offers": {"price": "5.90", "priceCurrency": "EUR"}'
    assert price(page("<h1>Tea</h1>", head=json_ld(offer % own))) == (590, "EUR", 2)
