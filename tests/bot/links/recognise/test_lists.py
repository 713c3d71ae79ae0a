"""Pages that show several products, or none of their own, have no price."""

import pytest

from bot.links.recognise import Sighting, recognise

BUY = "<button class='add-to-cart'>Add to cart</button>"
PRODUCT = f'<h1>Green tea</h1><p class="product-price">£4.90</p>{BUY}'


def page(body: str, *, head: str = "", url: str = "https://shop.example/p/green-tea") -> Sighting:
    html = f'<!doctype html><html lang="en-GB"><head>{head}</head><body>{body}</body></html>'
    return recognise(html.encode(), url)


def card(name: str, price: str, *, tag: str = "div", names: str = "tile") -> str:
    return (
        f'<{tag} class="{names}"><a href="/p/{name}"><img src="/{name}.jpg"></a>'
        f'<h3><a href="/p/{name}">{name}</a></h3><p class="price-now">{price}</p>{BUY}</{tag}>'
    )


@pytest.mark.parametrize(
    "order",
    [
        '<option value="/tea?sort=p.price&amp;order=ASC">Price, low to high</option>',
        '<option value="price">Price</option>',
        '<option value="price-desc">Price</option>',
        "<option selected value='price-ascending'>Price</option>",
        '<option value="product_list_order=price">Price</option>',
    ],
)
def test_what_can_be_put_into_the_order_of_its_prices_is_a_list(order: str) -> None:
    assert page(PRODUCT).price_minor == 490
    assert page(f"<select>{order}</select>{PRODUCT}").price_minor is None


def test_sizes_that_differ_in_price_are_no_order_of_prices() -> None:
    sizes = '<select><option value="1" data-price="490">100 g, price £4.90</option></select>'
    assert page(sizes + PRODUCT).price_minor == 490


@pytest.mark.parametrize(
    "path", ["/search?q=tea", "/sok?q=te", "/busca/tea", "/cart", "/koszyk.html", "/de/warenkorb"]
)
def test_addresses_of_searches_and_carts_sell_nothing_themselves(path: str) -> None:
    assert page(PRODUCT, url=f"https://shop.example{path}").price_minor is None


@pytest.mark.parametrize("path", ["", "/", "/?utm_source=mail"])
def test_where_a_hosts_front_page_stands_nothing_is_sold_without_data(path: str) -> None:
    url = f"https://shop.example{path}"
    assert page(PRODUCT, url=url).price_minor is None
    kind = '<meta property="og:type" content="product">'
    assert page(PRODUCT, head=kind, url=url).price_minor == 490
    assert page(PRODUCT, url="https://shop.example/?product=12").price_minor == 490


def test_an_address_that_only_begins_like_a_search_may_sell() -> None:
    assert page(PRODUCT, url="https://shop.example/searchlight").price_minor == 490
    assert page(PRODUCT, url="https://search.example/p/tea").price_minor == 490


def test_data_of_a_product_are_believed_at_any_address() -> None:
    head = (
        '<script type="application/ld+json">{"@type": "Product", "name": "Tea", "offers": '
        '{"price": "4.90", "priceCurrency": "GBP"}}</script>'
    )
    assert page("<h1>Tea</h1>", head=head, url="https://shop.example/search").price_minor == 490


@pytest.mark.parametrize(("tag", "names"), [("div", "tile"), ("li", ""), ("article", "")])
def test_prices_on_cards_that_lead_to_other_pages_are_not_the_pages_own(
    tag: str, names: str
) -> None:
    tiles = [card(name, price, tag=tag, names=names) for name, price in
             (("black", "£3.00"), ("white", "£3.00"))]  # fmt: skip
    assert page("<h1>Teas</h1>" + "\n".join(tiles)).price_minor is None


def test_cards_that_their_classes_number_are_alike() -> None:
    tiles = card("black", "£3.00", names="tile p-1 first") + card("white", "£3", names="tile p-2")
    assert page(f"<h1>Teas</h1>{tiles}").price_minor is None


@pytest.mark.parametrize("names", ["quickview-wrapper", "modal fade", "product-popup"])
def test_a_product_in_what_opens_above_the_page_is_not_the_pages_own(names: str) -> None:
    shown = '<h1>Black tea</h1><p class="price new-price">£3.00</p>'
    assert page(f'<h2>About us</h2><div class="{names}">{shown}</div>').price_minor is None
    assert page(f'<h2>About us</h2><div class="product">{shown}</div>').price_minor == 300


def test_a_price_in_text_is_not_taken_from_what_opens_above_the_page() -> None:
    body = f'<h2>About us</h2><div class="{{}}"><h1>Black tea</h1><p>£3.00</p>{BUY}</div>'
    assert page(body.format("product")).price_minor == 300
    assert page(body.format("modal")).price_minor is None


def test_cards_beside_a_product_leave_its_price() -> None:
    tiles = card("black", "£3.00") + card("white", "£3.50")
    assert page(PRODUCT + tiles).price_minor == 490


def test_a_price_in_text_is_found_beside_cards_and_not_on_them() -> None:
    tiles = card("black", "£3.00") + card("white", "£3.50")
    plain = f"<h1>Green tea</h1>{{}}<form>{BUY}</form><p>Now for £4.90 only</p>"
    assert page(plain.format(tiles)).price_minor == 490


def test_pictures_that_open_larger_make_no_card() -> None:
    half = (
        '<div class="col"><a href="/tea-large.jpg"><img src="/tea.jpg"></a>'
        '<p class="price">£4.90</p></div>'
    )
    assert page(f"<h1>Green tea</h1>{half}{half}{BUY}").price_minor == 490


