"""From the last layer's predictions to detectron2-style instances in the frame of the original image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dsct_detrex.layers.boxes import box_cxcywh_to_xyxy
from dsct_detrex.structures import Emotions, Instances, predicted_people


def postprocess(logits: Tensor, boxes: Tensor, sizes: Sequence[tuple[int, int]], emotions: Emotions) -> list[Instances]:
    """Describe what every subject query found; nothing is filtered, evaluation protocols and ``predict`` do that.

    Args:
        logits: (B, N, K + 1).
        boxes: (B, N, 4) cxcywh in [0, 1] of the unpadded image.
        sizes: (height, width) of every original image in pixels.
        emotions: how the logits read.

    Returns:
        per image N rows, in its pixels; see ``structures.predicted_people``.
    """
    results = []
    for image_logits, image_boxes, (height, width) in zip(logits.float(), boxes.float(), sizes, strict=True):
        corners = box_cxcywh_to_xyxy(image_boxes)
        pixels = torch.stack([corners[:, 0::2] * width, corners[:, 1::2] * height], -1).flatten(1)
        results.append(predicted_people((height, width), pixels, image_logits, emotions))
    return results
