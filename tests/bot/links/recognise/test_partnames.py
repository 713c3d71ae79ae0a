"""Words inside of class names and ids."""

import pytest

from bot.links.recognise.partnames import PartNames
from bot.links.recognise.shopwords import OLD_NAME, OTHER_CARD, OTHER_NAME, OTHER_PLACE


def test_words_are_found_in_any_case_and_inside_of_others() -> None:
    words = PartNames("price list-", r"\bad\b")
    assert all(map(words.are_in, ("PRICE", "myPriceBox", "list-x", "x ad y")))
    assert not any(map(words.are_in, ("", "list", "advert", "pric e")))


def test_a_word_that_is_none_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="plain"):
        PartNames("fine pri?ce")


@pytest.mark.parametrize(
    ("names", "old"),
    [("price-old", True), ("bold", False), ("older", False), ("was", True), ("wash", False)],
)
def test_what_a_price_was_before_is_told_from_like_words(names: str, *, old: bool) -> None:
    assert OLD_NAME.are_in(names) == old


@pytest.mark.parametrize(
    "names",
    [
        "flex relative z-10", "position-relative", "accessibility", "another", "forbidden",
        "product-wrapper-inner",
    ],
)  # fmt: skip
def test_how_something_is_laid_out_does_not_make_it_another_place(names: str) -> None:
    assert not OTHER_PLACE.are_in(names)
    assert OTHER_PLACE.are_in(f"{names} related-products")
    assert OTHER_PLACE.are_in(f"related {names}")


@pytest.mark.parametrize(
    "names",
    [
        "price text-orange-500", "price cursor-pointer", "price-wrapper-inner",
        "price before:absolute", "price font-regular", "price origin-top",
    ],
)  # fmt: skip
def test_how_a_price_looks_does_not_make_it_another_one(names: str) -> None:
    assert not OTHER_NAME.are_in(names)
    assert OTHER_NAME.are_in(f"{names} regular-price")
    assert OTHER_NAME.are_in(f"per-month {names}")


def test_a_button_in_a_grid_layout_is_the_pages_own_and_one_in_a_grid_of_products_is_not() -> None:
    assert not OTHER_CARD.are_in("grid gap-4 relative")
    assert all(map(OTHER_CARD.are_in, ("product-grid", "grid__item", "relative product-card")))


def test_navigation_is_another_place_and_an_advertisement_too() -> None:
    assert all(map(OTHER_PLACE.are_in, ("nav-left", "ads", "x ad-2")))
    assert not any(map(OTHER_PLACE.are_in, ("canavas", "adsl", "lads")))
