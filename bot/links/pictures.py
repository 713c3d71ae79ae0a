"""Product pictures, drawn anew: what we pass on is pixels, never a stranger's file."""

import hashlib
import io
import warnings

import msgspec
from PIL import Image, ImageOps, UnidentifiedImageError

BODY_BYTES_MAX = 8_000_000
SIDE_PX_MAX = 1200
_PIXELS_MAX = 40_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
_JPEG_QUALITY = 85
_WEBP_QUALITY = 85


class Picture(msgspec.Struct, frozen=True):
    """A picture of our own making; `digest` is the SHA-256 of `body` in hex, sides in pixels."""

    mime: str
    body: bytes
    width: int
    height: int
    digest: str


def reencode(body: bytes) -> Picture | None:
    """`body` as a still picture of at most 1200×1200 pixels without metadata.

    None when it is larger than 8 MB, no picture of a known raster format (SVG is none), broken,
    or has more than 40 million pixels. Takes up to some 100 ms of CPU: call it in a thread.
    """
    if not body or len(body) > BODY_BYTES_MAX:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(body), formats=_FORMATS) as opened:
                if opened.width * opened.height > _PIXELS_MAX or 0 in opened.size:
                    return None
                return _drawn_anew(opened)
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        ValueError,
        SyntaxError,  # Pillow's PNG reader raises it for a broken chunk
        EOFError,
        OverflowError,
        MemoryError,
    ):
        # Whatever a broken file makes a decoder raise means the same: no picture.
        return None


def _drawn_anew(opened: Image.Image) -> Picture:
    # JPEG can decode at a fraction of its size, which saves most of the time.
    opened.draft("RGB", (SIDE_PX_MAX, SIDE_PX_MAX))
    upright = ImageOps.exif_transpose(opened)
    see_through = "A" in upright.getbands() or "transparency" in upright.info
    pixels = upright.convert("RGBA" if see_through else "RGB")
    pixels.thumbnail((SIDE_PX_MAX, SIDE_PX_MAX), Image.Resampling.LANCZOS)
    canvas = Image.new(pixels.mode, pixels.size)
    canvas.paste(pixels)
    out = io.BytesIO()
    if see_through:
        mime = "image/webp"
        canvas.save(out, "WEBP", quality=_WEBP_QUALITY)
    else:
        mime = "image/jpeg"
        canvas.save(out, "JPEG", quality=_JPEG_QUALITY, optimize=True, progressive=True)
    drawn = out.getvalue()
    return Picture(
        mime=mime,
        body=drawn,
        width=canvas.width,
        height=canvas.height,
        digest=hashlib.sha256(drawn).hexdigest(),
    )
