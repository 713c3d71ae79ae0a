"""Whatever a file holds: readers give records or one sentence, and never crash."""

import contextlib
import io
import json
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.catalogue.files import kind_of, unpack
from bot.catalogue.google_tsv import read_google_tsv
from bot.catalogue.google_xml import read_google_xml
from bot.catalogue.record import Problem, UnreadableCatalogue
from bot.catalogue.shopify import currency_in, read_shopify_page
from bot.catalogue.sitemap import read_sitemap
from bot.catalogue.template import TEMPLATE, read_csv
from bot.catalogue.woocommerce import read_woocommerce_page
from tests.bot.catalogue.feeds import ATOM, HOSTS, RSS, SHOPIFY, TSV, woo_product
from wallet_core.commerce.catalogue import CatalogueItem
from wallet_core.money import Money

Read = Callable[[bytes], Iterable[object]]
URL = "https://shop.example/"

READERS: dict[str, tuple[Read, bytes]] = {
    "rss": (lambda b: read_google_xml(io.BytesIO(b), HOSTS), RSS.encode()),
    "atom": (lambda b: read_google_xml(io.BytesIO(b), HOSTS), ATOM.encode()),
    "tsv": (lambda b: read_google_tsv(io.BytesIO(b), HOSTS), TSV.encode()),
    "csv": (lambda b: read_csv(io.BytesIO(b), HOSTS), TEMPLATE.encode()),
    "sitemap": (
        lambda b: read_sitemap(io.BytesIO(b)),
        b"<urlset><url><loc>https://shop.example/a</loc><lastmod>x</lastmod></url></urlset>",
    ),
    "shopify": (
        lambda b: read_shopify_page(b, URL, "EUR", HOSTS)[1],
        json.dumps(SHOPIFY).encode(),
    ),
    "meta": (lambda b: [currency_in(b)], b'{"currency": "EUR"}'),
    "woocommerce": (
        lambda b: read_woocommerce_page(b, URL, HOSTS)[1],
        json.dumps([woo_product(1)]).encode(),
    ),
}


def judged(read: Read, body: bytes) -> None:
    """All records are sound."""
    try:
        for found in read(body):
            if isinstance(found, CatalogueItem):
                assert Money(found.price_minor, found.currency).amount_minor > 0
                assert found.url.startswith(("https://shop.example/", "http://shop.example/"))
                assert 0 < len(found.title) <= 300
            if isinstance(found, Problem):
                assert found.sentence()
    except UnreadableCatalogue as error:
        said = str(error)
        assert said


@pytest.mark.parametrize("name", READERS)
@given(body=st.binary(max_size=2000))
@settings(max_examples=60, deadline=None)
def test_no_bytes_crash_a_reader(name: str, body: bytes) -> None:
    judged(READERS[name][0], body)
    kind_of(io.BytesIO(body), None)


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_no_damage_to_a_catalogue_crashes_its_reader(name: str, data: st.DataObject) -> None:
    read, good = READERS[name]
    body = bytearray(good)
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(body)))
        end = start + data.draw(st.integers(0, 20))
        body[start:end] = data.draw(st.binary(max_size=20))
    judged(read, bytes(body))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["products", "variants", "id", "handle", "title", "price", "images", "src", "name",
             "prices", "permalink", "currency_minor_unit", "currency_code", "price_range", "sku"]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=25,
)  # fmt: skip


@given(value=_JSON, currency=st.sampled_from(["EUR", "JPY", "KWD"]))
@settings(max_examples=150, deadline=None)
def test_no_json_crashes_a_reader(value: object, currency: str) -> None:
    for shaped in (value, {"products": [value]}, [value], {"products": value}):
        body = json.dumps(shaped).encode()
        judged(lambda b: read_shopify_page(b, URL, currency, HOSTS)[1], body)
        judged(lambda b: read_woocommerce_page(b, URL, HOSTS)[1], body)


@given(body=st.binary(max_size=500))
@settings(max_examples=100, deadline=None)
def test_no_bytes_crash_the_unpacker(body: bytes) -> None:
    with contextlib.suppress(UnreadableCatalogue):
        unpack(io.BytesIO(b"\x1f\x8b" + body), io.BytesIO())
