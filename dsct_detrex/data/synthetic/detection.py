"""Drawn scenes as a detection data set: what is annotated are things, whoever feels what.

The pictures are those of ``SyntheticScenes`` with the same seed, split and size. Their boxes frame what can be seen of
a thing (``things.py``), which only a painting with notes tells; records are therefore kept for a while.
"""

from __future__ import annotations

from collections import OrderedDict

from dsct_detrex.counting import counted
from dsct_detrex.data.dataset import Record
from dsct_detrex.structures import ObjectClasses

from .dataset import DEFAULT_SIZE, SyntheticScenes
from .latents import PEOPLE_PERCENT
from .things import DRAWN_THINGS, thing_annotations

_REMEMBERED = 1024
"""Records; of about twenty boxes each."""


class SyntheticThings(SyntheticScenes):
    """One split of the drawn scenes with the things in them.

    Args:
        split: ``train``, ``val`` or ``test``; their scenes are unrelated.
        length: number of images; a longer data set starts with the images of a shorter one.
        seed: another seed, other scenes; not negative.
        size: (width, height) of the pictures, pixels.
        max_people: at most so many people per image, 1 to 5.

    Raises:
        UserError: an argument outside these ranges.
    """

    def __init__(
        self,
        split: str = "train",
        length: int = 1000,
        seed: int = 0,
        size: tuple[int, int] = DEFAULT_SIZE,
        max_people: int = len(PEOPLE_PERCENT),
    ) -> None:
        super().__init__(split=split, length=length, seed=seed, size=size, max_people=max_people, objects=True)
        self._records: OrderedDict[int, Record] = OrderedDict()

    @property
    def emotions(self) -> ObjectClasses:
        """The classes of things, in the place of emotions."""
        return DRAWN_THINGS

    @property
    def name(self) -> str:
        return f"synthetic_things_{self.split}"

    @property
    def boxes(self) -> str:
        return "thing"

    @property
    def description(self) -> str:
        width, height = self._size
        return (
            f"{self.name}: {counted(len(self), 'drawn scene')} of {width} x {height} pixels, "
            f"up to {counted(self._max_people, 'person')}, boxes of things, seed {self._seed}"
        )

    def record(self, index: int) -> Record:
        """What is known about image ``index``; paints it, unless it did lately."""
        known = self._records.get(index)
        if known is None:
            known = {**self._frame(index), "annotations": thing_annotations(self._noted(index).things)}
            self._records[index] = known
            if len(self._records) > _REMEMBERED:
                self._records.popitem(last=False)
        return known
