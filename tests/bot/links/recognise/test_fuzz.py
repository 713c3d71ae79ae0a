"""Pages and prices that nobody would write: no crash, no hang, no growth, linear time."""

import random
import time
import tracemalloc
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.links.recognise import Sighting, recognise
from bot.links.recognise.amounts import read_amount
from bot.links.recognise.recogniser import PageReader
from tests.bot.links.recognise.pages import REAL_LIKE

URL = "https://shop.example/p/tea"
BOUNDED = settings(
    max_examples=120, deadline=10_000, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
_PIECES = (
    b"<", b">", b'"', b"'",
    b"{", b"}", b"[", b"]",
    b",", b":", b"\\", b"<!--", b"-->", b"</script>",
    b"<script>", b"itemscope ", b'itemprop="offers" ', b"\x00", b"\xff\xfe", b"&quot;", b"1e999",
    b"<style>", b"</STYLE>", b"<h1>", b"itemscope itemtype=schema.org/Product ", b"</i>",
    b"-0", b"NaN", b"null", b"\xe2\x80\x8f", b"<del>", b"class=price ", b"9" * 400,
)  # fmt: skip


@st.composite
def mutated_pages(draw: st.DrawFn) -> bytes:
    page = bytearray(draw(st.sampled_from(REAL_LIKE)).encode())
    rng = random.Random(draw(st.integers(0, 2**32)))
    for _ in range(rng.randrange(1, 12)):
        place = rng.randrange(len(page) + 1)
        match rng.randrange(4):
            case 0:
                page[place:place] = rng.choice(_PIECES)
            case 1:
                del page[place : place + rng.randrange(1, 40)]
            case 2:
                page[place : place + 1] = rng.randbytes(1)
            case _:
                start = rng.randrange(len(page) + 1)
                page[place:place] = page[start : start + rng.randrange(1, 300)]
    return bytes(page)


def is_sound(seen: Sighting) -> bool:
    """What every sighting promises, whatever the page."""
    assert (seen.price_minor is None) == (seen.exponent is None)
    assert seen.price_minor is None or 0 < seen.price_minor < 10**15
    assert seen.currency is None or (len(seen.currency) == 3 and seen.price_minor is not None)
    assert seen.structured <= (seen.price_minor is not None)
    assert all(0 <= sure <= 1 for sure in seen.confidence.values())
    assert set(seen.confidence) == set(seen.sources)
    texts = [seen.title, seen.brand, seen.sku, seen.seller, *(v.title for v in seen.variants)]
    assert all(text is None or (len(text) <= 300 and text.isprintable()) for text in texts)
    assert seen.image is None or seen.image.startswith(("http://", "https://"))
    return True


@BOUNDED
@given(mutated_pages())
def test_mutated_pages_are_read_or_passed_over(page: bytes) -> None:
    assert is_sound(recognise(page, URL))


@BOUNDED
@given(st.binary(max_size=400), st.sampled_from(["", URL, "data:,", "https://[::1"]))
def test_bytes_are_read_or_passed_over(page: bytes, url: str) -> None:
    assert is_sound(recognise(page, url))
    assert is_sound(recognise(b'<script type="application/ld+json">' + page, url))


@settings(BOUNDED, max_examples=300)
@given(
    st.text(alphabet="0123456789٠١२৩９.,'’٫٬ \u00a0\u202f-+%()€$¥円元万億lakhKM税込", max_size=40),
    st.sampled_from([None, 0, 2, 3]),
    st.sampled_from(["", "de", "en", "ar", "zh", "tok"]),
)
def test_prices_are_read_or_passed_over(text: str, exponent: int | None, language: str) -> None:
    amount = read_amount(text, exponent=exponent, language=language)
    assert amount is None or (amount.is_finite() and 0 < amount < Decimal(10) ** 12)


@pytest.mark.parametrize(
    "unit",
    ["<div>", '<p class="price">5', '<i itemscope itemtype="http://schema.org/Product">',
     '<i itemprop="name">', "<!--", "<!-- -->", "<h1>", "<script>", '<meta name="price" content="',
     '<script type="application/ld+json">{"@type":"Product","name":"x"}</script>', "{{{{",
     '<a class="', "<del>", '<b typeof="Product" property="name">', "万", "<p class=stock>",
     "<style>", "<style></style>", "<script></script>", "+json", "application/ld+json",
     '<script type="application/ld+json">', '<div itemscope itemtype="https://schema.org/Book">',
     '<i itemscope itemtype="https://schema.org/Product"><i itemprop="offers" itemscope></i></i>',
     '<i itemprop="offers" content="', '<script>"variants"</script>',
     '<p data-product_variations="[]">', '<meta name="og:title" content="x">', "schema.org/"],
)  # fmt: skip
def test_time_grows_no_faster_than_the_page(unit: str) -> None:
    # The tree stops growing at its bound; twice the page is then about twice the time.
    small_s, large_s = [
        # The best of a few: a long-lived process also collects its garbage now and then.
        min(_cpu_s((unit * (size // len(unit))).encode()) for _ in range(3))
        for size in (400_000, 1_600_000)
    ]
    assert large_s < 4 * 2 * small_s + 0.25


def _cpu_s(page: bytes) -> float:
    start_s = time.process_time()
    recognise(page, URL)
    return time.process_time() - start_s


@pytest.mark.parametrize(
    "block",
    ["[" * 200_000, '{"a":' * 100_000, '"' * 200_000, "\\" * 200_000, "/*" * 100_000,
     ",\n" * 100_000, '{"offers":[' + '{"@id":"a"},' * 20_000, "&quot;" * 50_000],
)  # fmt: skip
def test_a_broken_block_takes_little_time(block: str) -> None:
    start = time.process_time()
    recognise(f'<script type="application/ld+json">{block}</script>'.encode(), URL)
    assert time.process_time() - start < 3


@pytest.mark.parametrize("unit", [" ", "\n", "c", "charset", "charset= ", "<meta charset="])
def test_a_charset_named_late_takes_little_time(unit: str) -> None:
    # Such a name is looked for far into a page that is no UTF-8.
    page = b"<p>\xff</p>" + b"x" * 5000 + b"<meta charset=" + unit.encode() * (400_000 // len(unit))
    start = time.process_time()
    recognise(page, URL)
    assert time.process_time() - start < 3


def test_memory_does_not_grow_with_the_number_of_pages() -> None:
    rng = random.Random(7)
    pages = [page.encode() for page in REAL_LIKE]

    def read_many(count: int) -> None:
        for number in range(count):
            page = rng.choice(pages)
            marked = page.replace(b"Tea", f"Tea {number}".encode())
            PageReader(marked, f"{URL}/{number}").sighting()

    read_many(40)
    tracemalloc.start()
    read_many(30)
    before, _ = tracemalloc.get_traced_memory()
    read_many(90)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 400_000
