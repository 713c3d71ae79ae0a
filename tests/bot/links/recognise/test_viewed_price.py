"""Prices that a page's scripts report of the product that is looked at."""

import pytest

from bot.links.recognise import Sighting, recognise
from bot.links.recognise.viewedprice import viewed_price

VIEW = (
    "dataLayer.push({event: 'view_item', ecommerce: {currency: 'PLN', value: 49, "
    "items: [{item_name: 'Tea', price: 49.90, quantity: 1}]}});"
)


def page(script: str, *, body: str = "<button>Add to cart</button>") -> Sighting:
    html = f"<html><body><h1>Tea</h1>{body}<script>{script}</script></body></html>"
    return recognise(html.encode(), "https://shop.example/p/tea")


@pytest.mark.parametrize(
    "script",
    [
        VIEW,
        'gtag("event", "view_item", {"currency": "PLN", "value": "49.90"});',
        "fbq('track', 'ViewContent', {value: 49.90, currency: 'PLN'});",
        '{"ecommerce": {"currencyCode": "PLN", "detail": {"products": [{"price": "49.90"}]}}}',
    ],
)
def test_a_shop_that_shows_no_price_has_the_one_it_reports(script: str) -> None:
    seen = page(script)
    assert (seen.price_minor, seen.currency, seen.structured) == (4990, "PLN", False)


def test_a_price_that_is_shown_counts_more() -> None:
    body = '<b class="price">39,90 zł</b><button>Add to cart</button>'
    assert page(VIEW, body=body).price_minor == 3990


@pytest.mark.parametrize(
    "body", ["", "<p>39,90 zł</p>", "<p>We paid 49,90 zł for it last year.</p>"]
)
def test_a_page_that_sells_nothing_has_no_price_for_its_reports(body: str) -> None:
    assert page(VIEW, body=body).price_minor is None


def test_a_page_that_shows_the_price_which_it_reports_sells_something() -> None:
    seen = page(VIEW, body="<i>\n  49,90\n     zł</i>")
    assert (seen.price_minor, seen.currency, seen.structured) == (4990, "PLN", False)


@pytest.mark.parametrize(
    "script",
    [
        VIEW.replace("view_item", "view_item_list"),
        VIEW.replace("currency: 'PLN', ", ""),
        VIEW + VIEW.replace("49.90", "59.90"),
        VIEW.replace("49.90", "0").replace("49,", "0,"),
    ],
)
def test_lists_and_reports_that_differ_say_nothing(script: str) -> None:
    assert viewed_price(script.encode()) is None


PAYPAL = (
    '<button>Add to cart</button><form action="https://www.paypal.com/cgi-bin/webscr">'
    '<input type="hidden" name="amount" value="19.90"><input type="hidden" name="currency_code" '
    'value="PLN"></form>'
)


def test_a_form_for_paypal_asks_for_the_price() -> None:
    seen = page("", body=PAYPAL)
    assert (seen.price_minor, seen.currency, seen.structured) == (1990, "PLN", False)


def test_forms_for_several_products_ask_for_no_price_of_the_page() -> None:
    assert page("", body=PAYPAL + PAYPAL.replace("19.90", "9.90")).price_minor is None
    assert page("", body=PAYPAL.replace("paypal", "paymate")).price_minor is None
