"""Pictures of the demo shop's goods: drawn, not photographed, and always the same."""

import functools
import io
import math
from collections.abc import Callable

from PIL import Image, ImageChops, ImageDraw

from bot.demo.painting import (
    HEIGHT_PX,
    WIDTH_DRAWN_PX,
    WIDTH_PX,
    Point,
    bend,
    cast_shadow,
    ellipse,
    fill_round,
    lighten,
    mask_of,
    polygon,
    ramp,
    room,
    slab,
    strokes,
    tint,
    turned,
)


@functools.cache
def draw_picture(slug: str) -> bytes:
    """The product's picture as JPEG, drawn once.

    Raises `KeyError` for a slug that is not sold here.
    """
    scene = _SCENES[slug]()
    out = io.BytesIO()
    small = scene.resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.LANCZOS)
    small.save(out, "JPEG", quality=88, optimize=True)
    return out.getvalue()


def _teacup() -> Image.Image:
    scene = room(
        [(236, 228, 214), (246, 240, 229), (226, 212, 190)], [(196, 164, 128), (168, 132, 98)], 980
    )
    cast_shadow(scene, (430, 1110, 1500, 1290), 130)
    fill_round(
        scene,
        ellipse((500, 1060, 1420, 1230)),
        [(206, 210, 220), (252, 252, 253), (196, 202, 216)],
        (500, 1420),
    )
    fill_round(
        scene,
        ellipse((620, 1085, 1300, 1190)),
        [(178, 186, 204), (226, 230, 238), (186, 194, 210)],
        (620, 1300),
    )
    body = polygon(
        turned([(500, 372), (640, 362), (860, 300), (1020, 206), (1090, 170), (1140, 182)], 960)
    )
    fill_round(
        scene,
        body,
        [(188, 196, 214), (244, 246, 250), (255, 255, 255), (236, 240, 247), (168, 178, 202)],
        (588, 1332),
    )
    _paint_lotus(scene, body)
    fill_round(
        scene,
        ellipse((588, 440, 1332, 562)),
        [(232, 236, 244), (255, 255, 255), (214, 220, 232)],
        (588, 1332),
    )
    fill_round(scene, ellipse((612, 456, 1308, 552)), [(120, 92, 40), (176, 140, 62)], (612, 1308))
    lighten(scene, ellipse((700, 470, 1000, 505), 16), 0.35)
    lighten(scene, polygon([(690, 620), (740, 610), (800, 900), (770, 910)], 22), 0.7)
    return scene


def _paint_lotus(scene: Image.Image, body: Image.Image) -> None:
    tint(scene, (28, 62, 158), mask_of(_lotus_lines, 1.2), body)


def _lotus_lines(d: ImageDraw.ImageDraw) -> None:
    for y, width in ((596, 9), (616, 4), (1006, 4), (1026, 9)):
        half = 372 if y < 800 else 236  # noqa: PLR2004 - the rim and the foot
        d.arc((960 - half, y - 60, 960 + half, y + 60), 0, 180, fill=235, width=width)
    for cx, cy, size in ((960, 790, 1.0), (700, 760, 0.66), (1220, 760, 0.66)):
        _flower(d, cx, cy, 112 * size)
    for cx, turn in ((830, 1), (1090, -1)):
        _spiral(d, cx, 860, 62, turn)
        _spiral(d, cx, 700, 48, -turn)


def _flower(d: ImageDraw.ImageDraw, cx: float, cy: float, radius: float) -> None:
    for ring, shade in ((1.0, 130), (0.68, 190), (0.4, 245)):
        for petal in range(9):
            angle = math.tau * petal / 9 - math.pi / 2
            x = cx + math.cos(angle) * radius * ring * 0.62
            y = cy + math.sin(angle) * radius * ring * 0.62
            r = radius * ring * 0.3
            d.ellipse((x - r, y - r, x + r, y + r), fill=shade, outline=250, width=5)
    core = radius * 0.17
    d.ellipse((cx - core, cy - core, cx + core, cy + core), fill=60, outline=255, width=6)


