"""What the names of an element and the words in it say of the price that it shows."""

import pytest

from bot.links.recognise import Sighting, recognise


def page(prices: str) -> Sighting:
    body = f"<h1>Tea</h1><main>{prices}<button>Add to cart</button></main>"
    return recognise(f'<html lang="en"><body>{body}'.encode(), "https://shop.example/p/tea")


@pytest.mark.parametrize(
    "words", ["<abbr>/</abbr><abbr>unit</abbr>", " per unit", " / each", "<i> per item</i>"]
)
def test_what_is_sold_by_the_unit_costs_what_a_unit_does(words: str) -> None:
    each = '<p class="pricePerMeasure">£0.70<abbr>/</abbr><abbr>ea</abbr></p>'
    seen = page(f'<div class="pricing"><p class="pricePerUnit">£3.50{words}</p>{each}</div>')
    assert (seen.price_minor, seen.currency) == (350, "GBP")


def test_a_price_by_the_measure_is_not_what_has_to_be_paid() -> None:
    by_weight = '<p class="unit-price">£0.70/100g</p><p class="pricePerMeasure">£7.00/kg</p>'
    assert page(f'<p class="price">£3.50</p>{by_weight}').price_minor == 350


@pytest.mark.parametrize("name", ["data-testid", "data-test", "data-qa", "data-hook", "data-cy"])
def test_a_name_for_tests_calls_it_a_price_where_classes_say_nothing(name: str) -> None:
    own = f'<div {name}="product-price" class="a0v_ajv"><span>CHF <!-- -->19.50</span></div>'
    seen = page(f'<p class="x1">Free from 99.00 CHF</p>{own}<p class="x1">in stock</p>')
    assert (seen.price_minor, seen.currency) == (1950, "CHF")


def test_a_name_for_tests_tells_the_old_price_too() -> None:
    old = '<span class="price a1" data-testid="was-price">£6.00</span>'
    assert page(f'{old}<span class="price a1">£4.90</span>').price_minor == 490


def test_a_name_for_tests_says_nothing_of_the_stock() -> None:
    # Such as that of a branch where it cannot be fetched.
    branch = '<div data-test="pick-up_NOT_AVAILABLE"><p>Pick-up</p><p>Choose a branch</p></div>'
    assert page(f'<p class="price">£4.90</p>{branch}').availability == "InStock"


def test_units_and_cents_in_elements_of_their_own_are_no_prices_beside_the_whole() -> None:
    whole = '<span class="p-whole price">52</span><span class="p-cents price">41</span>'
    own = f'<p class="price p1"><span class="hidden-text">£52.41</span>{whole}</p>'
    others = '<p class="price p2">£26.21</p><p class="price p3">£42.98</p>'
    assert page(own + others).price_minor == 5241
