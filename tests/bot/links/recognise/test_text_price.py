"""A price in running text, where nothing is named a price."""

import pytest

from bot.links.recognise import recognise
from bot.links.recognise.sighting import Sighting


def seen(body: str, *, language: str = "vi") -> Sighting:
    html = f'<html lang="{language}"><body>{body}</body></html>'
    return recognise(html.encode(), "https://shop.example/p/tea")


@pytest.mark.parametrize("word", ["OEM", "NEW", "UVP", "XXL"])
def test_three_capital_letters_in_front_of_a_price_are_no_currency(word: str) -> None:
    found = seen(f"<h1>Trà</h1><p>{word} <b>999.000đ</b></p><button>Thêm vào giỏ</button>")
    assert (found.price_minor, found.currency) == (999_000, "VND")


def test_a_code_in_front_of_a_price_is_one() -> None:
    found = seen("<h1>Tea</h1><p>AED 24.79</p><button>Add to cart</button>", language="en")
    assert (found.price_minor, found.currency) == (2479, "AED")


def test_a_plain_letter_is_money_only_where_the_country_has_it() -> None:
    body = "<h1>Tea</h1><p>Gas R32</p><button>Add to cart</button>"
    assert seen(body, language="en").price_minor is None
    assert seen(body.replace("Gas ", ""), language="en-ZA").price_minor == 3200


def test_what_can_be_bought_either_way_and_names_one_amount_names_its_price() -> None:
    buy = '<a href="">구매하기</a><a href="">장바구니</a>'
    assert seen(f"<div>8,900원</div>{buy}", language="ko").price_minor == 8900
    assert seen(f"<div>8,900원</div><div>9,900원</div>{buy}", language="ko").price_minor is None
    only_cart = '<a href="">장바구니</a>'
    assert seen(f"<div>8,900원</div>{only_cart}", language="ko").price_minor is None


@pytest.mark.parametrize(
    "other", ["50.000đ trở lên", "tiết kiệm 50.000đ", "phí vận chuyển: 50.000đ"]
)
def test_amounts_of_other_things_are_passed_over_in_more_languages(other: str) -> None:
    found = seen(f"<h1>Trà</h1><p>{other}</p><p>999.000đ</p><button>Thêm vào giỏ</button>")
    assert found.price_minor == 999_000


@pytest.mark.parametrize(
    "label",
    ["Niedrigster Preis der letzten 30 Tage", "30-Tage-Bestpreis", "Statt"],
)
def test_an_amount_that_is_called_an_old_price_is_passed_over_for_another(label: str) -> None:
    old, buy = f"<p>{label}: 22,95 €</p>", "<button>In den Warenkorb</button>"
    found = seen(f"<h1>Tee</h1>{old}<p>24,95 €</p>{buy}", language="de")
    assert found.price_minor == 2495
    assert seen(f"<h1>Tee</h1>{old}{buy}", language="de").price_minor == 2295


@pytest.mark.parametrize("heading", ["Pudełko S 69 zł", "Koszulka (69 PLN)"])
def test_a_price_may_stand_in_the_heading(heading: str) -> None:
    page = f"<h1>{heading}</h1><p>Opis</p><button>Dodaj do koszyka</button>"
    assert seen(page, language="pl").price_minor == 6900
    priced = page.replace("Opis", "59 zł")
    assert seen(priced, language="pl").price_minor == 5900


def test_a_sign_between_two_numbers_belongs_to_the_second_where_it_stands_in_front() -> None:
    buy = "<button>Adicionar ao carrinho</button>"
    found = seen(f"<h1>Loja</h1><p>Chá 300 R$ 1.299,90</p>{buy}", language="pt-BR")
    assert (found.price_minor, found.currency) == (129_990, "BRL")
    found = seen("<h1>Shop</h1><p>Tea 4,90 € 300 g</p><button>Add to cart</button>", language="en")
    assert (found.price_minor, found.currency) == (490, "EUR")


def test_digits_of_any_script_and_unseen_marks_are_read() -> None:
    page = "<h1>שעון</h1><p>\u200f1,299.90 \u200f₪</p><button>הוסף לסל</button>"
    assert seen(page, language="he-IL").price_minor == 129_990
    page = "<h1>ساعة</h1><p>السعر ١٢٩٫٩٠ ر.س</p><button>أضف إلى السلة</button>"
    assert seen(page, language="ar-SA").price_minor == 12_990
    page = "<h1>Uhr</h1><p>CHF 1’299.90</p><button>In den Warenkorb</button>"
    assert seen(page, language="de-CH").price_minor == 129_990
