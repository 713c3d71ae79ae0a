"""Pictures from strangers."""

import hashlib
import io
import struct
import zlib

import pytest
from PIL import Image

from bot.links.pictures import reencode


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    """A PNG whose header promises more pixels than its few bytes hold."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def test_a_large_photograph_is_fitted_and_loses_its_metadata() -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    body = encoded(Image.new("RGB", (3000, 1500), "red"), "JPEG", exif=exif, comment=b"secret")
    picture = reencode(body)
    assert picture is not None
    assert (picture.mime, picture.width, picture.height) == ("image/jpeg", 1200, 600)
    assert b"secret" not in picture.body
    assert picture.digest == hashlib.sha256(picture.body).hexdigest()


def test_a_photograph_lying_on_its_side_is_set_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = reencode(encoded(Image.new("RGB", (40, 20), "red"), "JPEG", exif=exif))
    assert picture is not None
    assert (picture.width, picture.height) == (20, 40)


@pytest.mark.parametrize(
    ("mode", "kind", "mime"),
    [
        ("RGBA", "PNG", "image/webp"),
        ("P", "PNG", "image/jpeg"),
        ("P", "GIF", "image/jpeg"),
        ("L", "PNG", "image/jpeg"),
        ("CMYK", "JPEG", "image/jpeg"),
        ("RGB", "WEBP", "image/jpeg"),
        ("I;16", "PNG", "image/jpeg"),
        ("RGB", "BMP", "image/jpeg"),
    ],
)
def test_every_common_kind_is_read(mode: str, kind: str, mime: str) -> None:
    picture = reencode(encoded(Image.new(mode, (30, 20)), kind))
    assert picture is not None
    assert (picture.mime, picture.width, picture.height) == (mime, 30, 20)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<?xml version='1.0'?><svg onload='alert(1)'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        bytes(8_000_001),
        png_of_size(60_000, 60_000),
        png_of_size(7_000, 7_000),
        png_of_size(300, 300),
        b"\x89PNG\r\n\x1a\n" + b"\xff" * 100,
        b"\xff\xd8\xff\xe0" + b"\x00" * 100,
        b"GIF89a" + b"\xff" * 100,
    ],
)
def test_what_is_no_sound_picture_is_refused(body: bytes) -> None:
    assert reencode(body) is None


def test_a_picture_cut_short_is_refused() -> None:
    whole = encoded(Image.effect_noise((200, 200), 50), "JPEG")
    assert reencode(whole[: len(whole) // 2]) is None
