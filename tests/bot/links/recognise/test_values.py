"""Small values of structured data."""

import html

import pytest
from ada_url import join_url
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.links.recognise.values import (
    absolute_url,
    availability_word,
    best_availability,
    clean,
    gtin_in,
    stock_level,
)

BOUNDED = settings(max_examples=500, deadline=10_000)
#: What addresses are made of, and what makes them other than they look.
URL_PIECES = st.lists(
    st.sampled_from(
        ["https://", "http://", "HTTPS://", "ftp://", "//", "shop.example", "Shop.", "a-b.", "xn--",
         "127.0.0.1", "1.com", "0x7f", ":443", ":80", ":8080", "/", "/p", "/tea", ".", "..", "%2e",
         "%", "?", "a=1", "&", "&amp;", "&lt", ";", "#", "@", "-", "_", "~", " ", "\t", "\\", "'",
         "ü", "[", "|", "^", "{"]
    ),
    max_size=7,
).map("".join)  # fmt: skip
BASE = "https://shop.example/p/tea?variant=2"


@pytest.mark.parametrize(
    "number",
    ["4006381333931", "96385074", "036000291452", "10614141000415", "0306406152",
     "978-0-306-40615-7", "080442957X"],
)  # fmt: skip
def test_article_numbers_with_a_right_check_digit_are_taken(number: str) -> None:
    assert gtin_in(number) == number.replace("-", "")


@pytest.mark.parametrize(
    "number", ["4006381333932", "12345", "0000000000000", "", "x006381333931", None, 5.5, "０"]
)
def test_article_numbers_that_fail_it_are_not(number: object) -> None:
    assert gtin_in(number) is None


@pytest.mark.parametrize(
    ("raw", "word"),
    [("http://schema.org/InStock", "InStock"), ("in stock", "InStock"), ("oos", "OutOfStock"),
     ("https://schema.org/SoldOut/", "SoldOut"), ("available for order", "BackOrder"),
     (["InStock"], "InStock"), ({"@id": "schema:PreOrder"}, "PreOrder"), ("maybe", None),
     ("nicht auf Lager", "OutOfStock"), ("Auf Lager", "InStock"), ("no disponible", "OutOfStock"),
     ("Disponible", "InStock"), ("在庫あり", "InStock"), ("品切れ", "OutOfStock"),
     ("This item is unavailable", "OutOfStock"), ("nicht so schnell lieferbar", None),
     ("預購中", "PreOrder"), ("Sur commande", "BackOrder"), ("Нет в наличии", "OutOfStock"),
     ("https://shop.example/is-available", None), ("available " * 20, None), (None, None)],
)  # fmt: skip
def test_availability_is_read_in_the_words_shops_use(raw: object, word: str | None) -> None:
    assert availability_word(raw) == word


def test_stock_is_a_whole_number_of_pieces() -> None:
    assert stock_level({"@type": "QuantitativeValue", "value": "7"}) == 7
    assert stock_level("many") is None
    assert stock_level("9" * 30) is None


def test_a_product_is_as_available_as_the_best_of_its_variants() -> None:
    assert best_availability(["SoldOut", None, "PreOrder", "OutOfStock"]) == "PreOrder"
    assert best_availability(["Discontinued", "LimitedAvailability"]) == "LimitedAvailability"
    assert best_availability([None]) is None


@BOUNDED
@given(st.tuples(st.sampled_from(["", "https://shop.example/", "http://a.example"]), URL_PIECES))
def test_addresses_are_resolved_as_the_url_standard_says(parts: tuple[str, str]) -> None:
    written = "".join(parts)
    try:
        wanted: str | None = join_url(BASE, html.unescape(written))
    except ValueError:
        wanted = None
    if wanted is not None and not wanted.startswith(("http:", "https:")):
        wanted = None
    assert absolute_url(written, BASE) == wanted


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("چای می\u200cخواهم", "چای می\u200cخواهم"),
        ("ශ්\u200dරී ලංකා තේ", "ශ්\u200dරී ලංකා තේ"),
        ("Tea for 👨\u200d👩\u200d👧", "Tea for 👨\u200d👩\u200d👧"),
        ("Green\u200d tea\u200c", "Green tea"),
        ("\u200dGr\u200ceen\u202e", "Green"),
        ("شاي\u200c", "شاي"),
    ],
)
def test_joiners_stay_between_the_letters_that_need_them(written: str, read: str) -> None:
    assert clean(written) == read
