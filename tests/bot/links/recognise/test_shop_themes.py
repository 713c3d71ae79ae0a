"""Prices and stock in the markup of shop software, in many languages, without data for machines."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from babel.numbers import format_currency

from bot.links.recognise import Sighting, recognise
from tests.bot.links.recognise.shop_themes import (
    LANGUAGES,
    NAME,
    THEMES,
    WITHOUT_LIST_PRICE,
    Language,
    Product,
)
from wallet_core.money import exponent_of

_AMOUNTS = ((Decimal("1299.90"), None), (Decimal("24.95"), Decimal("39.95")))


def _seen(said: Language, body: str, *, title: str = NAME, path: str = "p/qorvex") -> Sighting:
    html = f'<html lang="{said.tag}"><head><title>{title} - Zyx</title></head>{body}</html>'
    return recognise(html.encode(), f"https://zyx.{said.tld}/{path}")


def _minor(amount: Decimal, said: Language) -> int:
    return int(amount.scaleb(exponent_of(said.currency)))


def _written(amount: Decimal | None, said: Language) -> str:
    return "" if amount is None else format_currency(amount, said.currency, locale=said.locale)


def _products(*, gone: bool) -> Iterator[tuple[Product, int, int | None]]:
    """Products in every language, each with its price and the one before, in minor units."""
    for said in LANGUAGES:
        for price, old in _AMOUNTS:
            if not exponent_of(said.currency):
                price, old = price * 100, old and old * 100  # noqa: PLW2901 - whole yen
            shown = (_written(price, said), _written(old, said), _written(price * 3, said))
            listed = None if old is None else _minor(old, said)
            yield Product(said, *shown, gone), _minor(price, said), listed


#: Some themes have the shop's name as their heading, or none at all.
HEADINGS: dict[str, Callable[[str], str]] = {
    "with a heading": lambda body: body,
    "with a lesser heading": lambda body: re.sub(r"(</?h)1\b", r"\g<1>2", body),
    "with the shop's name as heading": lambda body: body.replace("<body", "<h1>Zyx</h1><body", 1),
}


@pytest.mark.parametrize("heading", HEADINGS)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("gone", [False, True], ids=["in stock", "sold out"])
def test_price_and_stock_of_a_theme_are_read_in_every_language(
    theme: str, heading: str, *, gone: bool
) -> None:
    has_listed = theme not in WITHOUT_LIST_PRICE and heading != "with a lesser heading"
    wrong: list[tuple[object, ...]] = []
    for product, price, listed in _products(gone=gone):
        seen = _seen(product.said, HEADINGS[heading](THEMES[theme](product)))
        told = (seen.price_minor, seen.currency, seen.availability)
        if told != (price, product.said.currency, "OutOfStock" if gone else "InStock"):
            wrong.append((product.said.tag, product.price, product.old, told))
        elif has_listed and seen.list_price_minor != listed:
            wrong.append((product.said.tag, product.old, seen.list_price_minor))
    assert not wrong


def _cards(said: Language, prices: list[str], *, card: str = "product") -> str:
    return "".join(
        f'<div class="{card}"><a href="/p/{n}"><img src="/{n}.jpg"></a><h3><a href="/p/{n}">Thing '
        f'{n}</a></h3><span class="price">{price}</span><button>{said.buy}</button></div>'
        for n, price in enumerate(prices)
    )


_TEXT = "<p>A text that is long enough to be read by people who like to read texts.</p>" * 8
OTHER_PAGES: dict[str, Callable[[Language, list[str]], str]] = {
    "a list": lambda said, prices: f"<h1>{said.shoes}</h1>{_cards(said, prices)}",
    "a list of two": lambda said, prices: f"<h1>{said.shoes}</h1>{_cards(said, prices[:2])}",
    "a list of one": lambda said, prices: f"<h1>{said.shoes}</h1>{_cards(said, prices[:1])}",
    "a list at one price": lambda said, prices: (
        f"<h1>{said.shoes}</h1>{_cards(said, prices[:1] * 6)}"
    ),
    "a front page": lambda said, prices: (
        f"<h1>Summer is here</h1><a href='/all'>{said.shoes}</a>{_cards(said, prices)}"
    ),
    "a text with products below": lambda said, prices: (
        f"<h1>How we chose our desk</h1>{_TEXT}<p>It cost us {prices[0]}.</p>{_cards(said, prices)}"
    ),
    "a text about prices": lambda _, prices: (
        f"<h1>Bread rises</h1><p>It costs {prices[0]}, last year it was {prices[1]}.</p>{_TEXT}"
    ),
    "a cart": lambda said, prices: (
        f"<h1>{said.cart}</h1><table><tr><td><a href='/p/1'>Thing</a></td>"
        f'<td class="product-price">{prices[0]}</td></tr></table>'
        f'<div class="price">{prices[0]}</div><button>Checkout</button>'
    ),
    "plans": lambda _, prices: (
        "<h1>Plans</h1>"
        + "".join(
            f'<div class="plan"><h3>Plan</h3><div class="price">{price}</div></div>'
            for price in prices
        )
    ),
}


@pytest.mark.parametrize("kind", OTHER_PAGES)
def test_what_sells_nothing_or_many_things_has_no_price_in_any_language(kind: str) -> None:
    wrong = []
    for said in LANGUAGES:
        prices = [_written(Decimal(amount), said) for amount in (2495, 4990, 7485, 3000)]
        seen = _seen(
            said, f"<body>{OTHER_PAGES[kind](said, prices)}</body>", title="Page", path="a/page"
        )
        if seen.price_minor is not None:
            wrong.append((said.tag, prices[0], seen.price_minor))
    assert not wrong
