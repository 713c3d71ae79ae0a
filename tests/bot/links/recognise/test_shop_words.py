"""What shops say in many languages: prices, carts, stock."""

import pytest

from bot.links.recognise import Sighting, recognise


def page(body: str, *, language: str = "en-GB", body_tag: str = "<body>") -> Sighting:
    html = f'<!doctype html><html lang="{language}"><head></head>{body_tag}{body}</body></html>'
    return recognise(html.encode(), "https://shop.example/p/tea")


@pytest.mark.parametrize(
    "button",
    [
        "Adauga in cos", "Añadir a la cesta", "Adicionar à sacola", "Legg i handlekurv",
        "Sepete at", "У кошик", "U korpu", "Savatga", "افزودن به سبد", "أضف للسلة", "หยิบใส่ตะกร้า",
        "Thêm vào giỏ hàng", "+ Keranjang", "Dodaj do koszyka", "Place pre-order", "予約する",
        "اطلب الآن", "Zamów",
    ],
)  # fmt: skip
def test_a_link_or_button_that_buys_makes_a_shop(button: str) -> None:
    body = '<h1>Tea</h1><div class="box"><b class="price">€4.90</b></div>'
    filler = "<p>x</p>" + body.replace("€", "")
    assert page(filler).price_minor is None
    assert page(f"{body}<a href='/c'>{button}</a>").price_minor == 490


@pytest.mark.parametrize("link", ["Przejdź do koszyka", "Перейти в корзину", "View cart"])
def test_a_link_to_the_cart_is_no_button_that_buys(link: str) -> None:
    body = '<h2>Tea</h2><b class="price-from">4,90 zł</b>'
    assert page(f"{body}<a href='/c'>{link}</a>").price_minor is None


@pytest.mark.parametrize(
    "names", ["preis", "prijs", "prix", "prezzo", "cena", "kaina", "hinta", "harga", "fiyat"]
)
def test_names_that_mean_a_price_in_any_language_count_alike(names: str) -> None:
    body = f'<b class="{names}">4,90 €</b><h1>About it</h1><button>Buy now</button>'
    assert page(body).price_minor == 490


def test_words_for_price_and_tax_do_not_speak_against_a_price() -> None:
    body = '<div class="x"><b class="price">Preis inkl. MwSt 4,90 €</b></div><h1>Tea</h1>'
    assert page(f"{body}<button>Kaufen</button>", language="de").price_minor == 490


def test_a_product_page_without_a_price_says_whether_it_is_sold_out() -> None:
    body = '<h1>Tea</h1><p class="stock">Sold out</p>'
    seen = page(body, body_tag='<body class="single-product">')
    assert (seen.price_minor, seen.availability) == (None, "OutOfStock")
    assert page(body).availability is None


def test_a_product_page_without_a_price_is_not_taken_to_be_there() -> None:
    assert page("<h1>Tea</h1>", body_tag='<body class="single-product">').availability is None


@pytest.mark.parametrize(
    "price",
    [
        '<b class="price" style="text-decoration: line-through">£6</b> <b class="price">£4.90</b>',
        '<span style="text-decoration:line-through">£6</span> <b>£4.90</b>',
    ],
)
def test_what_is_struck_out_by_its_style_is_no_price_to_pay(price: str) -> None:
    assert page(f"<h1>Tea</h1><p>{price}</p><button>Buy now</button>").price_minor == 490


def test_the_price_before_a_reduction_in_brazil_is_not_the_one_to_pay() -> None:
    body = "<h1>Chá</h1><p>de R$ 6,00 R$ 4,90</p><button>Comprar</button>"
    assert page(body, language="pt-BR").price_minor == 490
    assert page(body.replace(" R$ 4,90", ""), language="pt-BR").price_minor == 600


def test_an_offer_that_is_gone_does_not_make_the_price_while_another_is_there() -> None:
    offers = (
        '{"price": "3", "priceCurrency": "GBP", "availability": "https://schema.org/SoldOut"}, '
        '{"price": "4.90", "priceCurrency": "GBP", "availability": "https://schema.org/InStock"}'
    )
    data = f'{{"@type": "Product", "name": "Tea", "offers": [{offers}]}}'
    seen = page(f'<script type="application/ld+json">{data}</script><h1>Tea</h1>')
    assert (seen.price_minor, seen.availability) == (490, "InStock")
    assert seen.disagreements


def test_fields_of_class_names_may_be_parted_by_underscores() -> None:
    body = '<h1>Tea</h1><h2>£4.90</h2><input type="submit" class="add_cart" value="">'
    assert page(body).price_minor == 490
    assert page(body.replace("add_cart", "search")).price_minor is None


