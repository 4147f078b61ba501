"""``Prediction``: the people of one picture, as objects, rows, tables and a drawing that all say the same.

Shapes: n people, K emotions. Boxes are xyxy in pixels of the upright picture in its original size.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from typing import Any, overload

from PIL import Image
from torch import Tensor

from dsct_detrex.data.images import Photo, read_photo
from dsct_detrex.errors import UserError
from dsct_detrex.paths import user_path
from dsct_detrex.prediction import exports, notebook, saving
from dsct_detrex.structures import Boxes, Emotions, Instances, Person, described
from dsct_detrex.visualization import draw_predictions

MAX_EMOTIONS = 3
"""Lines drawn per person unless asked otherwise."""


@dataclass(frozen=True, repr=False, eq=False)
class Prediction:
    """What a predictor found in one picture: a sequence of ``Person``, the most confident first.

    Attributes:
        instances: the same people in detectron2's dialect, on the CPU; its fields are attributes here, too.
        emotions: the label set.
        emotion_thresholds: K least probabilities of a shown emotion.
        file: the path as it was given; empty for a picture that has none.
        photo: the pixels, or None where ``plot`` reads the file again.
        error: why the picture could not be read; empty where it was. Then there are no people and no size.
    """

    instances: Instances
    emotions: Emotions
    emotion_thresholds: tuple[float, ...]
    file: str = ""
    photo: Photo | None = None
    error: str = ""

    @cached_property
    def people(self) -> list[Person]:
        """Everybody found, in words and rounded numbers."""
        return described(self.instances, self.emotions, self.emotion_thresholds) if len(self) else []

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the upright picture in pixels."""
        return self.instances.image_size

    @property
    def pred_boxes(self) -> Boxes:
        """n boxes; ``.tensor`` is (n, 4)."""
        boxes: Boxes = self.instances.pred_boxes
        return boxes

    @property
    def scores(self) -> Tensor:
        """(n,) confidence that each is a person, in [0, 1]."""
        return self._field("scores")

    @property
    def emotion_probs(self) -> Tensor:
        """(n, K) probabilities of the emotions."""
        return self._field("emotion_probs")

    @property
    def pred_classes(self) -> Tensor:
        """(n,) class index of the most probable emotion."""
        return self._field("pred_classes")

    @property
    def pred_logits(self) -> Tensor:
        """(n, K + 1) logits, see ``structures.emotions``."""
        return self._field("pred_logits")

    def to_dict(self) -> dict[str, Any]:
        """The row of this picture in ``predictions.json``, see ``rows.py``."""
        if self.error:
            return {"file": self.file, "error": self.error}
        height, width = self.image_size
        people = [person.to_dict() for person in self.people]
        return {"file": self.file, "width": width, "height": height, "people": people}

    def to_json(self) -> str:
        """``to_dict`` as text."""
        return json.dumps(self.to_dict())

    def to_pandas(self) -> Any:
        """A ``pandas.DataFrame`` with a row per person, see ``exports.data_frame``.

        Raises:
            UserError: pandas is not installed.
        """
        return exports.data_frame([self.to_dict()], self.emotions)

    def to_supervision(self) -> Any:
        """A ``supervision.Detections``, see ``exports.detections``.

        Raises:
            UserError: supervision is not installed.
        """
        return exports.detections(self.people, self.emotions)

    def to_coco(self, image_id: int | str = 0) -> list[dict[str, Any]]:
        """COCO results, a dict per person, see ``exports.coco_results``."""
        return exports.coco_results(self.people, self.emotions, image_id)

    def plot(self, max_emotions: int = MAX_EMOTIONS) -> Image.Image:
        """The picture with everybody of ``people`` drawn, as ``predict.py`` draws it.

        Args:
            max_emotions: most lines per person with several emotions, from 1; how many more there are is said.

        Returns:
            A new RGB image; a whole multiple of the picture's size if its long side is below 640 pixels.

        Raises:
            UserError: the picture could not be read, or cannot be read again; ``max_emotions`` is below 1.
        """
        if self.error:
            raise UserError(f"Prediction.plot: there is no picture to draw on. {self.error}")
        if max_emotions < 1:
            raise UserError(f"Prediction.plot(max_emotions=) expects at least 1. Got {max_emotions}.")
        photo = self.photo or read_photo(str(user_path(self.file)))
        if (photo.height, photo.width) != self.image_size:
            raise UserError(f"Prediction.plot: {self.file} has changed since it was read; predict on it again.")
        return draw_predictions(
            photo.pixels, self.instances, self.emotions, 0.0, max_emotions, thresholds=self.emotion_thresholds
        )

    def save(self, path: str | PathLike[str], overwrite: bool = False) -> None:
        """Write the drawing, or for a name that ends in ``.json`` a ``predictions.json`` of this one row.

        Args:
            path: its suffix decides; missing folders are made, ``~`` is expanded.
            overwrite: replace what is there.

        Raises:
            UserError: another suffix, something is there, or the disk refuses.
        """
        place = saving.free_place(path, saving.PICTURES_AND_ROWS, overwrite)
        if place.suffix.lower() == saving.ROWS:
            saving.write_rows([self.to_dict()], place)
        else:
            saving.write_picture(self.plot(), place)

    def without_pixels(self) -> Prediction:
        """The same, holding no pixels where the file has them."""
        return replace(self, photo=None) if self.file and self.photo is not None else self

    def _field(self, name: str) -> Tensor:
        value: Tensor = self.instances.get(name)
        return value

    def __len__(self) -> int:
        return len(self.instances)

    def __iter__(self) -> Iterator[Person]:
        return iter(self.people)

    @overload
    def __getitem__(self, item: int) -> Person: ...
    @overload
    def __getitem__(self, item: slice | Tensor) -> Prediction: ...
    def __getitem__(self, item: int | slice | Tensor) -> Person | Prediction:
        """One person by number, or the prediction with some of its people (a slice, a mask, a tensor of numbers)."""
        return replace(self, instances=self.instances[item]) if isinstance(item, slice | Tensor) else self.people[item]

    def __repr__(self) -> str:
        return notebook.text(self.to_dict())

    def _repr_html_(self) -> str:
        return notebook.html(self.to_dict(), None if self.error else self.plot)
