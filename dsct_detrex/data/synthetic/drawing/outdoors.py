"""Park, street and graveyard, from the horizon down. Frames: picture heights, origin at the upper left corner.

``snowy`` whitens ground and tops; ``night`` lights windows, unless ``lamps`` is False: then they stay dark.
"""

from __future__ import annotations

from ..dice import Dice
from .canvas import Color, Frame, bend, mix, shade
from .palette import FESTIVE, INK, WHITE

HORIZON = 0.56


def paint_park(page: Frame, dice: Dice, wide: float, snowy: bool, night: bool, lamps: bool = True) -> None:
    """Hills, round trees, a path and flowers."""
    grass, far = snowed((112, 190, 92), snowy), snowed((150, 212, 124), snowy)
    hill = dice.between(0.2, 0.8) * wide
    page.disc(hill, HORIZON + 0.1, wide * 0.7, 0.18, far)
    page.disc(wide - hill, HORIZON + 0.16, wide * 0.8, 0.18, mix(far, grass, 0.5))
    page.box(0, HORIZON + 0.06, wide, 1, grass)
    path = [
        *bend((wide * 0.5, HORIZON + 0.06), (wide * 0.3, 0.75), (wide * 0.2, 1)),
        *bend((wide * 0.6, 1), (wide * 0.5, 0.75), (wide * 0.54, HORIZON + 0.06)),
    ]
    page.polygon(path, snowed((232, 210, 160), snowy))
    for x in (dice.between(0.02, 0.14), dice.between(0.36, 0.62), dice.between(0.86, 0.98)):
        _paint_tree(
            page.thing("place", "tree"), x * wide, HORIZON + dice.between(0.05, 0.1), dice.between(0.36, 0.46), snowy
        )
    if not snowy:
        flowers = page.thing("place", "flowers")
        for _ in range(16):
            x, y = dice.between(0, wide), dice.between(0.7, 0.99)
            flowers.disc(x, y, 0.012, 0.012, dice.pick((*FESTIVE, WHITE)))


def paint_street(page: Frame, dice: Dice, wide: float, snowy: bool, night: bool, lamps: bool = True) -> None:
    """A row of houses, a pavement, a road with a car, and a traffic light."""
    walls: tuple[Color, ...] = ((206, 120, 96), (228, 180, 120), (142, 158, 186), (186, 136, 150), (150, 172, 146))
    x = -dice.between(0.0, 0.12)
    while x < wide:
        width, top = dice.between(0.26, 0.36), dice.between(0.27, 0.38)
        house = page.thing("place", "house")
        _paint_house(house, x, x + width, top, dice.pick(walls), dice, snowy, night, lamps)
        x += width
    page.box(0, 0.7, wide, 0.78, snowed((178, 176, 178), snowy))
    page.box(0, 0.78, wide, 1, snowed((92, 94, 104), snowy, 0.55))
    for i in range(int(wide / 0.24) + 1):
        page.box(i * 0.24, 0.885, i * 0.24 + 0.13, 0.905, (244, 240, 220))
    _paint_car(page.thing("place", "car"), wide * dice.pick((0.1, 0.9)), 0.8, dice.pick(FESTIVE))
    _paint_traffic_light(page.thing("place", "traffic light"), wide * dice.between(0.4, 0.6))


