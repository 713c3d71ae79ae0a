"""Whether a product is there, by what people see."""

import pytest

from bot.links.recognise import recognise

PRICE = '<b class="price">£4.90</b>'


def stock(body: str, *, head: str = "", language: str = "en-GB") -> str | None:
    html = f'<html lang="{language}"><head>{head}</head><body>{body}</body></html>'
    return recognise(html.encode(), "https://shop.example/p/tea").availability


@pytest.mark.parametrize(
    "gone",
    [
        "<div>Out of stock</div>", "<table><tr><td>Нет в наличии</td></tr></table>",
        "<p>Sorry, sold out</p>", '<img src="/i/soldout.gif">', '<img src="x.png" alt="Sold out">',
        "<p>Availability: Out of stock</p>",
        "<p>Sem estoque</p>", "<p>สินค้าหมด</p>", "<p>Stokta kalmadı</p>", "<p>매진</p>",
        "<p>Dostępność: brak towaru</p>",
        "<p>Verfügbarkeit: <b>nicht lieferbar</b></p>", "<p>在庫：売り切れ</p>",
    ],
)  # fmt: skip
def test_words_without_a_name_say_that_a_product_is_gone(gone: str) -> None:
    assert stock(f"<h1>Tea</h1>{PRICE}{gone}") == "OutOfStock"
    assert stock(f"<h1>Tea</h1>{PRICE}") == "InStock"


def test_such_words_do_not_outweigh_a_button_that_buys() -> None:
    button = '<button class="add-to-cart">Add to cart</button>'
    assert stock(f"<h1>Tea</h1>{PRICE}<p>Sold out</p>{button}") == "InStock"
    off = button.replace("<button", "<button disabled")
    assert stock(f"<h1>Tea</h1>{PRICE}<p>Sold out</p>{off}") == "OutOfStock"


@pytest.mark.parametrize(
    "other",
    [
        "<select><option>Large, sold out</option></select>",
        "<ul><li>XL sold out</li></ul>",
        '<div class="related"><p>Sold out</p></div>',
        '<p style="display:none">Sold out</p>',
        "<p>Image not available</p>",
        "<p>Imagen no disponible</p>",
        "<p>ทั้งหมด</p>",
        "<p>Last year all of our teas were sold out before the summer had even begun.</p>",
    ],
)
def test_what_is_said_of_sizes_and_others_is_not_said_of_the_product(other: str) -> None:
    assert stock(f"<h1>Tea</h1>{PRICE}{other}") == "InStock"


def test_an_element_around_the_heading_may_be_named_after_a_product_that_is_gone() -> None:
    product = '<div class="type-product outofstock"><h1>Tea</h1>{}</div>'
    assert stock(product.format(PRICE)) == "OutOfStock"
    beside = '<div class="type-product outofstock"><h2>Mug, 2 sizes</h2></div>'
    assert stock(f"<div><h1>Tea</h1>{PRICE}</div>{beside}") == "InStock"


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ('<p class="stock">In stock</p>', "InStock"), ("<p>Наличие: В наличии</p>", "InStock"),
        ("<p>Нет в наличии</p>", "OutOfStock"), ("<p>Hello</p>", None),
    ],
)  # fmt: skip
def test_a_shops_page_without_a_price_says_whether_its_product_is_there(
    said: str, word: str | None
) -> None:
    assert stock(f"<h1>Tea</h1>{said}<a href='/c'>Add to basket</a>") == word
    assert stock(f"<h1>Tea</h1>{said}") is None


def test_a_page_without_a_heading_calls_its_product_what_its_title_does() -> None:
    head = "<title>Green tea of spring | Leaf</title>"
    body = "<p>Green tea of spring</p>{}<p>Availability: sold out</p><a href='/c'>Add to basket</a>"
    assert stock(body.format(PRICE), head=head) == "OutOfStock"


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("Наличие на складе: Да", "InStock"), ("Наличие: нет", "OutOfStock"),
        ("AVAILABILITY: 7-10 Production Days", "InStock"), ("Dostupnost: do 3 dnů", "InStock"),
        ("Disponibilité : épuisé", "OutOfStock"), ("Availability: ask us", None),
    ],
)  # fmt: skip
def test_a_label_for_stock_is_answered_with_yes_no_or_how_long_it_takes(
    said: str, word: str | None
) -> None:
    assert stock(f"<h1>Tea</h1><p>{said}</p><a href='/c'>Add to basket</a>") == word


def test_several_texts_that_say_so_say_it_of_sizes() -> None:
    sizes = "<div><i>S</i> <b>sold out</b></div><div><i>M</i> <b>sold out</b></div>"
    assert stock(f"<h1>Tea</h1>{PRICE}{sizes}") == "InStock"


@pytest.mark.parametrize(
    ("said", "meant"),
    [("<span>Наличие</span> <i></i> В наличии", "InStock"),
     ("<b>Availability</b> In stock", "InStock"),
     ("<b>Lagerstatus</b> Slutsåld", "OutOfStock"), ("<b>在庫</b> 売り切れ", "OutOfStock"),
     ("<b>Διαθεσιμότητα</b> Εξαντλήθηκε", "OutOfStock")],
)  # fmt: skip
def test_a_label_may_be_told_from_its_answer_by_how_it_is_drawn(said: str, meant: str) -> None:
    kind = '<meta property="og:type" content="product">'
    assert stock(f"<h1>Tea</h1><p>{said}</p>", head=kind) == meant


