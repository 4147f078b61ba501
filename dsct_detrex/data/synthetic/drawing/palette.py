"""The colours of the illustrations and of the three lights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from .canvas import Color, Tint

T = TypeVar("T")

INK: Color = (46, 38, 52)
WHITE: Color = (255, 255, 255)
TEAR: Color = (76, 168, 240)
BLUSH: Color = (240, 110, 110)

SKINS: tuple[Color, ...] = (
    (255, 224, 196), (246, 205, 168), (226, 176, 132), (198, 140, 98), (158, 104, 70), (116, 76, 52),
)  # fmt: skip
HAIRS: tuple[Color, ...] = (
    (44, 34, 36), (84, 54, 38), (138, 84, 46), (214, 164, 84), (186, 84, 44), (170, 172, 182), (92, 40, 52),
)  # fmt: skip
TOPS: tuple[Color, ...] = (
    (226, 84, 78), (244, 162, 72), (250, 206, 92), (96, 176, 116), (64, 152, 176), (86, 112, 196), (150, 98, 182),
    (228, 128, 164), (238, 236, 228), (78, 86, 104),
)  # fmt: skip
BOTTOMS: tuple[Color, ...] = ((58, 74, 116), (84, 88, 98), (120, 88, 66), (52, 92, 92), (104, 66, 96), (176, 150, 112))
FESTIVE: tuple[Color, ...] = ((255, 98, 112), (255, 190, 70), (92, 208, 160), (96, 172, 255), (206, 128, 240))

SURROUNDINGS: dict[str, Tint] = {"day": (1.0, 1.0, 1.0), "dusk": (0.98, 0.76, 0.68), "night": (0.48, 0.53, 0.80)}
"""Tint of scenery per light; rooms are lamp-lit and use half of it."""
PEOPLE: dict[str, Tint] = {"day": (1.0, 1.0, 1.0), "dusk": (1.0, 0.91, 0.86), "night": (0.92, 0.89, 0.97)}
"""Tint of people and their things: milder, so that a face is a face at night."""


def tint_of(tints: dict[str, Tint], light: str, hidden: str) -> Tint:
    """The tint of a light; the mean of all where light is ``hidden``."""
    if hidden != "light":
        return tints[light]
    red, green, blue = (sum(channel) / len(tints) for channel in zip(*tints.values(), strict=True))
    return red, green, blue


def choose(colors: Sequence[T], fraction: float) -> T:
    """The item at ``fraction`` in [0, 1) of the list."""
    return colors[int(fraction * len(colors))]