def test_the_options_of_a_product_are_the_place_where_it_is_bought() -> None:
    price = '<div class="{}"><b class="price">4,90 zł</b></div><button>Do koszyka</button>'
    assert page(price.format("product-options-bottom"), language="pl").price_minor == 490
    assert page(price.format("other-options"), language="pl").price_minor is None


@pytest.mark.parametrize(
    "prices",
    [
        '<b class="price--line-through">£8.99</b> <b class="price--content">£7.49</b>',
        '<b class="price price-discount">£7.49</b> <b class="price-pseudo">RRP £8.99</b>',
        '<b class="x-price">£7.49</b> <b class="full-price">£8.99</b>',
        '<b class="a-price">Was £8.99</b> <b class="a-price">£7.49</b>',
        '<b class="a-price">UVP £8.99</b> <b class="a-price">£7.49</b>',
        '<b class="discount-price">£7.49</b> <b class="a-price">List price £8.99</b>',
    ],
)
def test_the_price_before_is_told_by_its_name_and_by_its_words(prices: str) -> None:
    assert page(f"<h1>Tea</h1>{prices}<button>Buy now</button>").price_minor == 749


def test_digits_inside_of_letters_are_no_price() -> None:
    body = '<h1>Tea</h1><b class="online-price">Price MzI5Ljk5$</b><button>Buy now</button>'
    assert page(body).price_minor is None


def test_cents_in_an_element_of_their_own_belong_to_a_price_in_text() -> None:
    body = "<h1>Tee</h1><p>€ 10,<small> 83</small>*</p><button>In den Warenkorb</button>"
    assert page(body, language="de").price_minor == 1083


def test_a_range_to_narrow_down_a_list_is_no_price() -> None:
    body = "<h1>Tea</h1><p>Price £5 - £70</p><p>£4.90</p><button>Buy now</button>"
    assert page(body).price_minor == 490
    assert page(body.replace("£70", "£8")).price_minor == 500


def test_a_price_right_behind_the_heading_stands_out_without_a_button() -> None:
    assert page('<h1>Tea</h1><b class="price">£4.90</b>').price_minor == 490
    assert page('<h1>Tea</h1><b class="price">£4.90 if you hurry</b>').price_minor is None


def test_a_page_without_a_heading_is_read_where_it_calls_its_topic_what_its_title_does() -> None:
    far = "<p>" + "word " * 30_000 + "</p>"
    html = (
        f"<html><head><meta name='x'><title>Green tea | Leaf</title></head><body>{far}"
        '<p>Green tea</p><b class="product-price">£4.90</b><button>Add to cart</button>'
    )
    address = "https://shop.example/p/tea"
    assert recognise(html.encode(), address).price_minor == 490
    assert recognise(html.replace("Green tea |", "Tea |").encode(), address).price_minor is None


@pytest.mark.parametrize(
    "part", ["£4.90 per month", "4,90 zł miesięcznie", "£4.90/mo", "月々 490円"]
)
def test_what_is_paid_every_month_is_not_the_price(part: str) -> None:
    body = (
        f'<h1>Tea</h1><b class="price">{part}</b> <b class="price">£49</b><button>Buy now</button>'
    )
    assert page(body).price_minor == 4900


def test_a_title_behind_the_head_names_the_page() -> None:
    far = "word " * 50_000
    html = f"<html><head><meta name='x'></head><body><p>{far}</p><title>Green tea</title><p>x</p>"
    assert recognise(html.encode(), "https://shop.example/p").title == "Green tea"
    drawing = html.replace("<title>", "<svg><title>")
    assert recognise(drawing.encode(), "https://shop.example/p").title is None


def test_a_page_without_a_heading_that_labels_its_stock_names_its_price_by_the_only_amount() -> (
    None
):
    buy = "<a href='/c'>В корзину</a>"
    body = f"<p>Наличие: Да</p><p>Артикул: <b>1163</b></p> <p>870<br>руб</p>{buy}"
    assert page(body, language="ru").price_minor == 87000
    assert page(body + "<p>90 руб</p>", language="ru").price_minor is None
    assert page(body.replace("Наличие:", ""), language="ru").price_minor is None


def test_a_page_that_labels_one_stock_is_a_shops() -> None:
    body = "<h1>Thé</h1><p>Disponibilité : {}</p><p>4,90 €</p>"
    assert page(body.format("en stock"), language="fr").price_minor == 490
    assert page(body.replace("Disponibilité", "Auteur"), language="fr").price_minor is None
