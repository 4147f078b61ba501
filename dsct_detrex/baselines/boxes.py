"""Where a two-stage model gets its people from in evaluation: the annotations, or a detector's result file.

All boxes are ``xyxy`` in pixels of the original image.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from dsct_detrex.errors import UserError


class People(NamedTuple):
    """The people of one image.

    Attributes:
        boxes: (n, 4) ``xyxy``, pixels of the original image.
        scores: (n,) confidence in [0, 1] that this is a person.
    """

    boxes: Tensor
    scores: Tensor

    def to(self, device: torch.device) -> People:
        return People(self.boxes.to(device), self.scores.to(device))


class BoxSource(ABC):
    """Gives the people of an image."""

    @abstractmethod
    def __call__(self, entry: Mapping[str, Any]) -> People:
        """The people of one model input."""


GIVEN = (
    "The model is given the annotated boxes: people found, IoU and box AP say nothing about it, and its other scores "
    "are easier to reach than those of a model that finds the people itself."
)
"""What must be said beside every score of whoever reads ``AnnotatedBoxes``."""


class AnnotatedBoxes(BoxSource):
    """The annotated people: the first stage is perfect, so that only emotions are compared."""

    def __call__(self, entry: Mapping[str, Any]) -> People:
        """Read ``ground_truth``.

        Raises:
            UserError: the input has no annotations.
        """
        if "ground_truth" not in entry:
            raise UserError(
                "AnnotatedBoxes reads the annotated people of an image, and this one has none: evaluate on a data set, "
                "or give a detector's boxes with model.boxes (DetectedBoxes)."
            )
        boxes: Tensor = entry["ground_truth"].gt_boxes.tensor
        return People(boxes, boxes.new_ones(len(boxes)))


class DetectedBoxes(BoxSource):
    """Boxes of any detector, from a COCO result file: a list of ``{"image_id", "bbox": [x, y, w, h], "score"}``.

    Args:
        file: the JSON file; ``bbox`` in pixels of the original image.
        min_score: detections below it are left out.
        category_id: the detector's number of the class person, where it found others too; None: all are people.

    Raises:
        UserError: the file is missing or not of that form; says what is wrong.
    """

    reads_files: ClassVar = ("file",)

    def __init__(self, file: str, min_score: float = 0.5, category_id: int | None = None) -> None:
        path = Path(file)
        if not path.is_file():
            raise UserError(f"DetectedBoxes(file=) expects a COCO result file. {path} does not exist.")
        self._people: dict[str, list[tuple[list[float], float]]] = {}
        try:
            for row in json.loads(path.read_text(encoding="utf-8")):
                wanted = category_id is None or row["category_id"] == category_id
                if wanted and row["score"] >= min_score:
                    x, y, width, height = (float(number) for number in row["bbox"])
                    found = ([x, y, x + width, y + height], float(row["score"]))
                    self._people.setdefault(str(row["image_id"]), []).append(found)
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError, OSError) as error:
            raise UserError(
                f"DetectedBoxes(file=) expects a list of objects with image_id, bbox [x, y, w, h] and score. {path}: "
                f"{type(error).__name__}: {error}."
            ) from error

    def __call__(self, entry: Mapping[str, Any]) -> People:
        """People found in the image with this id; none where the file does not mention it.

        A text id of the annotation file (``source_id``) is the id; else it is ``image_id``.
        """
        found = self._people.get(str(entry.get("source_id", entry["image_id"])), [])
        boxes = torch.tensor([box for box, _ in found], dtype=torch.float32).reshape(-1, 4)
        return People(boxes, torch.tensor([score for _, score in found], dtype=torch.float32))
