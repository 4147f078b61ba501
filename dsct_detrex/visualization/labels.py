"""Names beside the points of a plot, moved until none covers another or a point."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

_FONT_SIZE = 8.5
_CLEAR = 7.0  # points of paper around the middle of a marker
_DISTANCES = (9.0, 16.0, 24.0, 34.0, 46.0, 60.0)
_LEADER = 12.0  # from this distance on, a thin line leads back to the point

Box = tuple[float, float, float, float]


def place_labels(axes: Any, points: Sequence[tuple[float, float, str, str]]) -> list[Box]:
    """Write a label beside every point.

    The layout of the figure has to stand already (``figure.draw_without_rendering``), and does not change. Points are
    taken from the most crowded on; each label takes the nearest free place around its point, or the least covered one.

    Args:
        points: x and y in the units of the axes, text, colour.

    Returns:
        the labels' boxes, xyxy in points of paper from the lower left corner of the figure, in the order of ``points``.
    """
    scale = 72 / axes.figure.dpi
    middles = [tuple(float(v) * scale for v in axes.transData.transform((x, y))) for x, y, _, _ in points]
    edge = axes.get_window_extent()
    inside = (edge.x0 * scale, edge.y0 * scale, edge.x1 * scale, edge.y1 * scale)
    markers = [(x - _CLEAR, y - _CLEAR, x + _CLEAR, y + _CLEAR) for x, y in middles]
    boxes: dict[int, Box] = {}
    for index in sorted(range(len(points)), key=lambda i: _loneliness(middles, i)):
        point_x, point_y, text, color = points[index]
        look = {"fontsize": _FONT_SIZE, "color": color, "ha": "center", "va": "center"}
        artist = axes.annotate(text, (point_x, point_y), (0, 0), textcoords="offset points", **look)
        artist.set_in_layout(False)
        extent = artist.get_window_extent()
        size = (extent.width * scale + 2, extent.height * scale + 1)
        x, y = middles[index]
        taken = [*boxes.values(), *(box for other, box in enumerate(markers) if other != index)]
        free = min(_places(x, y, size), key=lambda place: (_covered(place[1], taken, inside), place[0]))
        boxes[index] = free[1]
        _settle(axes, artist, points[index], free, (x, y), scale)
    return [boxes[index] for index in range(len(points))]


def _loneliness(middles: Sequence[tuple[float, ...]], index: int) -> float:
    """Distance to the nearest other point; small in a crowd."""
    x, y = middles[index]
    return min((math.hypot(x - a, y - b) for i, (a, b) in enumerate(middles) if i != index), default=math.inf)


def _places(x: float, y: float, size: tuple[float, float]) -> Iterator[tuple[float, Box]]:
    """Boxes around a point with their distance, the nearest first; right before left before above and below."""
    width, height = size
    sides = ((1, 0), (-1, 0), (0, 1), (0, -1), (0.8, 0.8), (0.8, -0.8), (-0.8, 0.8), (-0.8, -0.8))
    for distance, (right, up) in itertools.product(_DISTANCES, sides):
        across = x + right * distance + (math.copysign(width / 2, right) if right else 0)
        along = y + up * distance + (math.copysign(height / 2, up) if up and not right else 0)
        yield distance, (across - width / 2, along - height / 2, across + width / 2, along + height / 2)


def _covered(box: Box, taken: Sequence[Box], inside: Box) -> float:
    """Area that a box shares with others, and what of it lies outside."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    return round(sum(_shared(box, other) for other in taken) + area - _shared(box, inside), 3)


def _shared(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


def _settle(
    axes: Any,
    artist: Any,
    point: tuple[float, float, str, str],
    place: tuple[float, Box],
    middle: tuple[float, float],
    scale: float,
) -> None:
    """Move a label to its box, with a line to its point where it stands away from it."""
    distance, (left, bottom, right, top) = place
    x, y = middle
    artist.set_position(((left + right) / 2 - x, (bottom + top) / 2 - y))
    if distance > _LEADER:
        near = (min(max(x, left), right) / scale, min(max(y, bottom), top) / scale)
        xs, ys = zip(point[:2], axes.transData.inverted().transform(near))
        axes.plot(xs, ys, color=point[3], linewidth=0.6, alpha=0.6, zorder=1, scalex=False, scaley=False)
