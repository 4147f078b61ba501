"""Six faces: brows, eyes and mouth of every expression, in the head's frame (unit: head height, origin: centre).

A face is told apart at a head height of some 25 pixels, so features are large, dark, and differ in silhouette: a V or
an inverted V of brows, slits, dots or saucers for eyes, a bow, a bar, an O or a row of teeth for a mouth.
"""

from __future__ import annotations

from collections.abc import Callable

from .canvas import Color, Frame, arc, bend, mix, shade
from .palette import BLUSH, INK, TEAR, WHITE

_EYE_X = 0.185
_BROW = 0.062  # thickness of a brow
_DARK_MOUTH: Color = (120, 34, 44)
_TONGUE: Color = (232, 112, 118)
_MASK: Color = (226, 234, 240)


def paint_face(head: Frame, expression: str, gaze: float, skin: Color, brow_color: Color) -> None:
    """Draw the features on an empty head.

    Args:
        head: the head's frame.
        expression: one of ``table.EXPRESSIONS``.
        gaze: -1 (left) .. 1 (right).
        skin: colour of the head, for nose, lids and cheeks.
        brow_color: usually the hair's.
    """
    head.line(bend((-0.03, 0.09), (0.05, 0.16), (-0.03, 0.16)), 0.03, shade(skin, 0.72))
    _FACES[expression](head, gaze * 0.025, skin, mix(brow_color, INK, 0.5))


def cover_face(head: Frame) -> None:
    """Dark glasses and a mask instead of features: somebody is there, and nothing is told."""
    head.line(((-0.4, -0.04), (0.4, -0.04)), 0.04, INK)
    for side in (-1, 1):
        head.disc(side * 0.19, -0.02, 0.17, 0.14, INK)
        head.line(((side * 0.42, 0.1), (side * 0.26, 0.2)), 0.025, WHITE)
    head.polygon(((-0.29, 0.14), (0.0, 0.1), (0.29, 0.14), (0.25, 0.37), (0.0, 0.46), (-0.25, 0.37)), _MASK)


def _eyes(head: Frame, gaze: float, height: float, pupil: float) -> None:
    for side in (-1, 1):
        head.disc(side * _EYE_X, 0.0, 0.098, height + 0.012, INK)
        head.disc(side * _EYE_X, 0.0, 0.084, height, WHITE)
        head.disc(side * _EYE_X + gaze, 0.0, pupil, min(pupil * 1.15, height), INK)
        head.disc(side * _EYE_X + gaze + pupil * 0.35, -pupil * 0.4, pupil * 0.32, pupil * 0.32, WHITE)


def _brows(head: Frame, inner: float, outer: float, color: Color, lift: float = 0.0) -> None:
    """Brows from y ``inner`` near the nose to y ``outer``, their middle lifted by ``lift``."""
    for side in (-1, 1):
        start, end = (side * 0.085, inner), (side * 0.30, outer)
        head.line(bend(start, (side * 0.2, (inner + outer) / 2 - lift), end), _BROW, color)


def _cheeks(head: Frame, skin: Color) -> None:
    for side in (-1, 1):
        head.disc(side * 0.29, 0.17, 0.08, 0.06, mix(skin, BLUSH, 0.5))


def _scowl(head: Frame, gaze: float, skin: Color, brow: Color) -> None:
    _eyes(head, gaze, 0.07, 0.05)
    for side in (-1, 1):  # heavy lids
        head.polygon(((side * 0.07, 0.0), (side * 0.3, -0.1), (side * 0.06, -0.12)), skin)
    _brows(head, -0.03, -0.17, brow)
    head.line(bend((-0.15, 0.33), (0.0, 0.2), (0.15, 0.33)), 0.05, INK)


def _grimace(head: Frame, gaze: float, skin: Color, brow: Color) -> None:
    for side in (-1, 1):  # eyes squeezed shut: > <
        head.line(((side * 0.28, -0.06), (side * 0.11, 0.01), (side * 0.28, 0.07)), 0.045, INK)
    _brows(head, -0.1, -0.16, brow)
    head.polygon(arc(0, 0.29, 0.2, 0.1, 0, 360, 16), INK)
    head.polygon(arc(0, 0.29, 0.175, 0.075, 0, 360, 16), WHITE)
    head.line(((-0.17, 0.29), (0.17, 0.29)), 0.02, INK, round_ends=False)
    for x in (-0.09, 0.0, 0.09):
        head.line(((x, 0.225), (x, 0.355)), 0.02, INK, round_ends=False)


def _gape(head: Frame, gaze: float, skin: Color, brow: Color) -> None:
    _eyes(head, gaze, 0.125, 0.042)
    _brows(head, -0.24, -0.22, brow, lift=0.09)
    head.disc(0, 0.31, 0.105, 0.14, INK)
    head.disc(0, 0.31, 0.085, 0.12, _DARK_MOUTH)
    head.disc(0, 0.38, 0.06, 0.045, _TONGUE)


def _tears(head: Frame, gaze: float, skin: Color, brow: Color) -> None:
    _eyes(head, gaze, 0.085, 0.06)
    _brows(head, -0.2, -0.09, brow)
    for side in (-1, 1):
        x = side * 0.235
        head.line(((x, 0.07), (x + side * 0.02, 0.3)), 0.07, TEAR)
        head.disc(x + side * 0.02, 0.31, 0.06, 0.07, TEAR)
        head.disc(x + side * 0.01, 0.31, 0.018, 0.03, WHITE)
    head.line(bend((-0.1, 0.35), (0.0, 0.24), (0.1, 0.35)), 0.045, INK)


def _smile(head: Frame, gaze: float, skin: Color, brow: Color) -> None:
    _cheeks(head, skin)
    _eyes(head, gaze, 0.1, 0.068)
    _brows(head, -0.16, -0.15, brow, lift=0.05)
    mouth = [(-0.21, 0.2), *bend((-0.21, 0.2), (0.0, 0.56), (0.21, 0.2), 10)]
    head.polygon(mouth, _DARK_MOUTH)
    head.polygon(((-0.19, 0.2), (0.19, 0.2), (0.14, 0.265), (-0.14, 0.265)), WHITE)
    head.line(bend((-0.21, 0.2), (0.0, 0.56), (0.21, 0.2), 10), 0.025, INK)


def _flat(head: Frame, gaze: float, skin: Color, brow: Color) -> None:
    _eyes(head, gaze, 0.085, 0.058)
    for side in (-1, 1):  # relaxed lids
        head.polygon(arc(side * _EYE_X, 0.0, 0.1, 0.1, 190, 350, 8), shade(skin, 0.9))
    _brows(head, -0.15, -0.15, brow)
    head.line(((-0.13, 0.3), (0.13, 0.3)), 0.045, INK)


_FACES: dict[str, Callable[[Frame, float, Color, Color], None]] = {
    "scowl": _scowl,
    "grimace": _grimace,
    "gape": _gape,
    "tears": _tears,
    "smile": _smile,
    "flat": _flat,
}
