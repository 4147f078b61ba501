"""What a face detector is here, whichever package it comes from."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from PIL import Image


class Face(NamedTuple):
    """One face that was found.

    Attributes:
        box: ``xyxy`` in pixels of the picture; may reach out of it.
        score: the detector's confidence, 0 to 1.
    """

    box: tuple[float, float, float, float]
    score: float

    @property
    def side(self) -> float:
        """The shorter one, in pixels."""
        x0, y0, x1, y1 = self.box
        return min(x1 - x0, y1 - y0)

    @property
    def area(self) -> float:
        """In square pixels."""
        x0, y0, x1, y1 = self.box
        return max(0.0, x1 - x0) * max(0.0, y1 - y0)


class FaceDetector(Protocol):
    """Finds faces; may be asked by several threads at once."""

    @property
    def name(self) -> str:
        """What a reader of a result must know: network, package and version, or the file of the network."""

    @property
    def usual_score(self) -> float:
        """Least score of a face that counts as found, where nobody says another: 0 to 1."""

    @property
    def min_size(self) -> int:
        """Least side of a face that is looked for, pixels; some that are smaller may be found as well."""

    def find(self, picture: Image.Image) -> list[Face]:
        """All faces of a picture of mode RGB, in no order; those of low confidence too."""
