"""The twelve things people hold or have beside them, each in its own frame of about one unit, drawn large and bright.

The right hand's side of the person's frame holds the thing; ``_PLACES`` says where and how large.
"""

from __future__ import annotations

from collections.abc import Callable

from .canvas import Color, Frame, Point, arc, bend, shade
from .palette import INK, WHITE

_RED: Color = (228, 62, 66)
_GOLD: Color = (252, 196, 46)
_BROWN: Color = (132, 88, 56)
_GREEN: Color = (106, 190, 72)


def paint_thing(body: Frame, name: str) -> None:
    """Draw a thing at its place beside the person.

    Args:
        body: the person's frame.
        name: one of ``table.OBJECTS``.
    """
    if name != "nothing":
        (x, y), size, paint = _PLACES[name]
        paint(body.inner(x, y, size))


def _broken_cup(f: Frame) -> None:
    for half, crack in ((f.inner(-0.06, 0.0, 1.0, turn=-9), -1), (f.inner(0.1, 0.0, 1.0, turn=13), 1)):
        edge = [(0.0, -0.34), (0.1, -0.14), (-0.06, 0.04), (0.08, 0.2), (0.0, 0.42)]
        if crack > 0:
            half.line(arc(0.36, 0.06, 0.17, 0.17, -90, 90), 0.16, INK)
            half.line(arc(0.36, 0.06, 0.17, 0.17, -90, 90), 0.075, (84, 200, 232))
        half.polygon([*edge, (crack * 0.34, 0.46), (crack * 0.42, -0.38)], INK)
        half.polygon(
            [(x + crack * 0.04, y * 0.9) for x, y in edge] + [(crack * 0.3, 0.4), (crack * 0.37, -0.32)], (84, 200, 232)
        )
        half.polygon(((crack * 0.07, 0.06), (crack * 0.33, 0.06), (crack * 0.32, 0.2), (crack * 0.1, 0.2)), WHITE)
    for x, y in ((-0.08, -0.5), (0.14, -0.62), (0.36, -0.52)):
        f.polygon(((x, y - 0.1), (x + 0.1, y + 0.02), (x - 0.08, y + 0.08)), (84, 200, 232))


def _alarm_clock(f: Frame) -> None:
    for side in (-1, 1):
        f.line(((side * 0.2, 0.3), (side * 0.3, 0.44)), 0.1, INK)
        f.polygon(arc(side * 0.27, -0.32, 0.17, 0.15, 180, 360, 8), _GOLD)
        f.line(((side * 0.46, -0.38), (side * 0.56, -0.48)), 0.06, _RED)
        f.line(((side * 0.5, -0.2), (side * 0.62, -0.22)), 0.06, _RED)
    f.disc(0, 0.02, 0.4, 0.4, INK)
    f.disc(0, 0.02, 0.36, 0.36, _RED)
    f.disc(0, 0.02, 0.27, 0.27, WHITE)
    f.line(((0, -0.16), (0, 0.02), (0.13, 0.09)), 0.07, INK)


def _rotten_fish(f: Frame) -> None:
    for x in (-0.26, 0.02, 0.28):  # the smell
        f.line(
            [*bend((x, -0.22), (x - 0.16, -0.34), (x, -0.42)), *bend((x, -0.42), (x + 0.14, -0.5), (x, -0.62))],
            0.07,
            _GREEN,
        )
    f.disc(0, 0.25, 0.54, 0.13, INK)
    f.disc(0, 0.23, 0.5, 0.11, (222, 224, 232))
    f.polygon(((0.26, 0.08), (0.56, -0.14), (0.56, 0.24)), (96, 122, 86))
    f.polygon(arc(-0.06, 0.06, 0.4, 0.18, 0, 360, 18), (128, 156, 104))
    for x in (-0.02, 0.1, 0.22):
        f.line(((x, -0.06), (x, 0.18)), 0.035, (232, 236, 216))
    f.line(((-0.34, -0.03), (-0.24, 0.07)), 0.04, INK)
    f.line(((-0.24, -0.03), (-0.34, 0.07)), 0.04, INK)


_SPIDER_LEGS: tuple[tuple[Point, Point], ...] = (  # knee and foot of the four legs on one side
    ((0.3, -0.34), (0.5, -0.2)), ((0.36, -0.12), (0.56, 0.06)), ((0.36, 0.16), (0.54, 0.32)),
    ((0.26, 0.34), (0.4, 0.54)),
)  # fmt: skip


