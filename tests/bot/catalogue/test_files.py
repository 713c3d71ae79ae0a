"""What a file is, and unpacking it in bounded pieces."""

import gzip
import io
import tracemalloc
import zlib

import pytest

from bot.catalogue.files import kind_of, unpack, unpacked, whole
from bot.catalogue.record import UnreadableCatalogue
from tests.bot.catalogue.feeds import ATOM, RSS, TSV, file

SITEMAP = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"></urlset>'


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (RSS, "google-xml"),
        (ATOM, "google-xml"),
        ("\ufeff\n" + RSS, "google-xml"),
        (RSS.encode("utf-16"), "google-xml"),
        (SITEMAP, "sitemap"),
        (SITEMAP.replace("urlset", "sitemapindex"), "sitemap"),
        (TSV, "google-tsv"),
        ("id,title,link,price\n", "csv"),
        ("ID;Title;Preis\n", "csv"),
        ("id\ttitle\tlink\tprice\tcurrency\n", "csv"),
        ('{"products": []}', "shopify"),
        ("[]", "woocommerce"),
        ("<!DOCTYPE html><html><body>price</body></html>", None),
        ("<html><head>", None),
        ('{"code": "rest_no_route"}', None),
        ("hello", None),
        ("", None),
        (b"\x00\xff\xfe\x89PNG", None),
    ],
)
def test_a_file_is_what_it_begins_with(content: str | bytes, kind: str | None) -> None:
    stream = file(content)
    assert kind_of(stream, None) == kind
    assert stream.tell() == 0


def test_a_packed_file_is_unpacked_and_a_plain_one_left_alone() -> None:
    target = io.BytesIO()
    assert unpack(file(gzip.compress(RSS.encode(), mtime=0)), target)
    assert target.getvalue() == RSS.encode()
    assert not unpack(file(RSS), target)


@pytest.mark.parametrize("after", [b"", bytes(512), b"x", b"\x1f"])
@pytest.mark.parametrize("size", [1, 300, 65_535, 65_536, 200_000])
def test_a_file_that_was_packed_in_several_parts_is_unpacked_whole(size: int, after: bytes) -> None:
    parts = [bytes([65 + number]) * size for number in range(4)]
    packed = b"".join(gzip.compress(part, level, mtime=0) for level, part in enumerate(parts))
    target = io.BytesIO()
    assert unpack(file(packed + after), target)
    assert target.getvalue() == b"".join(parts)
    with pytest.raises(UnreadableCatalogue, match="breaks off"):
        unpack(file(packed[:-9]), io.BytesIO())


def test_a_bomb_is_unpacked_in_small_pieces() -> None:
    packer = zlib.compressobj(9, wbits=31)
    packed = b"".join(packer.compress(bytes(1_000_000)) for _ in range(300)) + packer.flush()
    tracemalloc.start()
    try:
        size = 0
        for piece in unpacked(file(packed)):
            size += len(piece)
            if size > 50_000_000:
                break
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


class Counting(io.BytesIO):
    """A target that keeps nothing."""

    size = 0

    def write(self, piece: object) -> int:
        assert isinstance(piece, bytes)
        self.size += len(piece)
        return len(piece)


def test_more_than_the_limit_is_refused_after_it_is_unpacked() -> None:
    packer = zlib.compressobj(9, wbits=31)
    packed = b"".join(packer.compress(bytes(1_000_000)) for _ in range(300)) + packer.flush()
    target = Counting()
    with pytest.raises(UnreadableCatalogue, match="too large"):
        unpack(file(packed), target)
    assert target.size <= 256_000_000


@pytest.mark.parametrize("content", [gzip.compress(b"x" * 9000, mtime=0)[:-9], b"\x1f\x8bnonsense"])
def test_a_packed_file_that_breaks_off_is_told(content: bytes) -> None:
    with pytest.raises(UnreadableCatalogue):
        unpack(file(content), io.BytesIO())


def test_a_page_that_is_too_large_is_refused() -> None:
    assert whole(file("abc"), 3) == b"abc"
    with pytest.raises(UnreadableCatalogue):
        whole(file("abcd"), 3)
