"""The examples of docs/catalogues.md are catalogues."""

import re
from pathlib import Path

from bot.catalogue import shopify, woocommerce
from bot.catalogue.files import kind_of
from bot.catalogue.google_tsv import read_google_tsv
from bot.catalogue.google_xml import read_google_xml
from bot.catalogue.sitemap import read_sitemap
from bot.catalogue.template import COLUMNS, TEMPLATE, read_csv
from tests.bot.catalogue.feeds import HOSTS, file, items, us

_TEXT = (Path(__file__).parents[3] / "docs" / "catalogues.md").read_text(encoding="utf-8")
_EXAMPLES = re.findall(r"^```\w+\n(.*?)^```$", _TEXT, re.DOTALL | re.MULTILINE)
SHOPIFY, WOOCOMMERCE, XML, TSV, CSV, SITEMAP = _EXAMPLES


def test_each_example_is_told_by_its_content() -> None:
    assert [kind_of(file(example), None) for example in _EXAMPLES] == [
        "shopify",
        "woocommerce",
        "google-xml",
        "google-tsv",
        "csv",
        "sitemap",
    ]


def test_each_example_is_read_without_a_problem() -> None:
    url = "https://shop.example/"
    cups = items(shopify.read_shopify_page(SHOPIFY.encode(), url, "EUR", HOSTS)[1])
    assert [cup.price_minor for cup in cups] == [2400, 2600]
    (woo,) = items(woocommerce.read_woocommerce_page(WOOCOMMERCE.encode(), url, HOSTS)[1])
    assert (woo.price_minor, woo.list_price_minor) == (1250, 1500)
    (tea,) = items(read_google_xml(file(XML), HOSTS))
    assert tea.price_minor_at(us("2026-11-28T00:00:00+00:00")) == 990
    assert [item.price_minor for item in items(read_google_tsv(file(TSV), HOSTS))] == [1250]
    assert [place.url for place in read_sitemap(file(SITEMAP))] == [
        "https://shop.example/products/green-tea",
        "https://shop.example/about",
    ]


def test_the_documented_template_is_the_one_that_is_printed() -> None:
    assert CSV == TEMPLATE
    assert len(items(read_csv(file(CSV), HOSTS))) == 3
    for column in COLUMNS:
        assert f"`{column}`" in _TEXT
