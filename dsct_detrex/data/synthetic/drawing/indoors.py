"""Kitchen, office and party room, all with a large window: a room never hides the weather or the light.

Frames: picture heights, origin at the upper left corner. The sky is already there; the wall is drawn around it.
"""

from __future__ import annotations

from ..dice import Dice
from .canvas import Color, Frame, bend, mix, shade
from .palette import FESTIVE, INK, WHITE

_FLOOR = 0.76
Window = tuple[float, float, float, float]


def window_of(dice: Dice, wide: float) -> Window:
    """Where a room's window is, xyxy in picture heights."""
    width = min(0.62, wide * 0.5)
    x0 = wide * 0.5 - width / 2 + dice.between(-0.18, 0.18) * wide
    return x0, 0.06, x0 + width, 0.44


def paint_kitchen(page: Frame, dice: Dice, wide: float, window: Window) -> None:
    """Tiles, cupboards, a stove with a pot, a fridge, a chequered floor."""
    _paint_wall(page, wide, window, (250, 236, 200), WHITE)
    _paint_tiles(page, wide)
    _paint_cupboards(page.thing("place", "cupboards"), wide)
    cell = 0.08
    for row in range(3):
        for column in range(int(wide / cell) + 1):
            color: Color = (246, 242, 232) if (row + column) % 2 else (176, 188, 200)
            page.box(column * cell, _FLOOR + row * cell, (column + 1) * cell, _FLOOR + (row + 1) * cell, color)
    free_side = _beside(page, wide, window)
    _paint_fridge(free_side.thing("place", "fridge"))
    _paint_stove(free_side.thing("place", "stove").inner(wide - 0.2, 0.6, 0.3))


def paint_office(page: Frame, dice: Dice, wide: float, window: Window) -> None:
    """A chart, desks with screens, a pot plant, carpet."""
    _paint_wall(page, wide, window, (198, 208, 222), (110, 120, 138))
    blinds = page.thing("place", "blinds")
    for i in range(4):  # half drawn
        y = window[1] + 0.012 + i * 0.026
        blinds.line(((window[0], y), (window[2], y)), 0.01, (236, 240, 246), False)
    page.box(0, _FLOOR, wide, 1, (112, 128, 152))
    free_side = _beside(page, wide, window)
    _paint_chart(free_side.thing("place", "chart"))
    desks = max(2, round(wide / 0.44))
    for i in range(desks):
        _paint_desk(page.thing("place", "desk").inner((i + 0.5) * wide / desks, 0.62, 1.0))
    _paint_plant(free_side.thing("place", "pot plant").inner(wide - 0.1, 0.8, 0.22))


def paint_party(page: Frame, dice: Dice, wide: float, window: Window) -> None:
    """Bunting, a mirror ball, a cake, confetti."""
    _paint_wall(page, wide, window, (126, 74, 150), (255, 206, 110))
    page.box(0, _FLOOR, wide, 1, (88, 52, 112))
    bunting = page.thing("place", "bunting")
    for i in range(int(wide / 0.12) + 2):  # flags on garlands that sag
        x, y = i * 0.12 - 0.02, 0.06 - 0.03 * ((i % 6) - 2.5) ** 2 / 6.25
        bunting.polygon(((x, y), (x + 0.1, y), (x + 0.05, y + 0.12)), FESTIVE[i % 5])
    free_side = _beside(page, wide, window)
    _paint_mirror_ball(free_side.thing("place", "mirror ball").inner(0.2, 0.27, 1.0), dice)
    confetti = page.thing("place", "confetti")
    for _ in range(40):
        confetto = confetti.inner(dice.between(0, wide), dice.between(0.46, 1.0), 0.02, turn=dice.between(0, 90))
        confetto.box(-0.5, -0.3, 0.5, 0.3, dice.pick(FESTIVE))
    _paint_cake(free_side.thing("place", "cake").inner(wide - wide * 0.14, 0.7, 0.3))


def _beside(page: Frame, wide: float, window: Window) -> Frame:
    """The page, mirrored when needed so that its left has more free wall than its right."""
    window_is_right = (window[0] + window[2]) / 2 > wide / 2
    return page if window_is_right else page.inner(wide, 0, 1.0, mirror=True)


def _paint_tiles(page: Frame, wide: float) -> None:
    page.box(0, 0.47, wide, 0.6, (140, 200, 196))
    for i in range(int(wide / 0.075) + 1):
        page.line(((i * 0.075, 0.47), (i * 0.075, 0.6)), 0.008, WHITE, False)
    page.line(((0, 0.535), (wide, 0.535)), 0.008, WHITE, False)


def _paint_cupboards(page: Frame, wide: float) -> None:
    page.box(0, 0.6, wide, 0.63, (120, 84, 62))
    page.box(0, 0.63, wide, _FLOOR, (214, 126, 84))
    for i in range(int(wide / 0.22) + 1):
        page.box(i * 0.22 + 0.015, 0.65, i * 0.22 + 0.205, _FLOOR - 0.02, (232, 148, 102))
        page.disc(i * 0.22 + 0.11, 0.67, 0.012, 0.012, (120, 84, 62))