def _spider(f: Frame) -> None:
    f.line(((0, 0), (0, -2.1)), 0.035, (226, 228, 236), False)
    rim: Color = (216, 190, 236)
    for width, color in ((0.13, rim), (0.07, INK)):
        for side in (-1, 1):
            for knee, foot in _SPIDER_LEGS:
                f.line(((0, 0.05), (side * knee[0], knee[1]), (side * foot[0], foot[1])), width, color, color == INK)
        f.disc(0, 0.1, 0.21 + width / 2, 0.23 + width / 2, color)
        f.disc(0, -0.15, 0.14 + width / 2, 0.12 + width / 2, color)
    f.disc(0, 0.12, 0.09, 0.13, _RED)
    for side in (-1, 1):
        f.disc(side * 0.07, -0.18, 0.055, 0.055, WHITE)


def _wilted_flower(f: Frame) -> None:
    stem = [*bend((0.0, 0.5), (-0.08, 0.0), (0.0, -0.3)), *bend((0.0, -0.3), (0.1, -0.62), (0.34, -0.4))]
    f.line(stem, 0.12, (70, 84, 40))
    f.line(stem, 0.075, (140, 158, 74))
    f.polygon(bend((-0.02, 0.14), (-0.44, 0.06), (-0.36, 0.42)), (140, 158, 74))
    for color, grow in (((120, 40, 84), 0.03), ((214, 92, 140), 0.0)):
        for dx, dy in ((-0.15, 0.06), (-0.08, 0.24), (0.1, 0.24), (0.17, 0.06)):
            f.disc(0.36 + dx, -0.26 + dy, 0.11 + grow, 0.14 + grow, color)
    f.disc(0.36, -0.24, 0.14, 0.13, (120, 84, 52))
    f.disc(0.16, 0.44, 0.1, 0.06, (214, 92, 140))
    f.disc(0.4, 0.34, 0.06, 0.09, (214, 92, 140))


def _book(f: Frame) -> None:
    f.polygon(((-0.58, -0.3), (0.0, -0.22), (0.58, -0.3), (0.58, 0.32), (0.0, 0.4), (-0.58, 0.32)), INK)
    f.polygon(((-0.54, -0.26), (0.0, -0.18), (0.54, -0.26), (0.54, 0.28), (0.0, 0.36), (-0.54, 0.28)), (52, 132, 122))
    for side in (-1, 1):
        f.polygon(
            ((side * 0.03, -0.24), (side * 0.46, -0.34), (side * 0.46, 0.16), (side * 0.03, 0.26)), (255, 250, 232)
        )
        for y in (-0.16, -0.03, 0.1):
            f.line(((side * 0.1, y), (side * 0.39, y - 0.06)), 0.035, (160, 160, 170), False)


def _phone(f: Frame) -> None:
    tilted = f.inner(0, 0, 1.0, turn=12)
    tilted.box(-0.25, -0.46, 0.25, 0.46, INK)
    tilted.box(-0.2, -0.37, 0.2, 0.32, (120, 226, 250))
    tilted.box(-0.14, -0.3, 0.14, -0.14, WHITE)
    tilted.box(-0.14, -0.06, 0.06, 0.06, (60, 110, 220))
    tilted.disc(0, 0.39, 0.045, 0.045, WHITE)


def _ice_cream(f: Frame) -> None:
    f.polygon(((-0.24, 0.0), (0.24, 0.0), (0.0, 0.62)), (222, 160, 86))
    f.line(((-0.14, 0.06), (0.06, 0.42)), 0.035, _BROWN, False)
    f.line(((0.14, 0.06), (-0.06, 0.42)), 0.035, _BROWN, False)
    f.disc(-0.15, -0.1, 0.2, 0.18, (250, 150, 184))
    f.disc(0.15, -0.1, 0.2, 0.18, (255, 240, 196))
    f.disc(0, -0.32, 0.2, 0.19, (146, 222, 190))
    f.disc(0.02, -0.54, 0.085, 0.085, _RED)


