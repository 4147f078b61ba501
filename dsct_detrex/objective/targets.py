"""What the criterion compares predictions with: the people of one image, their boxes and their emotions.

Shapes: B images, n people of an image, P the largest n of a batch, K emotions. An emotion target is (n, K) float 0/1
for multi-label and (n,) int64 for multi-class emotions (``dsct_detrex.structures``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from dsct_detrex.layers.boxes import box_xyxy_to_cxcywh
from dsct_detrex.structures import Emotions, Instances


@dataclass(frozen=True)
class Target:
    """The annotated people of one image.

    Attributes:
        boxes: (n, 4) float, ``cxcywh``, normalised to the unpadded image.
        emotions: emotion target of the n people, of the kind the classification loss expects.

    Raises:
        ValueError: ``boxes`` is not (n, 4), or the two lengths differ.
    """

    boxes: Tensor
    emotions: Tensor

    def __post_init__(self) -> None:
        if self.boxes.ndim != 2 or self.boxes.shape[-1] != 4:
            raise ValueError(f"Target(boxes=) expects shape (n, 4). Got {tuple(self.boxes.shape)}.")
        if len(self.emotions) != len(self.boxes):
            raise ValueError(
                f"Target(emotions=) expects one entry for each of {len(self.boxes)} boxes. Got {len(self.emotions)}."
            )

    def __len__(self) -> int:
        return len(self.boxes)

    def to(self, device: torch.device | str) -> Target:
        return Target(self.boxes.to(device, non_blocking=True), self.emotions.to(device, non_blocking=True))


def target_from_instances(instances: Instances, emotions: Emotions) -> Target:
    """Turn the annotated people of one model input into a ``Target``.

    Args:
        instances: fields ``gt_boxes`` (``xyxy`` pixels of the unpadded image that enters the network) and the
            target field of ``emotions``.
        emotions: the kind of emotion target to read.

    Raises:
        ValueError: a field is missing; the message names it and those that are there.
    """
    for field in ("gt_boxes", emotions.target_field):
        if not instances.has(field):
            known = ", ".join(instances.get_fields()) or "none"
            raise ValueError(
                f"target_from_instances(instances=) expects the field {field!r} ({emotions.name}). Got fields: {known}."
            )
    boxes: Tensor = instances.get("gt_boxes").tensor
    height, width = instances.image_size
    corners = torch.stack([boxes[:, 0::2] / width, boxes[:, 1::2] / height], -1).flatten(1)
    return Target(box_xyxy_to_cxcywh(corners), instances.get(emotions.target_field))


def targets_from_instances(instances: Sequence[Instances], emotions: Emotions) -> list[Target]:
    """``target_from_instances`` for every image of a batch."""
    return [target_from_instances(image, emotions) for image in instances]


def pad_targets(targets: Sequence[Target]) -> tuple[Tensor, Tensor]:
    """Stack the targets of a batch; rows beyond an image's people are zeros and mean nothing.

    Returns:
        boxes (B, P, 4) and emotions (B, P, K) or (B, P).

    Raises:
        ValueError: no image at all.
    """
    if not targets:
        raise ValueError("pad_targets(targets=) expects one Target for each image of the batch. Got none.")
    boxes = pad_sequence([t.boxes for t in targets], batch_first=True)
    emotions = pad_sequence([t.emotions for t in targets], batch_first=True)
    return boxes, emotions