def _paint_fridge(page: Frame) -> None:
    page.box(0.02, 0.14, 0.24, 0.78, (206, 216, 226))
    page.line(((0.02, 0.34), (0.24, 0.34)), 0.01, (140, 150, 166), False)
    page.box(0.2, 0.2, 0.22, 0.3, (110, 120, 136))
    page.box(0.2, 0.38, 0.22, 0.52, (110, 120, 136))


def _paint_stove(f: Frame) -> None:
    f.box(-0.44, 0.0, 0.44, 0.56, (86, 90, 104))
    f.box(-0.3, 0.16, 0.3, 0.46, (255, 168, 70))
    f.box(-0.26, -0.3, 0.26, 0.0, (216, 66, 70))
    f.box(-0.32, -0.34, 0.32, -0.26, (160, 44, 50))
    for x in (-0.12, 0.12):  # steam
        steam = [*bend((x, -0.42), (x - 0.12, -0.56), (x, -0.68)), *bend((x, -0.68), (x + 0.12, -0.8), (x, -0.94))]
        f.line(steam, 0.06, WHITE)


def _paint_chart(page: Frame) -> None:
    page.box(0.03, 0.1, 0.34, 0.36, (96, 104, 120))
    page.box(0.045, 0.115, 0.325, 0.345, WHITE)
    for i, height in enumerate((0.07, 0.11, 0.09, 0.16)):
        page.box(0.075 + i * 0.06, 0.32 - height, 0.115 + i * 0.06, 0.32, FESTIVE[i])


def _paint_desk(f: Frame) -> None:
    f.box(-0.2, 0.0, 0.2, 0.025, (150, 108, 74))
    for leg in (-0.18, 0.17):
        f.box(leg, 0.025, leg + 0.014, 0.18, (90, 66, 52))
    f.box(-0.02, -0.04, 0.02, 0.0, INK)
    f.box(-0.12, -0.19, 0.12, -0.03, INK)
    f.box(-0.105, -0.175, 0.105, -0.045, (112, 196, 240))
    for i, end in enumerate((0.08, 0.05, 0.02)):
        f.box(-0.08, -0.15 + i * 0.03, end, -0.138 + i * 0.03, WHITE)


def _paint_plant(f: Frame) -> None:
    f.polygon(((-0.24, -0.3), (0.24, -0.3), (0.18, 0.2), (-0.18, 0.2)), (206, 110, 80))
    for turn in (-50, -22, 5, 30, 56):
        leaf = f.inner(0, -0.3, 1.0, turn=turn)
        leaf.polygon([*bend((0, 0), (-0.22, -0.5), (0, -0.95)), *bend((0, -0.95), (0.22, -0.5), (0, 0))], (66, 150, 96))


def _paint_mirror_ball(f: Frame, dice: Dice) -> None:
    f.line(((0, -0.3), (0, -0.07)), 0.01, WHITE, False)
    f.disc(0, 0, 0.09, 0.09, (150, 160, 190))
    for y, count in ((-0.05, 3), (-0.02, 4), (0.01, 5), (0.04, 4)):
        for i in range(count):
            x = (i - count / 2) * 0.032
            f.box(x, y, x + 0.022, y + 0.02, dice.pick((WHITE, *FESTIVE)))


def _paint_cake(f: Frame) -> None:
    f.box(-0.6, 0.12, 0.6, 0.2, (240, 240, 246))
    f.polygon(((-0.56, 0.2), (0.56, 0.2), (0.5, 0.7), (-0.5, 0.7)), (214, 98, 130))
    f.box(-0.42, -0.16, 0.42, 0.12, (255, 226, 188))
    f.box(-0.28, -0.4, 0.28, -0.16, (255, 176, 190))
    f.polygon(
        (
            (-0.42, -0.16),
            (0.42, -0.16),
            (0.42, -0.06),
            (0.3, 0.0),
            (0.2, -0.06),
            (0.0, 0.02),
            (-0.2, -0.06),
            (-0.32, 0.0),
            (-0.42, -0.06),
        ),
        WHITE,
    )
    for x in (-0.16, 0.0, 0.16):
        f.box(x - 0.025, -0.58, x + 0.025, -0.4, FESTIVE[3])
        f.disc(x, -0.64, 0.04, 0.07, (255, 200, 60))


def _paint_wall(page: Frame, wide: float, window: Window, wall: Color, frame: Color) -> None:
    x0, y0, x1, y1 = window
    for left, top, right, bottom in ((0, 0, wide, y0), (0, y1, wide, _FLOOR), (0, y0, x0, y1), (x1, y0, wide, y1)):
        page.box(left, top, right, bottom, wall)
    page.line(((0, _FLOOR), (wide, _FLOOR)), 0.02, shade(wall, 0.7), False)
    for x in (x0, (x0 + x1) / 2, x1):
        page.box(x - 0.011, y0, x + 0.011, y1, frame)
    for y in (y0, y1):
        page.box(x0 - 0.011, y - 0.011, x1 + 0.011, y + 0.011, frame)
    page.box(x0 - 0.03, y1, x1 + 0.03, y1 + 0.022, mix(frame, INK, 0.15))
