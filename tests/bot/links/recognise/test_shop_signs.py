"""What says that a page sells something, and what only leads to the cart."""

import pytest

from bot.links.recognise import recognise
from bot.links.recognise.sighting import Sighting

_PRICE = '<div class="product"><div class="price_text">8400 <small>₺</small></div></div>'


def seen(body: str, *, language: str = "tr", head: str = "") -> Sighting:
    html = f'<html lang="{language}"><head>{head}</head><body>{body}</body></html>'
    return recognise(html.encode(), "https://shop.example/p/tea")


@pytest.mark.parametrize(
    ("language", "link"),
    [("ko", "장바구니"), ("ko", "장바구니 (0)"), ("nl", "Winkelwagen"), ("sv", "Kundvagn"),
     ("nb", "Handlekurv 2"), ("el", "Το καλάθι μου")],
)  # fmt: skip
def test_a_link_to_the_cart_makes_no_shop(language: str, link: str) -> None:
    body = f'<h1>T</h1><a class="cart" href="/c">{link}</a><p>12,50 €</p>'
    assert seen(body, language=language).price_minor is None
    assert seen(body.replace("</p>", "</p><button>Köp nu</button>")).price_minor == 1250


@pytest.mark.parametrize(
    ("language", "button"),
    [("ko", "장바구니"), ("nl", "In winkelwagen"), ("sv", "Lägg i kundvagn"),
     ("el", "Προσθήκη στο καλάθι")],
)  # fmt: skip
def test_a_button_of_that_name_fills_the_cart(language: str, button: str) -> None:
    body = f"<h1>T</h1><p>12,50 €</p><button>{button}</button>"
    assert seen(body, language=language).price_minor == 1250


def test_words_that_put_into_a_cart_need_no_button_beside_a_price_that_is_named_one() -> None:
    assert seen(f"<h3>Mini</h3>{_PRICE}<div>SEPETE EKLE</div>").price_minor == 840_000
    assert seen(f"<h3>Mini</h3>{_PRICE}<div>Açıklama</div>").price_minor is None


@pytest.mark.parametrize("words", ["Sepete git", "Przejdź do koszyka", "장바구니 (1)"])
def test_words_that_lead_to_the_cart_put_nothing_into_it(words: str) -> None:
    assert seen(f"<h3>Mini</h3>{_PRICE}<div>{words}</div>").price_minor is None


@pytest.mark.parametrize(
    "words",
    ["買い物かごへ", "ショッピングバッグへ入れる", "カートへ入れる", "お買い物カゴに入れる"],
)
def test_japanese_shops_have_baskets_and_bags(words: str) -> None:
    body = f"<h1>茶</h1><p>¥160</p><button>{words}</button>"
    assert seen(body, language="ja").price_minor == 160


@pytest.mark.parametrize("name", ["hargalama", "harga-coret", "eski-fiyat", "giacu", "cenastara"])
def test_names_of_old_prices_are_known_in_more_languages(name: str) -> None:
    prices = f'<div class="price {name}">9.000 ₺</div><div class="price">8.400 ₺</div>'
    assert seen(f"<h3>Mini</h3>{prices}<button>Sepete ekle</button>").price_minor == 840_000


def test_capital_letters_with_a_dot_are_read_as_others() -> None:
    assert seen("<h1>Çay</h1><p>8 ₺</p><button>SİPARİŞ VER</button>").price_minor == 800
    gone = '<h1>Çay</h1><button disabled class="x">TÜKENDİ</button>'
    assert seen(gone).availability == "OutOfStock"


@pytest.mark.parametrize("words", ["Tükendi!", "Sold out", "품절", "ناموجود", "Hết hàng"])
def test_a_button_that_is_switched_off_says_that_a_product_without_a_price_is_gone(
    words: str,
) -> None:
    found = seen(f"<h1>Çay</h1><button disabled>{words}</button>")
    assert (found.availability, found.price_minor) == ("OutOfStock", None)
    assert seen(f"<h1>Çay</h1><button>{words}</button>").availability is None


def test_what_was_published_at_a_time_is_read_and_not_sold() -> None:
    body = '<h1>Tea</h1><p class="price">£4.90</p><button>Buy now</button>'
    time = '<meta property="article:published_time" content="2022-02-02">'
    assert seen(body, head=time).price_minor is None
    assert seen(body).price_minor == 490
    kind = '<meta property="og:type" content="product">'
    assert seen(body, head=time + kind).price_minor == 490
