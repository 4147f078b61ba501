"""Overlap in inclusive pixels, and the non-maximum suppression built on it.

The official evaluation (``test.py``: ``nms``, ``face_matching``) counts a box from x0 to x1 as x1 - x0 + 1 pixels
wide, as Fast R-CNN did. Geometry elsewhere in this package is continuous (``layers/boxes.py``); the inclusive form
lives only here, so that the published numbers can be reproduced: torchvision's continuous overlap of boxes whose right
and lower borders lie one pixel further out.
"""

from __future__ import annotations

from torch import Tensor
from torchvision import ops


def pixel_iou(boxes_a: Tensor, boxes_b: Tensor) -> Tensor:
    """Intersection over union of every pair, both borders counted as pixels of the box.

    Args:
        boxes_a: (A, 4) xyxy pixels, right >= left and bottom >= top.
        boxes_b: (B, 4) xyxy pixels of the same frame, likewise.

    Returns:
        (A, B) in [0, 1].

    Source: DSCT ``test.py`` (``face_matching``), commit 8b0fe36; behaviour pinned by
    ``tests/golden/dsct/nms_matching``.
    """
    overlaps: Tensor = ops.box_iou(_with_borders(boxes_a), _with_borders(boxes_b))
    return overlaps


def nms(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    """Greedy non-maximum suppression over all boxes of an image, whatever their class.

    A box is dropped when its ``pixel_iou`` with a kept box of higher score is *larger* than the threshold. Equal scores
    keep their order. Overlaps are taken in double precision, in which one of exactly 1/3 is not larger than 1/3.

    Args:
        boxes: (n, 4) xyxy pixels, right >= left and bottom >= top.
        scores: (n,) any real numbers.
        threshold: overlap in [0, 1] above which the lower score is dropped.

    Returns:
        (kept,) int64 indices into the boxes, highest score first.
    """
    kept: Tensor = ops.nms(_with_borders(boxes.double()), scores.double(), threshold)
    return kept


def _with_borders(boxes: Tensor) -> Tensor:
    """(n, 4) xyxy whose right and lower borders are pixels of the box -> (n, 4) xyxy in continuous coordinates."""
    return boxes + boxes.new_tensor([0, 0, 1, 1])
