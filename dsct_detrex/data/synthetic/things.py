"""What is painted where: every thing of a drawn scene by name and box, and the thing that each pixel shows.

Things are what a picture can be read by: what people hold, heads and bodies, landmarks of places (trees, stoves,
tombstones), weather (clouds, rain, woolly hats) and light (sun, moon, stars, lit windows). Plain surfaces (sky, ground,
road, wall, floor) are no things, though their colours tell place, weather and light too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from dsct_detrex.data.dataset import Annotation
from dsct_detrex.structures import ObjectClasses

from . import table
from .scene import Box

Kind = Literal["object", "person", "place", "weather", "light"]
NOTHING = -1
"""In place of a thing's index where a plain surface shows."""

HELD = table.OBJECTS[1:]
"""Names of what people hold."""
# fmt: off
DRAWN_THINGS = ObjectClasses("drawn_things", (
    *HELD,
    "head", "body",
    "tree", "flowers", "house", "car", "traffic light", "fence", "bare tree", "gravestone", "cross",
    "cupboards", "fridge", "stove", "blinds", "chart", "desk", "pot plant",
    "bunting", "mirror ball", "confetti", "cake", "party hat",
    "cloud", "lightning", "rain", "snow", "scarf", "woolly hat",
    "sun", "moon", "stars",
))
# fmt: on
"""What a detector of drawn scenes finds: every thing by its name, as somebody who annotates COCO boxes things.

What a face or a picture means is no class: a detector that knew it would be no start from which it can be learnt. Lit
windows are none either (up to forty of a street, seven pixels wide): they are a part of their house.
"""
_CLASSES = {name: index for index, name in enumerate(DRAWN_THINGS.names)}


@dataclass(frozen=True)
class Thing:
    """One thing that can be seen.

    Attributes:
        kind: what it tells: ``object`` something in hand, ``person`` a part of somebody, or the part of the scene.
        name: its class: one of ``table.OBJECTS``, ``head``, ``body``, ``tree``, ``stove``, ``cloud``, ``moon``, ...
        box: of what can be seen of it, xyxy in pixels of the picture.
        owner: index of the person in ``Scene.people`` whose it is; None where it is nobody's.
    """

    kind: Kind
    name: str
    box: Box
    owner: int | None = None


@dataclass(frozen=True, eq=False)
class Painted:
    """A picture and the record made while it was painted.

    Attributes:
        image: RGB, the same bytes as without a record.
        things: all that show at least a pixel's worth, in the order in which they were begun.
        map: (H, W) int64 indices into ``things`` or ``NOTHING``, of the sheet, which is a few times larger.
    """

    image: Image.Image
    things: tuple[Thing, ...]
    map: npt.NDArray[np.int64]

    def at(self, points: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
        """What shows at each point.

        Args:
            points: (n, 2) xy in [0, 1] of the picture.

        Returns:
            (n,) indices into ``things``; ``NOTHING`` on a plain surface and outside the picture.
        """
        height, width = self.map.shape
        column, row = np.floor(points * (width, height)).astype(np.int64).T
        # a point on the right or lower edge lies on the last pixel
        column, row = column - (points[:, 0] == 1), row - (points[:, 1] == 1)
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        shown = self.map[row.clip(0, height - 1), column.clip(0, width - 1)]
        return np.where(inside, shown, NOTHING)


def thing_annotations(things: Sequence[Thing]) -> list[Annotation]:
    """The things that have a class, as annotations: ``labels`` is its index in ``DRAWN_THINGS``."""
    return [
        Annotation(bbox=[float(side) for side in thing.box], labels=[_CLASSES[thing.name]])
        for thing in things
        if thing.name in _CLASSES
    ]
