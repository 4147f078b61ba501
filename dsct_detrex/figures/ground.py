"""What figures on a picture share: the picture under them, boxes of people, points sized by weight, one set of symbols.

Coordinates are xy in [0, 1] of the picture, so that what a model says needs no further arithmetic. Symbols differ in
colour (Okabe and Ito) and in shape, for whoever tells colours apart badly and for black and white prints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from torch import Tensor

from dsct_detrex.data.images import Photo
from dsct_detrex.visualization.style import INK, PEOPLE_COLORS

_LONG_SIDE = 900
"""Most pixels of a picture in a panel."""
_FADED = 0.62
"""How far a picture is drawn towards white under points."""
LARGEST, SMALLEST = 190.0, 18.0
"""Areas of points, square points of paper: what the heaviest has besides that of weight 0."""


@dataclass(frozen=True)
class Symbol:
    """How a kind of point looks."""

    color: str
    marker: str
    label: str


REFERENCE = Symbol("#d55e00", "*", "reference point of the person")
OWN = Symbol("#d55e00", "o", "sampling points of the person")
NEAREST = Symbol("#0072b2", "o", "context chosen by distance")
RELEVANT = Symbol("#e69f00", "^", "context chosen by relevance")
BOTH = Symbol("#009e73", "s", "chosen by both")


def panel_inches(photo: Photo, width: float) -> float:
    """Height of a panel of that width."""
    return width * photo.height / photo.width


def put_picture(axes: Any, photo: Photo, faded: bool = False) -> None:
    """The picture from (0, 0), its upper left corner, to (1, 1); faded to a pale grey where points go over it."""
    picture = photo.pixels.copy()
    picture.thumbnail((_LONG_SIDE, _LONG_SIDE), Image.Resampling.LANCZOS)
    if faded:
        grey = ImageOps.grayscale(picture).convert("RGB")
        picture = Image.blend(grey, Image.new("RGB", picture.size, "white"), _FADED)
    frame(axes, photo)
    axes.imshow(np.asarray(picture), extent=(0, 1, 1, 0), aspect=photo.height / photo.width)
    axes.set(xlim=(0, 1), ylim=(1, 0))


def frame(axes: Any, photo: Photo) -> None:
    """Axes that are as wide as the picture and show no ticks."""
    axes.set(xlim=(0, 1), ylim=(1, 0), xticks=[], yticks=[])
    axes.set_aspect(photo.height / photo.width)
    for spine in axes.spines.values():
        spine.set_visible(False)


def put_box(axes: Any, box: Tensor, photo: Photo, color: str) -> None:
    """The (4,) xyxy box, pixels of the picture, of a person."""
    from matplotlib.patches import Rectangle

    x0, y0, x1, y1 = (value / side for value, side in zip(box.tolist(), (photo.width, photo.height) * 2))
    for edge, width in ((INK, 3.4), (color, 2.0)):
        axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=edge, linewidth=width))


def person_color(number: int) -> str:
    """Of the person in this row, from 0; as predictions colour them."""
    return PEOPLE_COLORS[number % len(PEOPLE_COLORS)]


def put_points(
    axes: Any,
    points: Tensor,
    weights: Tensor,
    most: float,
    symbol: Symbol,
    smallest: float = SMALLEST,
    largest: float = LARGEST,
) -> None:
    """(n, 2) points whose area grows with their (n,) weights, by up to ``largest`` at the weight ``most``."""
    share = (weights / max(most, 1e-9)).clamp(0, 1).numpy()
    order = share.argsort()
    place = points.numpy()[order]
    areas = smallest + share[order] * largest
    look = {"marker": symbol.marker, "linewidths": 0.5, "edgecolors": INK, "alpha": 0.85, "zorder": 3}
    axes.scatter(place[:, 0], place[:, 1], s=areas, color=symbol.color, **look)


def put_reference(axes: Any, point: Tensor) -> None:
    """The (2,) reference point of the person that a panel is about."""
    look = {"marker": REFERENCE.marker, "color": REFERENCE.color, "edgecolors": INK, "linewidths": 0.8}
    axes.scatter(*point.tolist(), s=230, zorder=5, **look)


def legend_below(figure: Any, *symbols: Symbol) -> None:
    """What the symbols mean, under all panels."""
    from matplotlib.lines import Line2D

    look: dict[str, Any] = {"linestyle": "none", "markeredgecolor": INK, "markeredgewidth": 0.5}
    handles = [
        Line2D([], [], marker=symbol.marker, color=symbol.color, markersize=12 if symbol is REFERENCE else 8, **look)
        for symbol in symbols
    ]
    labels = [symbol.label for symbol in symbols]
    figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(symbols)), handletextpad=0.2)
