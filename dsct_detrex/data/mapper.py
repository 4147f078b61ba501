"""From a record and its picture to the dict a model reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from dsct_detrex.data.dataset import Annotation, Record
from dsct_detrex.data.transforms import Transform, make_scene
from dsct_detrex.structures import Boxes, Emotions, Instances

ATTRIBUTES = ("gender", "age")
"""Entries of a person's ``extra`` by which an evaluation groups people."""


class DatasetMapper:
    """Augment one image and write its people down in the form of their emotions.

    Args:
        transforms: scene -> scene, see ``data/transforms.py``.
        emotions: of the data set; decides the target field.
        is_train: whether people go to ``instances`` in the frame of the augmented image, or to ``ground_truth`` in
            the frame of the original one.
    """

    def __init__(self, transforms: Transform, emotions: Emotions, is_train: bool) -> None:
        self.transforms = transforms
        self.emotions = emotions
        self.is_train = is_train

    def __call__(self, record: Record, image: Image.Image) -> dict[str, Any]:
        """One model input.

        Args:
            record: of the image.
            image: RGB, of the record's size or reduced from it.

        Returns:
            ``image`` uint8 (3, H, W) RGB after augmentation, ``height`` and ``width`` of the original, ``image_id``,
            ``file_name``, ``source_id`` where the record has one; and in training ``instances`` (people inside the
            augmented image), else ``ground_truth`` (all people). Both have ``gt_boxes`` (``xyxy``, pixels of their own
            ``image_size``) and the target field of the emotions. Beside ``ground_truth`` stands ``attributes``, where
            the data set names any: attribute -> its value of each person, empty where it is not said.
        """
        people = record["annotations"]
        original = torch.tensor([person["bbox"] for person in people], dtype=torch.float32).reshape(-1, 4)
        frame = (record["height"], record["width"])
        scene = self.transforms(make_scene(F.pil_to_tensor(image), original.tolist(), frame))
        pixels = scene["image"].as_subclass(Tensor).contiguous()
        model_input: dict[str, Any] = {
            "image": pixels,
            "height": record["height"],
            "width": record["width"],
            "image_id": record["image_id"],
            "file_name": record["file_name"],
        }
        if "source_id" in record:
            model_input["source_id"] = record["source_id"]
        if self.is_train:
            boxes, kept = scene["boxes"].as_subclass(Tensor), scene["people"].tolist()
            size = (pixels.shape[-2], pixels.shape[-1])
            model_input["instances"] = self._instances(size, boxes, [people[row]["labels"] for row in kept])
        else:
            model_input["ground_truth"] = self._instances(frame, original, [person["labels"] for person in people])
            if attributes := attributes_of(people):
                model_input["attributes"] = attributes
        return model_input

    def first_size(self, record: Record) -> tuple[int, int] | None:
        """(width, height) that a call with the same state of torch's generator resizes the picture to, first of all.

        None where the transforms do not say. The generator stays as it is.
        """
        first_size = getattr(self.transforms, "first_size", None)
        if first_size is None:
            return None
        with torch.random.fork_rng(devices=()):
            height, width = first_size(record["height"], record["width"])
        return width, height

    def _instances(self, size: tuple[int, int], boxes: Tensor, labels: list[list[int]]) -> Instances:
        fields = {"gt_boxes": Boxes(boxes), self.emotions.target_field: self.emotions.encode(labels)}
        return Instances(size, **fields)


def attributes_of(people: Sequence[Annotation]) -> dict[str, list[str]]:
    """Those of ``ATTRIBUTES`` that are named of anybody: attribute -> its value of each person, else empty."""
    named = {name: [str(person.get("extra", {}).get(name) or "") for person in people] for name in ATTRIBUTES}
    return {name: values for name, values in named.items() if any(values)}
