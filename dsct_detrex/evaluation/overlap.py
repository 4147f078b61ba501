"""Overlap in inclusive pixels, and the non-maximum suppression built on it.

The official evaluation (``test.py``: ``nms``, ``face_matching``) counts a box from x0 to x1 as x1 - x0 + 1 pixels
wide, as Fast R-CNN did. Geometry elsewhere in this package is continuous (``layers/boxes.py``); the inclusive form
lives only here, so that the published numbers can be reproduced.
"""

from __future__ import annotations

import torch
from torch import Tensor


def pixel_iou(boxes_a: Tensor, boxes_b: Tensor) -> Tensor:
    """Intersection over union of every pair, both borders counted as pixels of the box.

    Args:
        boxes_a: (A, 4) xyxy pixels.
        boxes_b: (B, 4) xyxy pixels of the same frame.

    Returns:
        (A, B) in [0, 1].

    Source: DSCT ``test.py`` (``face_matching``), commit 8b0fe36; behaviour pinned by
    ``tests/golden/dsct/nms_matching``.
    """
    top_left = torch.maximum(boxes_a[:, None, :2], boxes_b[None, :, :2])
    bottom_right = torch.minimum(boxes_a[:, None, 2:], boxes_b[None, :, 2:])
    intersection = (bottom_right - top_left + 1).clamp(min=0).prod(-1)
    union = _pixels(boxes_a)[:, None] + _pixels(boxes_b)[None, :] - intersection
    return intersection / union


def nms(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    """Greedy non-maximum suppression over all boxes of an image, whatever their class.

    A box is dropped when its ``pixel_iou`` with a kept box of higher score is *larger* than the threshold. Equal scores
    keep their order, so the result does not depend on the machine.

    Args:
        boxes: (n, 4) xyxy pixels.
        scores: (n,) any real numbers.
        threshold: overlap in [0, 1] above which the lower score is dropped.

    Returns:
        (kept,) int64 indices into the boxes, highest score first.
    """
    overlaps = pixel_iou(boxes, boxes)
    alive = torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    kept = []
    for index in scores.argsort(descending=True, stable=True).tolist():
        if alive[index]:
            kept.append(index)
            alive &= overlaps[index] <= threshold
    return torch.tensor(kept, dtype=torch.int64, device=boxes.device)


def _pixels(boxes: Tensor) -> Tensor:
    """(n, 4) xyxy -> (n,) number of pixels, borders included."""
    return (boxes[:, 2:] - boxes[:, :2] + 1).prod(-1)
