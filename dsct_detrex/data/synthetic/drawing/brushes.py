"""What a frame draws with: the sheet's pencil, a pencil that also notes what it draws, or one that leaves no trace.

Notes are a second sheet. Every shape is drawn on it once more with the number of its thing for a colour, so that what
lies in front hides there what it hides in the picture. Nothing of this exists unless somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from ..things import NOTHING, Kind, Painted, Thing

if TYPE_CHECKING:
    from .canvas import Color, Point

Corners = tuple[float, float, float, float]


class Brush(Protocol):
    """What a frame needs of Pillow's ``ImageDraw``; pixels of the sheet."""

    def polygon(self, xy: Sequence[Point], fill: Color) -> None: ...

    def ellipse(self, xy: Corners, fill: Color) -> None: ...

    def line(self, xy: Sequence[Point], fill: Color, width: int, joint: str | None = None) -> None: ...


class UnseenBrush:
    """Leaves no trace: what is painted out is drawn with it, so that all dice fall as they did."""

    def polygon(self, xy: Sequence[Point], fill: Color) -> None:
        pass

    def ellipse(self, xy: Corners, fill: Color) -> None:
        pass

    def line(self, xy: Sequence[Point], fill: Color, width: int, joint: str | None = None) -> None:
        pass


class Notes:
    """The sheet of numbers: 0 for plain surfaces, 1 for the first thing.

    Args:
        size: (width, height) of the sheet, pixels.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._image = Image.new("I", size)
        self.draw = ImageDraw.Draw(self._image)
        self._named: list[tuple[Kind, str, int | None]] = []

    def clear(self) -> None:
        """Cover all things so far with a plain surface."""
        self._image.paste(0, (0, 0, *self._image.size))

    def number(self, kind: Kind, name: str, owner: int | None) -> int:
        """The number of a new thing."""
        self._named.append((kind, name, owner))
        return len(self._named)

    def read(self, picture: Image.Image, oversample: int) -> Painted:
        """What shows in the finished picture; a thing needs a pixel's worth of the sheet to count."""
        numbers = np.asarray(self._image)
        areas = np.bincount(numbers.reshape(-1), minlength=len(self._named) + 1)
        index = np.full(len(self._named) + 1, NOTHING, np.int64)
        things: list[Thing] = []
        slices = ndimage.find_objects(numbers, max_label=len(self._named))
        for number, (extent, said) in enumerate(zip(slices, self._named, strict=True), start=1):
            if extent is None or areas[number] < oversample**2:
                continue
            rows, columns = extent
            x0, y0, x1, y1 = (side / oversample for side in (columns.start, rows.start, columns.stop, rows.stop))
            kind, name, owner = said
            index[number] = len(things)
            things.append(Thing(kind, name, (x0, y0, x1, y1), owner))
        return Painted(picture, tuple(things), index[numbers])


class NotingBrush:
    """Draws, and draws the same shape into the notes.

    Args:
        pencil: of the picture.
        notes: where it is noted.
        number: of the thing that it draws; 0 is a plain surface.
    """

    def __init__(self, pencil: Brush, notes: Notes, number: int = 0) -> None:
        self._pencil, self._notes, self._number = pencil, notes, number

    def of(self, kind: Kind, name: str, owner: int | None) -> NotingBrush:
        """A brush for a new thing."""
        return NotingBrush(self._pencil, self._notes, self._notes.number(kind, name, owner))

    def polygon(self, xy: Sequence[Point], fill: Color) -> None:
        self._pencil.polygon(xy, fill)
        self._notes.draw.polygon(xy, self._number)

    def ellipse(self, xy: Corners, fill: Color) -> None:
        self._pencil.ellipse(xy, fill)
        self._notes.draw.ellipse(xy, self._number)

    def line(self, xy: Sequence[Point], fill: Color, width: int, joint: str | None = None) -> None:
        self._pencil.line(xy, fill, width, joint)
        self._notes.draw.line(xy, self._number, width, joint)
