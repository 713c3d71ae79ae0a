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
