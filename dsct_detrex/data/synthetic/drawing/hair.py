"""Hair and hats, in the head's frame; every style has a part behind the head and a part before it."""

from __future__ import annotations

from .canvas import Color, Frame, arc, bend, shade
from .palette import FESTIVE, WHITE, choose

STYLES = {
    "Female": ("bob", "long", "bun", "curls", "short"),
    "Male": ("short", "spikes", "bald", "curls", "short"),
}


def paint_hair_behind(head: Frame, style: str, color: Color) -> None:
    """What the head covers; call before the head is drawn."""
    if style == "bob":
        head.polygon(
            [*arc(0, -0.06, 0.48, 0.49, 180, 360), (0.47, 0.3), (0.36, 0.38), (-0.36, 0.38), (-0.47, 0.3)], color
        )
    elif style == "long":
        head.polygon([*arc(0, -0.06, 0.48, 0.49, 180, 360), (0.5, 0.8), (0.3, 0.86), (-0.3, 0.86), (-0.5, 0.8)], color)
    elif style == "bun":
        head.disc(0, -0.44, 0.17, 0.12, shade(color, 0.85))
    elif style == "curls":
        for x, y in (
            (-0.34, -0.1),
            (0.34, -0.1),
            (-0.3, -0.3),
            (0.3, -0.3),
            (-0.12, -0.4),
            (0.12, -0.4),
            (-0.34, 0.08),
            (0.34, 0.08),
        ):
            head.disc(x, y, 0.14, 0.14, color)


def paint_hair_before(head: Frame, style: str, color: Color) -> None:
    """The fringe; call after the head is drawn and before the face."""
    if style == "bald":
        for side in (-1, 1):
            head.disc(side * 0.42, -0.05, 0.05, 0.13, color)
        return
    if style == "spikes":
        tips = (
            (-0.46, -0.36),
            (-0.32, -0.4),
            (-0.24, -0.55),
            (-0.1, -0.48),
            (0.06, -0.56),
            (0.16, -0.47),
            (0.33, -0.5),
        )
        head.polygon(
            [(-0.44, -0.02), *tips, (0.34, -0.38), (0.47, -0.3), (0.44, -0.02), (0.34, -0.26), (-0.34, -0.26)], color
        )
        return
    crown = arc(0, -0.04, 0.46, 0.5, 180, 360)
    if style == "curls":
        head.polygon([*arc(0, -0.06, 0.42, 0.46, 195, 345), (0.3, -0.25), (-0.3, -0.25)], color)
        for x in (-0.22, 0.0, 0.22):
            head.disc(x, -0.3, 0.13, 0.1, color)
    elif style == "short":
        head.polygon(
            [*crown, (0.42, -0.06), *bend((0.36, -0.22), (0.05, -0.36), (-0.36, -0.24)), (-0.42, -0.06)], color
        )
    else:  # bob, long, bun: parted
        head.polygon([*crown, (0.42, 0.02), *bend((0.4, 0.0), (0.34, -0.28), (-0.08, -0.38)), (-0.42, 0.02)], color)


def paint_hat(head: Frame, place: str, weather: str, fraction: float, owner: int | None = None) -> None:
    """What the scene makes people wear: a paper hat at a party, a woollen one in the snow outside."""
    color = choose(FESTIVE, fraction)
    if place == "party":
        head = head.thing("place", "party hat", owner)
        cone = head.inner(0.12, -0.4, 1.0, turn=14)
        cone.polygon(((-0.19, 0.02), (0.0, -0.5), (0.19, 0.02)), color)
        cone.polygon(((-0.13, -0.14), (-0.08, -0.27), (0.13, -0.14), (0.16, -0.04)), WHITE)
        cone.disc(0, -0.5, 0.06, 0.06, choose(FESTIVE, (fraction + 0.45) % 1))
    elif weather == "snow" and place in ("park", "street", "graveyard"):
        head = head.thing("weather", "woolly hat", owner)
        head.polygon([*arc(0, -0.2, 0.48, 0.4, 180, 360), (0.48, -0.2)], color)
        head.line(((-0.45, -0.22), (0.45, -0.22)), 0.12, shade(color, 1.35))
        head.disc(0, -0.6, 0.1, 0.1, WHITE)
