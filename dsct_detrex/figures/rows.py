"""A row, and so a colour, for every person in every figure: the annotated in their order, then others found."""

from __future__ import annotations

from scipy.optimize import linear_sum_assignment
from torchvision.ops import box_iou

from dsct_detrex.structures import Instances

_SAME = 0.3
"""Least overlap (IoU) of an annotated and a found person who are one."""


def rows_of(people: Instances, truth: Instances | None) -> list[int | None]:
    """The number of a found person in each row; None in that of an annotated one who was not found.

    Args:
        people: ``pred_boxes``, xyxy in pixels.
        truth: ``gt_boxes`` in the same frame; None where nobody is annotated.
    """
    if truth is None:
        return list(range(len(people)))
    overlap = box_iou(truth.gt_boxes.tensor, people.pred_boxes.tensor)
    pairs = {int(a): int(p) for a, p in zip(*linear_sum_assignment(-overlap.numpy())) if overlap[a, p] >= _SAME}
    others = [person for person in range(len(people)) if person not in pairs.values()]
    return [pairs.get(row) for row in range(len(overlap))] + others
