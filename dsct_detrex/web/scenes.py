"""The gallery: drawn scenes of the test split, which no model of the demo was trained on."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from dsct_detrex.counting import counted
from dsct_detrex.data.images import Photo
from dsct_detrex.data.synthetic import SyntheticScenes

SIZE = (576, 432)
"""(width, height) in pixels; scenes mean the same at any size, and these can be looked at."""
AT_A_TIME = 6
_ALL = 996


class Gallery:
    """Scenes in pages of ``AT_A_TIME``."""

    def __init__(self) -> None:
        self._scenes = SyntheticScenes(split="test", length=_ALL, size=SIZE)

    def page(self, number: int) -> Sequence[tuple[Image.Image, str]]:
        """Pictures and captions of a page, counted from 0; after the last comes the first again."""
        return [(self._scenes.load_image(index), self._caption(index)) for index in self._indices(number)]

    def photo(self, number: int, place: int) -> tuple[Photo, str]:
        """A scene of a page, and the name of its file if it were one."""
        index = self._indices(number)[place]
        return Photo(self._scenes.load_image(index), *SIZE), f"scene_{index:03d}.png"

    def _indices(self, number: int) -> Sequence[int]:
        first = number * AT_A_TIME % _ALL
        return range(first, first + AT_A_TIME)

    def _caption(self, index: int) -> str:
        """For example ``Park, rain, dusk: 2 people``."""
        scene = self._scenes.scene(index)
        text = f"{scene.place}, {scene.weather}, {scene.light}: {counted(len(scene.people), 'person')}"
        return text[0].upper() + text[1:]