def _balloon(f: Frame) -> None:
    f.line(bend((0.0, 0.48), (0.2, 1.2), (-0.36, 2.06)), 0.035, (240, 240, 244), False)
    f.disc(0, 0, 0.43, 0.5, shade(_RED, 0.75))
    f.disc(0, -0.01, 0.4, 0.47, _RED)
    f.polygon(((-0.09, 0.58), (0.09, 0.58), (0, 0.44)), shade(_RED, 0.75))
    f.disc(-0.15, -0.2, 0.09, 0.14, (255, 178, 172))


def _gift(f: Frame) -> None:
    f.polygon(bend((0, -0.22), (-0.34, -0.62), (-0.36, -0.26)), _GOLD)
    f.polygon(bend((0, -0.22), (0.34, -0.62), (0.36, -0.26)), _GOLD)
    f.box(-0.42, -0.1, 0.42, 0.46, (128, 74, 200))
    f.box(-0.48, -0.26, 0.48, -0.04, (152, 98, 222))
    f.box(-0.09, -0.26, 0.09, 0.46, _GOLD)
    f.disc(0, -0.26, 0.1, 0.08, shade(_GOLD, 0.85))


def _jack_in_the_box(f: Frame) -> None:
    spring = [(0.0, 0.1), (0.14, 0.02), (-0.14, -0.06), (0.14, -0.14), (-0.14, -0.22), (0.0, -0.3)]
    f.line(spring, 0.06, (150, 150, 164))
    f.polygon(((-0.42, 0.04), (-0.58, -0.24), (-0.5, -0.28), (-0.3, 0.04)), (60, 150, 90))
    f.disc(0, -0.48, 0.24, 0.23, WHITE)
    for side in (-1, 1):
        f.disc(side * 0.24, -0.52, 0.11, 0.12, (255, 140, 40))
        f.disc(side * 0.1, -0.53, 0.04, 0.05, INK)
    f.disc(0, -0.45, 0.075, 0.07, _RED)
    f.line(bend((-0.13, -0.37), (0, -0.24), (0.13, -0.37)), 0.05, _RED)
    f.box(-0.4, 0.04, 0.4, 0.52, (72, 178, 104))
    for x in (-0.4, 0.0):
        f.polygon(((x, 0.28), (x + 0.2, 0.04), (x + 0.4, 0.28), (x + 0.2, 0.52)), _GOLD)


def _trophy(f: Frame) -> None:
    for side in (-1, 1):
        f.line(arc(side * 0.3, -0.22, 0.16, 0.18, -100, 260), 0.075, shade(_GOLD, 0.8))
    f.polygon(
        [
            (-0.34, -0.48),
            (0.34, -0.48),
            *bend((0.34, -0.48), (0.3, 0.1), (0.0, 0.14)),
            *bend((0.0, 0.14), (-0.3, 0.1), (-0.34, -0.48)),
        ],
        _GOLD,
    )
    f.box(-0.07, 0.1, 0.07, 0.32, shade(_GOLD, 0.8))
    f.box(-0.26, 0.3, 0.26, 0.46, (112, 74, 52))
    f.polygon(
        (
            (0, -0.4),
            (0.06, -0.24),
            (0.2, -0.22),
            (0.09, -0.12),
            (0.12, 0.04),
            (0, -0.05),
            (-0.12, 0.04),
            (-0.09, -0.12),
            (-0.2, -0.22),
            (-0.06, -0.24),
        ),
        WHITE,
    )


_PLACES: dict[str, tuple[Point, float, Callable[[Frame], None]]] = {
    "broken cup": ((0.4, 0.84), 0.62, _broken_cup),
    "alarm clock": ((0.42, 0.82), 0.62, _alarm_clock),
    "rotten fish": ((0.4, 0.92), 0.64, _rotten_fish),
    "spider": ((0.68, 0.4), 0.56, _spider),
    "wilted flower": ((0.4, 0.8), 0.72, _wilted_flower),
    "book": ((0.16, 0.92), 0.66, _book),
    "phone": ((0.42, 0.84), 0.64, _phone),
    "ice cream": ((0.44, 0.78), 0.62, _ice_cream),
    "balloon": ((0.7, -0.46), 0.62, _balloon),
    "gift": ((0.2, 0.86), 0.7, _gift),
    "jack-in-the-box": ((0.26, 0.98), 0.66, _jack_in_the_box),
    "trophy": ((0.42, 0.76), 0.66, _trophy),
}
