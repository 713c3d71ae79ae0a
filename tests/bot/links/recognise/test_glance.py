"""A page whose data name a price is mostly confirmed without its tree."""

from decimal import Decimal

import pytest

from bot.links.recognise.facts import PageFacts
from bot.links.recognise.glance import glance
from bot.links.recognise.markup import Markup


def seen(price: str, shown: str) -> bool:
    page = f"<title>Tea pot</title><h1>Tea pot</h1><div>{shown}</div>".encode()
    facts = PageFacts("https://shop.example/p", Markup(page))
    return glance(Decimal(price), 2, facts) is not None


@pytest.mark.parametrize(
    "shown",
    [
        '<b class="price">$229.99</b>',
        '<b class="price">$229<sup class="price-cents">99</sup></b>',
        '<b class="price">$229.99</b><p class="price-note">Pay in 3 instalments, free of fees</p>',
        '<s class="old-price">$299.99</s><b class="price">$229.99</b>',
    ],
)
def test_a_price_behind_the_heading_is_confirmed(shown: str) -> None:
    assert seen("229.99", shown)


@pytest.mark.parametrize(
    "shown",
    [
        '<b class="price">$229</b>',
        '<b class="price">$199<sup class="price-cents">99</sup></b>',
        '<b class="price">$229.99</b><b class="price">$199.99</b>',
        '<b class="price">$229.99</b><b class="price">with the card of the house only $199.99</b>',
        "<b>$229.99</b>",
    ],
)
def test_another_or_a_lower_one_takes_a_closer_look(shown: str) -> None:
    assert not seen("229.99", shown)
