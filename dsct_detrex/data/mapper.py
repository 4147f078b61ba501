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
from dsct_detrex.errors import UserError
from dsct_detrex.structures import Boxes, Emotions, Instances, ObjectClasses

ATTRIBUTES = ("gender", "age")
"""Entries of a person's ``extra`` by which an evaluation groups people."""


class DatasetMapper:
    """Augment one image and write its people down in the form of their emotions.

    Args:
        transforms: scene -> scene, see ``data/transforms.py``.
        emotions: of the data set; decides the target field.
        is_train: whether people go to ``instances`` in the frame of the augmented image, or to ``ground_truth`` in
            the frame of the original one.
        objects: classes of the things that records have beside their people, which go to ``objects``; null leaves them.
    """

    def __init__(
        self, transforms: Transform, emotions: Emotions, is_train: bool, objects: ObjectClasses | None = None
    ) -> None:
        self.transforms = transforms
        self.emotions = emotions
        self.is_train = is_train
        self.objects = objects

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
            the data set names any: attribute -> its value of each person, empty where it is not said. With ``objects``
            the same holds for the things, in the same frame as the people; None where nobody annotated them.

        Raises:
            UserError: things are wanted, and the record names none, not even an empty list.
        """
        people, things = record["annotations"], self._things(record)
        marked = [*people, *things]
        original = torch.tensor([one["bbox"] for one in marked], dtype=torch.float32).reshape(-1, 4)
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
            boxes, size = scene["boxes"].as_subclass(Tensor), (pixels.shape[-2], pixels.shape[-1])
            kept = scene["people"]
            labels = [marked[row]["labels"] for row in kept.tolist()]
        else:
            boxes, size, kept = original, frame, torch.arange(len(marked))
            labels = [one["labels"] for one in marked]
        last = int((kept < len(people)).sum())  # transforms keep the order: people, then things
        field = "instances" if self.is_train else "ground_truth"
        model_input[field] = described(size, boxes[:last], labels[:last], self.emotions)
        if self.objects is not None:
            unknown = record["objects"] is None
            model_input["objects"] = None if unknown else described(size, boxes[last:], labels[last:], self.objects)
        if not self.is_train and (attributes := attributes_of(people)):
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

    def _things(self, record: Record) -> Sequence[Annotation]:
        if self.objects is None:
            return ()
        if "objects" not in record:
            raise UserError(
                "DatasetMapper(objects=) expects records that name the things beside the people. Got none of "
                f"{record['file_name']}: let the data set annotate them (drawn scenes: objects=True), or leave objects "
                "out."
            )
        return record["objects"] or ()


def described(size: tuple[int, int], boxes: Tensor, labels: Sequence[Sequence[int]], classes: Emotions) -> Instances:
    """People or things as annotated ``Instances``.

    Args:
        size: (height, width) of the frame of the boxes.
        boxes: (n, 4) ``xyxy`` pixels.
        labels: class indices of each.
    """
    return Instances(size, **{"gt_boxes": Boxes(boxes), classes.target_field: classes.encode(labels)})


def attributes_of(people: Sequence[Annotation]) -> dict[str, list[str]]:
    """Those of ``ATTRIBUTES`` that are named of anybody: attribute -> its value of each person, else empty."""
    named = {name: [str(person.get("extra", {}).get(name) or "") for person in people] for name in ATTRIBUTES}
    return {name: values for name, values in named.items() if any(values)}