def _spiral(d: ImageDraw.ImageDraw, cx: float, cy: float, radius: float, turn: int) -> None:
    points = [
        (
            cx + turn * math.cos(step / 9) * radius * (1 - step / 62),
            cy + math.sin(step / 9) * radius * (1 - step / 62),
        )
        for step in range(58)
    ]
    d.line(points, fill=225, width=9, joint="curve")
    for x, y in points[::11]:
        d.ellipse((x - 13, y - 8, x + 13, y + 8), fill=200)


def _lamp() -> Image.Image:
    scene = room([(38, 48, 58), (62, 70, 76), (96, 88, 78)], [(92, 66, 48), (58, 40, 30)], 1090)
    lighten(scene, ellipse((330, 60, 1590, 1260), 190), 0.26)
    glow = ellipse((520, 820, 1400, 1300), 120).point(lambda v: v // 2)
    tint(scene, (255, 206, 128), glow)
    cast_shadow(scene, (640, 1165, 1300, 1270), 150)
    foot = polygon(
        turned(
            [(650, 18), (900, 20), (980, 60), (1050, 74), (1120, 96), (1180, 230), (1215, 236)], 960
        )
    )
    fill_round(
        scene,
        foot,
        [(58, 34, 20), (150, 96, 58), (188, 128, 80), (112, 68, 40), (46, 26, 16)],
        (724, 1196),
    )
    grain = functools.reduce(
        ImageChops.lighter,
        (bend((724 - k, 1120 - 3 * k, 1196 + k, 1260 + k), 20, 160, 4) for k in range(0, 90, 18)),
    ).point(lambda v: v // 2)
    tint(scene, (70, 40, 22), grain, foot)
    shade = polygon([(760, 250), (1160, 250), (1330, 730), (590, 730)], 2)
    fill_round(
        scene,
        shade,
        [(214, 172, 112), (255, 236, 194), (255, 246, 218), (250, 220, 166), (196, 150, 92)],
        (590, 1330),
    )
    weave = strokes(
        ([(0, y), (WIDTH_DRAWN_PX, y)] for y in range(250, 730, 12)), strength=34, width=3
    )
    tint(scene, (150, 104, 50), weave, shade)
    fill_round(
        scene, ellipse((590, 700, 1330, 762)), [(255, 240, 204), (255, 252, 236)], (590, 1330)
    )
    lighten(scene, ellipse((800, 330, 1120, 690), 70), 0.5)
    return scene


def _umbrella() -> Image.Image:
    scene = room(
        [(150, 168, 180), (190, 204, 212), (214, 222, 226)],
        [(146, 160, 168), (112, 126, 136)],
        1150,
    )
    drops = (((k * 379) % (WIDTH_DRAWN_PX + 300), (k * 211) % 1150) for k in range(90))
    rain = strokes(([(x, y), (x - 26, y + 84)] for x, y in drops), strength=90, width=4, blur=1.5)
    tint(scene, (244, 248, 250), rain)
    cast_shadow(scene, (620, 1230, 1340, 1330), 90)
    canopy = mask_of(_canopy)
    for index, (left, right) in enumerate(
        ((330, 560), (560, 830), (830, 1090), (1090, 1360), (1360, 1590))
    ):
        panel = polygon(_panel(left, right))
        dark, light = (
            ((150, 22, 30), (214, 48, 50)) if index % 2 else ((168, 26, 34), (232, 66, 62))
        )
        fill_round(
            scene, ImageChops.multiply(panel, canopy), [dark, light, dark], (left - 60, right + 60)
        )
    lighten(scene, ImageChops.multiply(ellipse((640, 300, 900, 560), 60), canopy), 0.4)
    pole = slab((950, 240, 972, 1130), 10)
    below = ImageChops.subtract(pole, canopy)
    fill_round(scene, below, [(70, 76, 84), (206, 212, 218), (80, 86, 94)], (948, 974))
    hook = bend((960, 1030, 1130, 1260), 0, 180, 34)
    grip = slab((944, 1000, 978, 1150), 14)
    fill_round(
        scene,
        ImageChops.lighter(hook, grip),
        [(116, 74, 42), (206, 150, 98), (122, 78, 44)],
        (944, 1130),
    )
    tip = slab((953, 200, 969, 290), 7)
    fill_round(scene, tip, [(50, 54, 60), (190, 196, 202), (50, 54, 60)], (950, 972))
    return scene


def _canopy(d: ImageDraw.ImageDraw) -> None:
    d.pieslice((330, 270, 1590, 1290), 180, 360, fill=255)
    for left, right in ((330, 560), (560, 830), (830, 1090), (1090, 1360), (1360, 1590)):
        d.ellipse((left, 735, right, 835), fill=0)


def _panel(left: float, right: float) -> list[Point]:
    """The cloth between two ribs, which all meet at the top."""
    return _rib(left) + _rib(right)[::-1]


def _rib(end_x: float) -> list[Point]:
    angles = [step / 20 * math.pi / 2 for step in range(21)]
    return [(960 + (end_x - 960) * math.sin(a), 780 - 510 * math.cos(a)) for a in angles]


def _pour_over() -> Image.Image:
    scene = room(
        [(214, 206, 196), (230, 224, 214), (206, 194, 178)], [(122, 96, 76), (88, 66, 52)], 1060
    )
    cast_shadow(scene, (610, 1180, 1330, 1300), 140)
    carafe = polygon(turned([(770, 120), (830, 110), (1000, 250), (1150, 290), (1230, 240)], 960))
    fill_round(
        scene,
        carafe,
        [(120, 132, 134), (222, 230, 230), (244, 248, 248), (206, 216, 216), (104, 116, 120)],
        (670, 1250),
    )
    coffee = slab((0, 1035, WIDTH_DRAWN_PX, 1230), 0, 2)
    fill_round(
        scene,
        ImageChops.multiply(coffee, carafe),
        [(30, 16, 8), (92, 52, 26), (64, 34, 18), (24, 12, 6)],
        (670, 1250),
    )
    fill_round(scene, ellipse((700, 1012, 1220, 1060)), [(84, 48, 24), (124, 78, 44)], (700, 1220))
    glaze = [(54, 74, 84), (112, 142, 152), (146, 174, 180), (92, 120, 130), (42, 58, 68)]
    dripper = polygon(turned([(380, 330), (420, 322), (700, 120), (760, 104)], 960))
    fill_round(scene, dripper, glaze, (630, 1290))
    ribs = strokes(
        ([(960 + k * 64, 420), (960 + k * 22, 720)] for k in range(-4, 5)),
        strength=70,
        width=7,
        blur=4,
    )
    tint(scene, (36, 52, 60), ribs, dripper)
    fill_round(scene, ellipse((750, 735, 1170, 805)), glaze, (750, 1170))
    handle = bend((1120, 440, 1390, 660), -75, 118, 42)
    fill_round(scene, handle, glaze, (1110, 1400))
    fill_round(scene, ellipse((630, 336, 1290, 430)), glaze[::-1], (630, 1290))
    paper = ellipse((664, 348, 1256, 420))
    fill_round(scene, paper, [(214, 196, 166), (246, 234, 212), (206, 186, 154)], (664, 1256))
    fill_round(scene, ellipse((760, 368, 1160, 414)), [(44, 26, 16), (84, 54, 34)], (760, 1160))
    steam = strokes(map(_curl, (870, 990, 1090)), strength=200, width=30, blur=26)
    lighten(scene, steam, 0.55)
    return scene


def _curl(x: float) -> list[Point]:
    return [(x + 46 * math.sin(y / 62 + x), y) for y in range(110, 360, 8)]


def _tote() -> Image.Image:
    scene = room(
        [(168, 190, 178), (192, 210, 198), (206, 220, 208)],
        [(226, 218, 200), (204, 192, 170)],
        1120,
    )
    cast_shadow(scene, (520, 1190, 1420, 1310), 110)
    strap = [(132, 96, 62), (190, 148, 104), (140, 102, 66)]
    for box in ((730, 130, 1190, 1010), (760, 170, 1160, 980)):
        loop = bend(box, 180, 360, 42)
        fill_round(scene, loop, strap, (730, 1190))
    bag = polygon(
        [(570, 540), (1350, 540), (1392, 1180), (1380, 1235), (540, 1235), (528, 1180)], 3
    )
    fill_round(
        scene,
        bag,
        [(198, 182, 152), (236, 224, 200), (244, 234, 214), (226, 212, 184), (182, 164, 132)],
        (528, 1392),
    )
    upright = ([(x, 500), (x - 20, 1260)] for x in range(520, 1420, 9))
    across = ([(500, y), (1420, y)] for y in range(540, 1240, 9))
    threads = strokes([*upright, *across], strength=20, width=2)
    tint(scene, (120, 98, 64), threads, bag)
    pocket = slab((780, 800, 1140, 1110), 30, 2)
    fill_round(scene, pocket, [(58, 92, 82), (86, 126, 112), (54, 86, 76)], (780, 1140))
    stitches = mask_of(_stitches)
    tint(scene, (238, 226, 196), stitches)
    hem = mask_of(lambda on: on.rectangle((560, 540, 1360, 590), fill=44), 2)
    tint(scene, (110, 88, 56), hem, bag)
    for x in (752, 1168):
        fill_round(
            scene,
            slab((x - 22, 545, x + 22, 690)),
            strap,
            (x - 22, x + 22),
        )
    return scene


def _stitches(d: ImageDraw.ImageDraw) -> None:
    for x in range(806, 1116, 26):
        d.line((x, 830, x + 14, 830), fill=220, width=4)
        d.line((x, 1086, x + 14, 1086), fill=220, width=4)
    for y in range(836, 1080, 26):
        d.line((800, y, 800, y + 14), fill=220, width=4)
        d.line((1120, y, 1120, y + 14), fill=220, width=4)


def _birds() -> Image.Image:
    scene = room(
        [(54, 62, 104), (116, 96, 140), (226, 150, 128)], [(60, 54, 84), (40, 36, 60)], 1130
    )
    cast_shadow(scene, (520, 1150, 1420, 1290), 150)
    edge = slab((612, 190, 1332, 1226), 46)
    fill_round(scene, edge, [(34, 34, 40), (92, 92, 100), (38, 38, 44)], (612, 1332))
    page = slab((646, 226, 1298, 1190), 22)
    scene.paste(ramp([(250, 232, 196), (246, 196, 150), (222, 132, 110)], upright=True), mask=page)
    sun = ellipse((820, 420, 1130, 730), 3)
    tint(scene, (255, 246, 216), sun, page)
    roofs = ImageChops.multiply(mask_of(_roofs), page)
    scene.paste(ramp([(86, 60, 92), (60, 44, 76), (38, 30, 56)], upright=True), mask=roofs)
    tint(scene, (48, 34, 60), mask_of(_flock), page)
    lighten(
        scene, ImageChops.multiply(polygon([(646, 226), (900, 226), (646, 900)], 30), page), 0.2
    )
    return scene


def _roofs(d: ImageDraw.ImageDraw) -> None:
    for left, top, width in ((620, 960, 190), (790, 890, 210), (980, 1000, 150), (1100, 920, 220)):
        d.polygon([(left, top), (left + width / 2, top - 110), (left + width, top)], fill=255)
        d.rectangle((left + 12, top, left + width - 12, 1200), fill=255)
        d.rectangle((left + width * 0.66, top - 130, left + width * 0.8, top), fill=255)


def _flock(d: ImageDraw.ImageDraw) -> None:
    for x, y, span in (
        (900, 560, 150),
        (1090, 470, 96),
        (780, 430, 80),
        (1150, 640, 70),
        (1010, 370, 56),
    ):
        wing = span * 0.55
        d.polygon(
            [
                (x - span, y - wing * 0.5),
                (x - span * 0.4, y - wing * 0.55),
                (x, y),
                (x - span * 0.35, y - wing * 0.2),
            ],
            fill=255,
        )
        d.polygon(
            [
                (x + span, y - wing * 0.62),
                (x + span * 0.42, y - wing * 0.58),
                (x, y),
                (x + span * 0.35, y - wing * 0.2),
            ],
            fill=255,
        )
        d.ellipse((x - span * 0.2, y - span * 0.09, x + span * 0.24, y + span * 0.1), fill=255)


_SCENES: dict[str, Callable[[], Image.Image]] = {
    "qinghua-teacup": _teacup,
    "walnut-desk-lamp": _lamp,
    "last-red-umbrella": _umbrella,
    "stoneware-pour-over": _pour_over,
    "linen-tote": _tote,
    "city-birds-ebook": _birds,
}