@pytest.mark.parametrize("kind", ["Recipe", "HowTo", "JobPosting", "QAPage"])
def test_what_is_read_has_no_price_whatever_is_sold_beside_it(kind: str) -> None:
    head = f'<script type="application/ld+json">{{"@type": "{kind}", "name": "Tea"}}</script>'
    assert page(PRODUCT, head=head).price_minor is None


def test_a_product_with_a_recipe_keeps_its_price() -> None:
    head = (
        '<script type="application/ld+json">[{"@type": "Recipe", "name": "Iced tea"}, '
        '{"@type": "Product", "name": "Tea", "offers": {"price": "4.90", "priceCurrency": "GBP"}}]'
        "</script>"
    )
    assert page(PRODUCT, head=head).price_minor == 490


def cards(count: int) -> str:
    listed = (
        f'<div class="listing"><b class="price">£{number}.50</b></div>' for number in range(count)
    )
    return "".join(listed)


def test_a_page_that_shows_many_prices_of_others_and_none_of_its_own_is_a_list() -> None:
    text = "<p>From £2.75</p>"
    assert page(f"<h1>Teas</h1>{text}{cards(10)}{BUY}").price_minor is None
    assert page(f"<h1>Teas</h1>{text}{cards(5)}{BUY}").price_minor == 275


def test_an_amount_in_text_that_stands_in_a_list_of_others_is_not_the_pages_own() -> None:
    assert page(f"<h1>Teas</h1><p>£3.50</p>{cards(6)}{BUY}").price_minor is None
    assert page(f"<h1>Teas</h1><p>£3.50</p><p>£2</p>{cards(6)}{BUY}").price_minor == 200


def test_cards_at_one_price_are_a_list_too() -> None:
    same = '<div class="listing"><b class="price-now">£4.90</b></div>' * 5
    assert page(f"<h1>Teas</h1>{same}{BUY}").price_minor is None


def test_three_prices_built_alike_and_no_other_are_a_list() -> None:
    cards = [f'<div class="box"><h4 class="price">£{n}.90</h4></div>' for n in (4, 5, 6)]
    assert page(f"<h1>Teas</h1>{''.join(cards)}{BUY}").price_minor is None
    assert page(f"<h1>Teas</h1>{''.join(cards[:1])}{BUY}").price_minor == 490
    own = '<p class="product-price">£4.90</p>'
    assert page(f"<h1>Tea</h1>{own}{''.join(cards)}{BUY}").price_minor == 490


def test_one_price_on_many_cards_is_no_more_of_a_price_for_it() -> None:
    own = '<table class="price_table"><tr><td class="price">£1.00 (tax in)</td></tr></table>'
    cards = '<div class="box"><div class="price">£9.00 (tax in)</div></div>' * 3
    assert page(f"<div>{own}</div><section>{cards}</section>{BUY}").price_minor == 100


@pytest.mark.parametrize("entry", ['{"@type":"Product"}', '{"item":{"@type":"Product"}}'])
def test_data_that_list_several_products_are_of_a_list(entry: str) -> None:
    data = f'{{"@type":"ItemList","itemListElement":[{entry},{entry}]}}'
    head = f'<script type="application/ld+json">{data}</script>'
    assert page(PRODUCT, head=head).price_minor is None
    one = head.replace(f"{entry},", "")
    assert page(PRODUCT, head=one).price_minor == 490


def products(*names: str) -> str:
    """Data of several products."""
    offer = '"offers": {"price": "4.90", "priceCurrency": "GBP"}'
    nodes = ", ".join(f'{{"@type": "Product", "name": "{name}", {offer}}}' for name in names)
    return f'<script type="application/ld+json">{{"@graph": [{nodes}]}}</script>'


def test_one_of_many_products_that_only_begins_as_the_page_is_called_is_not_its_own() -> None:
    listed = ["Green tea, 100 g", *(f"Black tea {n}" for n in range(10))]
    assert page("<h1>Green tea</h1>", head=products(*listed)).price_minor is None
    # Beside a few others it may be the page's own under its full name.
    assert page("<h1>Green tea</h1>", head=products(*listed[:3])).price_minor == 490
    assert page("<h1>Green tea</h1>", head=products("Green tea", *listed[1:])).price_minor == 490


def test_four_equal_prices_built_alike_and_no_other_are_a_list() -> None:
    cards = '<div class="box"><div class="price">£9.00</div></div>'
    assert page(f"{cards * 4}{BUY}").price_minor is None
    assert page(f"{cards * 2}{BUY}").price_minor == 900


def test_what_is_built_as_cards_are_and_leads_nowhere_else_is_no_card() -> None:
    others = "".join(
        f'<li><a href="/p/{n}"><img src="/{n}.jpg"></a><h3><a href="/p/{n}">Other</a></h3><form>'
        f'<span class="price">{n},95 €</span></form></li>'
        for n in range(10, 16)
    )
    own = '<form><span class="price">18,95 €</span><button>In den Warenkorb</button></form>'
    assert page(f"<h1>Tee</h1>{own}<ul>{others}</ul>").price_minor == 1895


def test_a_number_of_pieces_is_no_amount_of_money() -> None:
    pieces = '<div class="amount-selector"><div class="amount">1</div></div>'
    seen = page(f"<h1>Tea</h1>{pieces}<p>4,90 €</p><button>Add to cart</button>")
    assert seen.price_minor == 490


def test_the_cell_in_front_may_call_a_price_old() -> None:
    rows = (
        '<table><tr><td>List price:</td><td class="price">€39.95</td></tr>'
        '<tr><td>Price:</td><td class="price">€24.95</td></tr></table>'
    )
    seen = page(f"<h1>Tea</h1>{rows}<button>Add to cart</button>")
    assert (seen.price_minor, seen.list_price_minor) == (2495, 3995)
