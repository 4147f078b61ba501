"""Where a person's contexts and sampling points lie: marks over the picture, the person lit, all else dimmed.

A mark's area is its weight relative to the largest one. Shape says what colour says, for readers who cannot tell the
colours apart; marks are half transparent, so that a face below one stays visible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageEnhance
from torch import Tensor

from dsct_detrex.web.look import Contexts, Points

NEAREST, RELEVANT, BOTH = ("disc", "#56b4e9"), ("diamond", "#e69f00"), ("square", "#f0e442")
"""Contexts chosen by distance, by relevance, by both."""
OWN, OF_CONTEXTS = ("disc", "#f0e442"), ("diamond", "#56b4e9")
"""Sampling points of the person's query, and of the contexts that it took in."""

LARGEST_CONTEXT, LARGEST_POINT = 0.032, 0.014
"""Radius of the heaviest mark over the long side of the picture; there are many points, few contexts."""

SHARE_OF_POINTS, MOST_POINTS = 0.8, 150
"""Points are drawn until they carry this share of the weight, but no more than these."""

_LONG_SIDE = 960
_SMOOTH = 2  # drawn so much larger, for smooth edges
_SMALLEST = 0.0045  # radius of a mark, over the long side
_DARK = "#10141b"
_BRIGHTNESS = 0.6  # of what is not the person
_OPACITY = 120  # of a mark's inside, of 255

Box = tuple[float, float, float, float]
Look = tuple[str, str]


@dataclass(frozen=True)
class Mark:
    """One mark: xy in [0, 1] of the picture, weight relative to the largest, shape and colour."""

    x: float
    y: float
    weight: float
    look: Look


def context_marks(contexts: Contexts, query: int) -> list[Mark]:
    """A mark for each context that a person's query chose, the heaviest first, those of next to no weight included."""
    weights, nearest, relevant = contexts.weights[query], contexts.nearest[query], contexts.relevant[query]
    looks = [
        BOTH if near and like else NEAREST if near else RELEVANT
        for near, like in zip(nearest.tolist(), relevant.tolist())
    ]
    order: list[int] = weights.argsort(descending=True, stable=True).tolist()
    chosen = [row for row in order if bool(nearest[row] | relevant[row])]
    return _marks(contexts.places, weights, chosen, looks)


def point_marks(points: Points, contexts: Contexts | None, query: int) -> list[Mark]:
    """The sampling points that mattered: of a person's query, and of its contexts, each times the context's weight.

    Of either kind those are taken that together carry ``SHARE_OF_POINTS`` of the weight.
    """
    own = points.num_contexts + query
    chosen = strongest(points.weights[own], SHARE_OF_POINTS, MOST_POINTS)
    marks = _marks(points.places[own], points.weights[own], chosen, [OWN] * len(points.weights[own]))
    if contexts is None:
        return marks
    through = (contexts.weights[query][:, None] * points.weights[: points.num_contexts]).flatten()
    places = points.places[: points.num_contexts].flatten(0, 1)
    chosen = strongest(through, SHARE_OF_POINTS, MOST_POINTS)
    return _marks(places, through, chosen, [OF_CONTEXTS] * len(through)) + marks


def strongest(weights: Tensor, share: float, most: int) -> list[int]:
    """Indices of the largest weights that together make up a share of the whole, the largest first; never a zero.

    Args:
        weights: (n,) not negative.
        share: in (0, 1], of their sum.
        most: no more than these.
    """
    order = weights.argsort(descending=True, stable=True)
    ordered = weights[order].double()
    before = ordered.cumsum(0) - ordered
    needed = (before < (share - 1e-6) * ordered.sum()) & (ordered > 0)  # a share that is reached but for rounding is
    chosen: list[int] = order[needed][:most].tolist()
    return chosen


def draw_marks(
    picture: Image.Image, box: Box, marks: Sequence[Mark], reference: tuple[float, float], largest: float
) -> Image.Image:
    """A person lit in a dimmed picture, with marks over it.

    Args:
        picture: RGB.
        box: of the person, xyxy in [0, 1] of the picture.
        marks: drawn in their order, the heaviest first, so that small ones stay visible.
        reference: xy likewise, where the person's query is: a cross.
        largest: radius of a mark of weight 1, over the long side.

    Returns:
        A new RGB image whose long side is 960 pixels.
    """
    factor = _SMOOTH * _LONG_SIDE / max(picture.size)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    bright = picture.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    canvas = ImageEnhance.Brightness(bright).enhance(_BRIGHTNESS)
    x0, y0, x1, y1 = (round(value * size[axis % 2]) for axis, value in enumerate(box))
    if x1 > x0 and y1 > y0:
        canvas.paste(bright.crop((x0, y0, x1, y1)), (x0, y0))
    draw = ImageDraw.Draw(canvas, "RGBA")
    line = max(size) // 320
    draw.rectangle((x0 - 2 * line, y0 - 2 * line, x1 + 2 * line, y1 + 2 * line), outline=_DARK, width=line)
    draw.rectangle((x0 - line, y0 - line, x1 + line, y1 + line), outline="#ffffff", width=line)
    for mark in marks:
        radius = max(size) * max(_SMALLEST, largest * mark.weight**0.5)
        _draw_mark(draw, mark.x * size[0], mark.y * size[1], radius, mark.look, max(2, line // 2))
    _draw_cross(draw, reference[0] * size[0], reference[1] * size[1], max(size) // 60, line)
    return canvas.resize((max(1, size[0] // _SMOOTH), max(1, size[1] // _SMOOTH)), Image.Resampling.LANCZOS)


def _marks(places: Tensor, weights: Tensor, chosen: Sequence[int], looks: Sequence[Look]) -> list[Mark]:
    """Marks of the chosen rows of (n, 2) places and (n,) weights."""
    largest = float(weights.max()) or 1.0 if chosen else 1.0
    return [
        Mark(float(places[row, 0]), float(places[row, 1]), float(weights[row]) / largest, looks[row]) for row in chosen
    ]


def _draw_mark(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, look: Look, line: int) -> None:
    """A half transparent shape with a coloured edge between two dark ones."""
    shape, color = look
    filled = f"{color}{_OPACITY:02x}"
    for grown, fill, outline, width in ((line, None, _DARK, 3 * line), (0, filled, color, line)):
        r = radius + grown
        if shape == "disc":
            draw.ellipse((x - r, y - r, x + r, y + r), fill=fill, outline=outline, width=width)
        elif shape == "square":
            r *= 0.886  # the area of the disc
            draw.rectangle((x - r, y - r, x + r, y + r), fill=fill, outline=outline, width=width)
        else:
            r *= 1.253
            corners = ((x, y - r), (x + r, y), (x, y + r), (x - r, y))
            draw.polygon(corners, fill=fill, outline=outline, width=width)


def _draw_cross(draw: ImageDraw.ImageDraw, x: float, y: float, arm: float, line: int) -> None:
    for color, width in ((_DARK, 3 * line), ("#ffffff", line)):
        draw.line((x - arm, y, x + arm, y), fill=color, width=width)
        draw.line((x, y - arm, x, y + arm), fill=color, width=width)