def paint_graveyard(page: Frame, dice: Dice, wide: float, snowy: bool, night: bool, lamps: bool = True) -> None:
    """Tombstones and crosses on a dull hill, a fence, a bare tree."""
    ground = snowed((98, 116, 92), snowy)
    page.disc(wide * 0.5, HORIZON + 0.14, wide * 0.8, 0.2, snowed((122, 136, 112), snowy))
    fence = page.thing("place", "fence")
    for i in range(int(wide / 0.07) + 1):  # on the hill
        fence.line(((i * 0.07, HORIZON - 0.12), (i * 0.07, HORIZON + 0.04)), 0.012, (60, 58, 72), False)
    fence.line(((0, HORIZON - 0.08), (wide, HORIZON - 0.08)), 0.014, (60, 58, 72), False)
    page.box(0, HORIZON + 0.02, wide, 1, ground)
    bare = page.thing("place", "bare tree")
    _paint_bare_tree(bare.inner(wide * dice.pick((0.08, 0.92)), HORIZON + 0.1, 0.5, mirror=dice.chance(0.5)))
    stones = max(5, int(wide / 0.24))
    for i in range(stones):
        x = (i + 0.5 + dice.between(-0.25, 0.25)) * wide / stones
        _paint_grave(page, x, HORIZON + dice.between(0.1, 0.16), dice.between(0.17, 0.24), dice.chance(0.4), snowy)
    for _ in range(max(2, stones // 3)):
        _paint_grave(page, dice.between(0, wide), dice.between(0.82, 0.9), 0.26, dice.chance(0.3), snowy)


def snowed(color: Color, snowy: bool, share: float = 0.8) -> Color:
    """A colour of the ground or of a roof, under snow or not."""
    return mix(color, (244, 248, 255), share) if snowy else color


def _paint_tree(page: Frame, x: float, y: float, size: float, snowy: bool) -> None:
    page.box(x - 0.022, y - size * 0.45, x + 0.022, y, (124, 84, 58))
    leaf: Color = (72, 152, 84)
    for dx, dy, r in ((-0.2, 0.5, 0.22), (0.2, 0.5, 0.22), (0.0, 0.72, 0.27)):
        page.disc(x + dx * size, y - dy * size, r * size, r * size, leaf)
    if snowy:
        for dx, dy, r in ((-0.22, 0.66, 0.15), (0.22, 0.66, 0.15), (0.0, 0.92, 0.2)):
            page.disc(x + dx * size, y - dy * size, r * size, r * size * 0.5, (244, 248, 255))
    else:
        for dx, dy, r in ((-0.22, 0.56, 0.12), (0.02, 0.8, 0.16)):
            page.disc(x + dx * size, y - dy * size, r * size, r * size, shade(leaf, 1.18))


def _paint_house(
    page: Frame, x0: float, x1: float, top: float, wall: Color, dice: Dice, snowy: bool, night: bool, lamps: bool
) -> None:
    page.box(x0, top, x1, 0.7, wall)
    roof = snowed(shade(wall, 0.62), snowy, 0.9)
    if dice.chance(0.5):
        page.polygon(((x0 - 0.01, top), ((x0 + x1) / 2, top - 0.1), (x1 + 0.01, top)), roof)
    else:
        page.box(x0 - 0.005, top - 0.03, x1 + 0.005, top + 0.01, roof)
    pane: Color = (86, 108, 140)
    for row in range(3):
        for column in range(3):
            x, y = x0 + (0.14 + 0.29 * column) * (x1 - x0), top + 0.045 + 0.11 * row
            if night and dice.chance(0.6) and lamps:
                lamp = page.thing("light", "lit window").lit((1.0, 1.0, 1.0))
                lamp.box(x, y, x + 0.05, y + 0.065, (255, 214, 110))
            else:
                page.box(x, y, x + 0.05, y + 0.065, pane)


def _paint_car(page: Frame, x: float, y: float, color: Color) -> None:
    car = page.inner(x, y, 0.4)
    car.polygon(((-0.3, 0), (-0.2, -0.22), (0.16, -0.22), (0.28, 0)), color)
    car.polygon(((-0.22, -0.02), (-0.15, -0.17), (-0.03, -0.17), (-0.03, -0.02)), (190, 226, 246))
    car.polygon(((0.2, -0.02), (0.12, -0.17), (0.01, -0.17), (0.01, -0.02)), (190, 226, 246))
    car.box(-0.48, -0.02, 0.48, 0.18, color)
    for side in (-1, 1):
        car.disc(side * 0.28, 0.18, 0.11, 0.11, INK)
        car.disc(side * 0.28, 0.18, 0.05, 0.05, (190, 190, 200))


def _paint_traffic_light(page: Frame, x: float) -> None:
    page.box(x - 0.01, 0.2, x + 0.01, 0.74, (70, 72, 84))
    page.box(x - 0.04, 0.08, x + 0.04, 0.28, (50, 52, 62))
    for y, color in ((0.115, (255, 70, 60)), (0.18, (120, 96, 40)), (0.245, (40, 90, 60))):
        page.disc(x, y, 0.026, 0.026, color)


def _paint_grave(page: Frame, x: float, y: float, size: float, cross: bool, snowy: bool) -> None:
    stone: Color = (164, 166, 178)
    page = page.thing("place", "cross" if cross else "gravestone")
    if cross:
        page.box(x - size * 0.09, y - size * 1.1, x + size * 0.09, y, shade(stone, 0.86))
        page.box(x - size * 0.32, y - size * 0.84, x + size * 0.32, y - size * 0.64, shade(stone, 0.86))
    else:
        page.disc(x, y - size * 0.7, size * 0.32, size * 0.32, stone)
        page.box(x - size * 0.32, y - size * 0.7, x + size * 0.32, y, stone)
        for row in (0.66, 0.5, 0.34):
            page.box(x - size * 0.17, y - size * (row + 0.06), x + size * 0.17, y - size * row, shade(stone, 0.72))
    page.disc(x, y, size * 0.46, size * 0.07, snowed((84, 96, 76), snowy))


def _paint_bare_tree(f: Frame) -> None:
    bark: Color = (72, 58, 60)
    f.line([*bend((0, 0), (0.04, -0.4), (-0.02, -0.8))], 0.1, bark)
    for x0, y0, x1, y1, x2, y2 in (
        (0.02, -0.35, 0.2, -0.5, 0.3, -0.8), (0.0, -0.55, -0.24, -0.62, -0.34, -0.9),
        (0.0, -0.75, 0.1, -0.9, 0.16, -1.05), (0.2, -0.56, 0.36, -0.58, 0.44, -0.7),
        (-0.18, -0.66, -0.3, -0.6, -0.44, -0.62),
    ):  # fmt: skip
        f.line(bend((x0, y0), (x1, y1), (x2, y2)), 0.05, bark)
