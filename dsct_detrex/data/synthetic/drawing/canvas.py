"""A sheet to draw on at several times the final resolution, and frames that place figures on it.

A ``Frame`` is a scaled, turned or mirrored coordinate system with y pointing down: a face is written once, in head
heights around its own centre, and drawn wherever somebody stands. A frame also carries the tint of the light.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import cos, pi, sin

from PIL import Image, ImageDraw

from ..things import Kind, Painted
from .brushes import Brush, Notes, NotingBrush, UnseenBrush

Color = tuple[int, int, int]
Point = tuple[float, float]
Tint = tuple[float, float, float]

_REMEMBERED = 4096
"""Colours; a scene mixes and tints some fifty, the same ones as many other scenes."""
_CIRCLE = tuple((cos(2 * pi * i / 28), sin(2 * pi * i / 28)) for i in range(28))


@lru_cache(_REMEMBERED)
def mix(a: Color, b: Color, share: float) -> Color:
    """``a`` with ``share`` in [0, 1] of ``b``."""
    (r, g, b_), (x, y, z) = a, b
    return round(r + (x - r) * share), round(g + (y - g) * share), round(b_ + (z - b_) * share)


def shade(color: Color, factor: float) -> Color:
    """A darker (factor < 1) or lighter (factor > 1) colour."""
    return mix(color, (0, 0, 0), 1 - factor) if factor <= 1 else mix(color, (255, 255, 255), factor - 1)


def bend(start: Point, control: Point, end: Point, steps: int = 8) -> list[Point]:
    """Points along the quadratic Bezier curve from ``start`` to ``end``."""
    points = []
    for i in range(steps + 1):
        t = i / steps
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        points.append((a * start[0] + b * control[0] + c * end[0], a * start[1] + b * control[1] + c * end[1]))
    return points


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float, steps: int = 12) -> list[Point]:
    """Points along an ellipse from ``start`` to ``end`` degrees, clockwise from the right (y points down)."""
    angles = [(start + (end - start) * i / steps) * pi / 180 for i in range(steps + 1)]
    return [(x + rx * cos(a), y + ry * sin(a)) for a in angles]


class Frame:
    """A coordinate system on the sheet; every method draws one plain shape in it.

    Args:
        draw: what it draws with, the sheet's pencil as a rule.
        x_axis, y_axis, origin: images of the unit vectors and of (0, 0), in pixels of the sheet.
        tint: factors of red, green and blue by which the light changes every colour.
    """

    def __init__(self, draw: Brush, x_axis: Point, y_axis: Point, origin: Point, tint: Tint) -> None:
        self._draw, self._x, self._y, self._o, self._tint = draw, x_axis, y_axis, origin, tint
        self._scale = (abs(x_axis[0] * y_axis[1] - x_axis[1] * y_axis[0])) ** 0.5
        self._upright = x_axis[1] == 0 and y_axis[0] == 0

    def inner(self, x: float, y: float, scale: float, mirror: bool = False, turn: float = 0.0) -> Frame:
        """A frame with its origin at (x, y), ``scale`` times as large, turned clockwise by ``turn`` degrees."""
        c, s = cos(turn * pi / 180) * scale, sin(turn * pi / 180) * scale
        m = -1.0 if mirror else 1.0
        o, ex, ey, p = self._at(((0.0, 0.0), (m * c, m * s), (-s, c), (x, y)))
        return Frame(self._draw, (ex[0] - o[0], ex[1] - o[1]), (ey[0] - o[0], ey[1] - o[1]), p, self._tint)

    def lit(self, tint: Tint) -> Frame:
        """The same frame under another light."""
        return Frame(self._draw, self._x, self._y, self._o, tint)

    def thing(self, kind: Kind, name: str, owner: int | None = None) -> Frame:
        """The same frame for drawing one thing, where the sheet keeps notes of things; else the frame itself."""
        draw = self._draw
        if not isinstance(draw, NotingBrush):
            return self
        return Frame(draw.of(kind, name, owner), self._x, self._y, self._o, self._tint)

    def unseen(self) -> Frame:
        """The same frame for what is painted out: it draws nothing."""
        return Frame(UnseenBrush(), self._x, self._y, self._o, self._tint)

    def polygon(self, points: Sequence[Point], color: Color) -> None:
        self._draw.polygon(self._at(points), _tinted(color, self._tint))

    def box(self, x0: float, y0: float, x1: float, y1: float, color: Color) -> None:
        self.polygon(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), color)

    def disc(self, x: float, y: float, rx: float, ry: float, color: Color) -> None:
        """A filled ellipse with half axes rx, ry."""
        if self._upright:
            u, v, w, h = self._x[0] * x + self._o[0], self._y[1] * y + self._o[1], rx * self._scale, ry * self._scale
            self._draw.ellipse((u - w, v - h, u + w, v + h), _tinted(color, self._tint))
        else:
            self.polygon([(x + rx * c, y + ry * s) for c, s in _CIRCLE], color)

    def line(self, points: Sequence[Point], width: float, color: Color, round_ends: bool = True) -> None:
        ink, pixels = _tinted(color, self._tint), max(1, round(width * self._scale))
        ends = self._at(points)
        self._draw.line(ends, ink, pixels, joint="curve" if len(ends) > 2 and pixels > 3 else None)
        if round_ends and pixels > 2:
            r = (pixels - 1) / 2
            for u, v in (ends[0], ends[-1]):
                self._draw.ellipse((u - r, v - r, u + r, v + r), ink)

    def _at(self, points: Sequence[Point]) -> list[Point]:
        """Pixels of the sheet."""
        (a, c), (b, d), (e, f) = self._x, self._y, self._o
        return [(a * x + b * y + e, c * x + d * y + f) for x, y in points]


@lru_cache(_REMEMBERED)
def _tinted(color: Color, tint: Tint) -> Color:
    """A colour under a light."""
    r, g, b = tint
    return min(255, int(color[0] * r)), min(255, int(color[1] * g)), min(255, int(color[2] * b))


@lru_cache(64)
def _column(top: Color, bottom: Color, height: int) -> Image.Image:
    """A blend of two colours, one pixel wide; skies are few, so the next picture needs it again."""
    rows = (bytes(mix(top, bottom, y / (height - 1))) for y in range(height))
    return Image.frombytes("RGB", (1, height), b"".join(rows))


class Sheet:
    """The paper: ``oversample`` times the final size in both directions, averaged down at the end.

    Args:
        size: (width, height) of the final picture, pixels.
        oversample: 2 or 3 smooths edges.
        noted: keep notes of what is drawn where, for ``painted``.
    """

    def __init__(self, size: tuple[int, int], oversample: int, noted: bool = False) -> None:
        self._oversample = oversample
        self.image = Image.new("RGB", (size[0] * oversample, size[1] * oversample))
        self._draw: Brush = ImageDraw.Draw(self.image)
        self._notes = Notes(self.image.size) if noted else None
        if self._notes:
            self._draw = NotingBrush(self._draw, self._notes)

    def frame(self) -> Frame:
        """The frame in which one unit is one pixel of the final picture, in neutral light."""
        s = float(self._oversample)
        return Frame(self._draw, (s, 0.0), (0.0, s), (0.0, 0.0), (1.0, 1.0, 1.0))

    def gradient(self, top: Color, bottom: Color) -> None:
        """Cover the sheet with a blend from ``top`` to ``bottom``."""
        self.image.paste(_column(top, bottom, self.image.height).resize(self.image.size, Image.Resampling.NEAREST))
        if self._notes:
            self._notes.clear()

    def finish(self) -> Image.Image:
        """The picture at its final size."""
        return self.image.reduce(self._oversample)

    def painted(self) -> Painted:
        """The picture at its final size with what was noted."""
        assert self._notes is not None, "Sheet(noted=True) keeps notes"
        return self._notes.read(self.finish(), self._oversample)