def test_a_label_without_an_answer_says_nothing() -> None:
    kind = '<meta property="og:type" content="product">'
    assert stock("<h1>Tea</h1><p>Availability and delivery of stock</p>", head=kind) is None


@pytest.mark.parametrize("names", ["hide", "msg hidden", "is-hidden", "ng-hide", "d-none"])
def test_what_is_hidden_by_a_class_says_nothing(names: str) -> None:
    page = f'<h1>Tea</h1>{PRICE}<div class="stock {names}">Out of stock</div>'
    assert stock(page) == "InStock"
    assert stock(page.replace(names, "line d-none d-md-block")) == "OutOfStock"
    assert stock(page.replace(names, "line d-none d-lg-flex")) == "OutOfStock"


def test_data_that_say_sold_out_are_believed_where_the_page_says_so_too() -> None:
    data = (
        '<script type="application/ld+json">{"@type": "Product", "name": "Tea", "offers": {'
        '"price": "4.90", "priceCurrency": "GBP", "availability": "OutOfStock"}}</script>'
    )
    buy = '<button class="add-to-cart">Add to basket</button>'
    assert stock(f"<h1>Tea</h1>{PRICE}{buy}", head=data) == "InStock"
    gone = '<p class="stock">Currently unavailable</p>'
    assert stock(f"<h1>Tea</h1>{PRICE}{gone}{buy}", head=data) == "OutOfStock"


def test_what_holds_the_heading_is_no_other_part_of_the_page() -> None:
    line = '<p class="stock">Sold out</p>'
    assert stock(f'<div class="listing"><h1>Tea</h1>{PRICE}{line}</div>') == "OutOfStock"
    assert stock(f'<h1>Tea</h1>{PRICE}<div class="listing">{line}</div>') == "InStock"


def test_data_that_say_in_stock_are_not_believed_where_the_page_says_it_is_gone() -> None:
    data = (
        '<script type="application/ld+json">{"@type": "Product", "name": "Tea", "offers": {'
        '"price": "4.90", "priceCurrency": "GBP", "availability": "InStock"}}</script>'
    )
    gone = '<h1>Tea</h1><p class="stock">Sold out</p><p>Dear <b>£4.90</b></p>'
    html = f"<html lang='en-GB'><head>{data}</head><body>{gone}</body></html>"
    seen = recognise(html.encode(), "https://shop.example/p/tea")
    assert (seen.availability, seen.price_minor) == ("OutOfStock", 490)
    assert any("says it is gone" in doubt for doubt in seen.disagreements)
    buy = '<button class="add-to-cart">Add to basket</button>'
    assert stock(gone + buy, head=data) == "InStock"


@pytest.mark.parametrize(
    "beside",
    [
        '<div class="unavailableView">Bild nicht verfügbar</div>',
        '<p class="available-views">Image not available for colour red</p>',
    ],
)
def test_a_picture_that_is_not_there_says_nothing_of_the_product(beside: str) -> None:
    assert stock(f"<h1>Tea</h1>{PRICE}{beside}") == "InStock"
    gone = '<div class="availability">Nicht verfügbar</div>'
    assert stock(f"<h1>Tea</h1>{PRICE}{beside}{gone}") == "OutOfStock"


def test_an_element_named_after_availability_tells_that_a_page_sells_something_and_it_is_gone() -> (
    None
):
    said = '<div id="availability"><span>Currently unavailable.</span></div>'
    assert stock(f"<h1>Tea of 48 leaves</h1>{said}") == "OutOfStock"
    assert stock(f'<h1>Tea</h1><div class="related">{said}</div>') is None
    assert stock("<h1>Tea</h1><p>The minister was unavailable for comment.</p>") is None


@pytest.mark.parametrize("price", ["", '"price": "4.90", "priceCurrency": "GBP",'])
def test_what_a_page_calls_gone_is_not_there_because_its_data_say_so(price: str) -> None:
    offer = f'"offers": {{{price} "availability": "https://schema.org/InStock"}}'
    told = f'{{"@type": "Product", "name": "Tea", {offer}}}'
    head = f'<script type="application/ld+json">{told}</script>'
    line = '<p class="stock out-of-stock">Sold out</p>'
    assert stock(f"<h1>Tea</h1>{line}", head=head) == "OutOfStock"
    assert stock("<h1>Tea</h1>", head=head) == "InStock"


def test_the_badge_of_shopifys_themes_counts_where_its_price_is_called_sold_out() -> None:
    badge = '<span class="badge price__badge-sold-out">Sold out</span>'
    block = '<div class="price {}"><span class="price-item">£4.90</span>{}</div>'
    assert stock(f"<h1>Tea</h1>{block.format('price--large', badge)}") == "InStock"
    assert stock(f"<h1>Tea</h1>{block.format('price--sold-out', badge)}") == "OutOfStock"
