"""Tools to draw a still life with: backdrops, shadows, round things, light."""

import functools
import itertools
from collections.abc import Callable, Iterable, Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter

#: The size of a finished picture; it is drawn twice as large, so that its edges are smooth.
WIDTH_PX, HEIGHT_PX = 960, 720
WIDTH_DRAWN_PX, HEIGHT_DRAWN_PX = WIDTH_PX * 2, HEIGHT_PX * 2

Colour = tuple[int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]


def ramp(colours: Sequence[Colour], *, upright: bool) -> Image.Image:
    """A smooth run through the colours, over the whole canvas."""
    strip = Image.new("RGB", (len(colours), 1))
    strip.putdata(list(colours))
    # Half a pixel is cut at both ends, so that the first and last colour are reached.
    edge = 0.5
    strip = strip.resize(
        (WIDTH_DRAWN_PX, 1), Image.Resampling.BICUBIC, box=(edge, 0, len(colours) - edge, 1)
    )
    if upright:
        return (
            strip.resize((HEIGHT_DRAWN_PX, 1))
            .rotate(90, expand=True)
            .transpose(Image.Transpose.FLIP_TOP_BOTTOM)
            .resize((WIDTH_DRAWN_PX, HEIGHT_DRAWN_PX))
        )
    return strip.resize((WIDTH_DRAWN_PX, HEIGHT_DRAWN_PX))


def mask_of(draw: Callable[[ImageDraw.ImageDraw], object], blur: float = 0) -> Image.Image:
    """What `draw` draws in white, as a mask; `blur` is a radius in drawn pixels."""
    mask = Image.new("L", (WIDTH_DRAWN_PX, HEIGHT_DRAWN_PX))
    draw(ImageDraw.Draw(mask))
    return mask.filter(ImageFilter.GaussianBlur(blur)) if blur else mask


def room(wall: Sequence[Colour], floor: Sequence[Colour], horizon: int = 1000) -> Image.Image:
    """A quiet backdrop: a wall, a table, a soft line between them."""
    scene = ramp(wall, upright=True)
    below = mask_of(
        lambda d: d.rectangle((0, horizon, WIDTH_DRAWN_PX, HEIGHT_DRAWN_PX), fill=255), blur=14
    )
    scene.paste(ramp(floor, upright=True), mask=below)
    return scene


def cast_shadow(scene: Image.Image, box: Box, strength: int = 120, blur: float = 34) -> None:
    """A soft dark spot on the table; `strength` is 0 to 255."""
    dark = Image.new("RGB", (WIDTH_DRAWN_PX, HEIGHT_DRAWN_PX), (24, 20, 26))
    scene.paste(dark, mask=mask_of(lambda d: d.ellipse(box, fill=strength), blur))


def fill_round(
    scene: Image.Image, mask: Image.Image, colours: Sequence[Colour], span: Point
) -> None:
    """Fill a shape with a run of colours from `span[0]` to `span[1]`, so that it looks round."""
    left, right = int(span[0]), int(span[1])
    run = Image.new("RGB", (WIDTH_DRAWN_PX, HEIGHT_DRAWN_PX), colours[-1])
    run.paste(ramp(colours, upright=False).resize((right - left, HEIGHT_DRAWN_PX)), (left, 0))
    scene.paste(run, mask=mask)


def turned(profile: Sequence[Point], centre_x: float) -> list[Point]:
    """The outline of something made on a lathe or a wheel: (y, half width) at some heights."""
    smooth: list[Point] = []
    for (y0, w0), (y1, w1) in itertools.pairwise(profile):
        for step in range(24):
            t = step / 24
            ease = t * t * (3 - 2 * t)
            smooth.append((y0 + (y1 - y0) * t, w0 + (w1 - w0) * ease))
    smooth.append(profile[-1])
    right = [(centre_x + w, y) for y, w in smooth]
    left = [(centre_x - w, y) for y, w in reversed(smooth)]
    return right + left


def polygon(points: Sequence[Point], blur: float = 0) -> Image.Image:
    """A mask of these corners."""
    return mask_of(lambda d: d.polygon(points, fill=255), blur)


def ellipse(box: Box, blur: float = 0) -> Image.Image:
    """A mask of the ellipse in this box."""
    return mask_of(lambda d: d.ellipse(box, fill=255), blur)


def lighten(scene: Image.Image, mask: Image.Image, strength: float) -> None:
    """Put light on a shape; `strength` is 0 to 1."""
    white = Image.new("RGB", (WIDTH_DRAWN_PX, HEIGHT_DRAWN_PX), (255, 255, 255))
    scene.paste(white, mask=mask.point([int(value * strength) for value in range(256)]))


def strokes(
    lines: Iterable[Sequence[Point]], *, strength: int, width: int, blur: float = 0
) -> Image.Image:
    """A mask of lines; `strength` is 0 to 255, `width` in drawn pixels."""

    def draw(on: ImageDraw.ImageDraw) -> None:
        for line in lines:
            on.line(line, fill=strength, width=width, joint="curve")

    return mask_of(draw, blur)


def bend(box: Box, start: float, end: float, width: int) -> Image.Image:
    """A mask of a thick arc, from one angle to another in degrees, clockwise from the right."""
    return mask_of(lambda on: on.arc(box, start, end, fill=255, width=width))


def slab(box: Box, radius: float = 0, blur: float = 0) -> Image.Image:
    """A mask of a box with round corners."""
    return mask_of(lambda on: on.rounded_rectangle(box, radius, fill=255), blur)


def tint(scene: Image.Image, colour: Colour, *masks: Image.Image) -> None:
    """Put one colour where all the masks are."""
    where = functools.reduce(ImageChops.multiply, masks)
    scene.paste(Image.new("RGB", (WIDTH_DRAWN_PX, HEIGHT_DRAWN_PX), colour), mask=where)
