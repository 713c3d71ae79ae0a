"""Words inside of class names and ids."""

import pytest

from bot.links.recognise.partnames import PartNames
from bot.links.recognise.shopwords import OLD_NAME, OTHER_PLACE


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


def test_navigation_is_another_place_and_an_advertisement_too() -> None:
    assert all(map(OTHER_PLACE.are_in, ("nav-left", "ads", "x ad-2")))
    assert not any(map(OTHER_PLACE.are_in, ("canavas", "adsl", "lads")))
