"""What a data set of annotated people is: records first, pixels on demand.

A record is everything known about one image before its pixels are read. EMOTIC, CAER-S and the synthetic scenes differ
in how they come by their records; everything after this file sees the same protocol.
"""

from __future__ import annotations

from typing import Any, Protocol, TypedDict, runtime_checkable

from PIL import Image

from dsct_detrex.errors import UserError
from dsct_detrex.names import SPLITS as SPLITS
from dsct_detrex.structures import Emotions


class _Person(TypedDict):
    bbox: list[float]
    labels: list[int]


class Annotation(_Person, total=False):
    """One annotated person.

    Keys:
        bbox: ``[x0, y0, x1, y1]`` floats, pixels of the original image, inside it and with a positive area.
        labels: class indices into ``emotions.names``; exactly one for a multi-class data set.
        area: of the box, as a COCO-style file gives it; only while the file is read, to find out what its boxes are.
        extra: whatever else the source knows (EMOTIC: gender, age, every annotator); training reads none
            of it, an evaluation groups people by ``gender`` and ``age`` where they are there.
    """

    area: float
    extra: dict[str, Any]


class _Image(TypedDict):
    file_name: str
    image_id: int
    height: int
    width: int
    annotations: list[Annotation]


class Record(_Image, total=False):
    """One image of a data set.

    Keys:
        file_name: path of the picture, or a made-up name where pixels are drawn on demand.
        image_id: unique within the data set; the annotation file's own id where it has one, else counted from 1.
        height, width: pixels of the original image; the frame of every ``bbox``.
        annotations: its people; of a detection data set, its things.
        objects: the things of the picture beside its people, where the data set annotates them: ``labels`` has one
            index, into ``structures.ObjectClasses``. None: nobody annotated the things of this picture.
        source_id: the annotation file's own id where that is a text (``"007"``, a UUID); ``image_id`` then is a number
            in its place, given in the order of the file.
    """

    objects: list[Annotation] | None
    source_id: str


@runtime_checkable
class EmotionDataset(Protocol):
    """A finite, indexable set of images with annotated people."""

    @property
    def emotions(self) -> Emotions:
        """The categories that the labels index."""

    @property
    def name(self) -> str:
        """Data set and split, e.g. ``"emotic_test"``."""

    def __len__(self) -> int: ...

    def record(self, index: int) -> Record:
        """What is known about image ``index`` in [0, len)."""

    def load_image(self, index: int) -> Image.Image:
        """The picture in mode RGB, of the record's (width, height).

        Raises:
            ImageError: the picture is missing, broken, or not of the annotated size.
        """


class Subset:
    """The first ``max_images`` images of a data set, for smoke runs and for overfitting on purpose.

    Args:
        dataset: any ``EmotionDataset``.
        max_images: at least 1; a number beyond the data set keeps all of it. None keeps all of it.

    Raises:
        UserError: ``max_images`` is below 1.
    """

    def __init__(self, dataset: EmotionDataset, max_images: int | None = None) -> None:
        if max_images is not None and max_images < 1:
            raise UserError(f"Subset(max_images=) expects a number of at least 1, or null for all. Got {max_images}.")
        self._dataset = dataset
        self._length = len(dataset) if max_images is None else min(max_images, len(dataset))

    @property
    def whole(self) -> EmotionDataset:
        """The data set that the images are from."""
        return self._dataset

    @property
    def emotions(self) -> Emotions:
        return self._dataset.emotions

    @property
    def name(self) -> str:
        return self._dataset.name

    @property
    def split(self) -> str | None:
        """The split of the whole, if it says."""
        return getattr(self._dataset, "split", None)

    @property
    def description(self) -> str:
        """The description of the whole, and how much of it is used."""
        return f"{describe(self._dataset)}, the first {self._length} of {len(self._dataset)} images"

    @property
    def boxes(self) -> str | None:
        """What the boxes of the whole are around; None where it does not say."""
        return getattr(self._dataset, "boxes", None)

    @property
    def boxes_stated(self) -> bool:
        """Whether the user asked for such boxes."""
        return bool(getattr(self._dataset, "boxes_stated", False))

    @property
    def warning(self) -> str | None:
        """The line of the whole to show beside any result, if it has one (CAER-S does)."""
        return getattr(self._dataset, "warning", None)

    def __len__(self) -> int:
        return self._length

    def record(self, index: int) -> Record:
        return self._dataset.record(self._own(index))

    def load_image(self, index: int) -> Image.Image:
        return self._dataset.load_image(self._own(index))

    def load_reduced(self, index: int, least: tuple[int, int] | None) -> Image.Image:
        return load_reduced(self._dataset, self._own(index), least)

    def _own(self, index: int) -> int:
        if not 0 <= index < self._length:
            raise IndexError(f"Subset of {self._length} images has no image {index}.")
        return index


def load_reduced(dataset: EmotionDataset, index: int, least: tuple[int, int] | None) -> Image.Image:
    """The picture of an image; a smaller one where (width, height) ``least`` will do and the data set can reduce.

    It can where it has a method ``load_reduced(index, least)``; pictures on disk do.
    """
    reduced = None if least is None else getattr(dataset, "load_reduced", None)
    picture: Image.Image = dataset.load_image(index) if reduced is None else reduced(index, least)
    return picture


def describe(dataset: EmotionDataset) -> str:
    """One line for results: the data set's own ``description`` where it has one, else its name."""
    return str(getattr(dataset, "description", dataset.name))
