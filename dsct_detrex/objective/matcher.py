"""Eq. 1 and 2: the one-to-one assignment of subject queries to people that costs least.

Every layer is matched on its own, so six layers and B images are 6 B small problems. Their costs are one tensor,
computed where the predictions live and moved to the CPU once: that copy is the only time the step waits for the device.

The paper pads the people with empty sets up to N (Eq. 1); the official code solves the rectangular problem, which has
the same solution. With more people than queries the dearest people stay without a query.

Shapes: L layers, B images, N queries, P the largest number of people of an image.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from dsct_detrex.objective.assignment import Assignment, not_finite
from dsct_detrex.objective.classification import EmotionFocal
from dsct_detrex.objective.overlap import generalized_iou
from dsct_detrex.objective.targets import Target, pad_targets


class HungarianMatcher:
    """Match queries to people by classification, L1 and generalised IoU.

    Args:
        classification: gives the classification cost.
        cost_class, cost_bbox, cost_giou: the factors of Eq. 2; the official runs use 2, 5 and 2.

    Raises:
        ValueError: a factor is negative, or all are zero.
    """

    def __init__(
        self,
        classification: EmotionFocal,
        cost_class: float = 2.0,
        cost_bbox: float = 5.0,
        cost_giou: float = 2.0,
    ) -> None:
        factors = (cost_class, cost_bbox, cost_giou)
        if min(factors) < 0 or max(factors) == 0:
            raise ValueError(
                "HungarianMatcher(cost_class=, cost_bbox=, cost_giou=) expects factors that are not negative, at least "
                f"one of them positive. Got {cost_class}, {cost_bbox}, {cost_giou}."
            )
        self.classification = classification
        self.cost_class = cost_class
        self.cost_bbox = cost_bbox
        self.cost_giou = cost_giou

    @torch.no_grad()
    def cost(self, pred_logits: Tensor, pred_boxes: Tensor, targets: Sequence[Target]) -> Tensor:
        """The cost of Eq. 2 for every query and person of the same image, in all layers.

        Args: see ``Assigner``.

        Returns:
            (L, B, N, P) float32; columns beyond an image's people mean nothing.
        """
        boxes, emotions = pad_targets(targets)
        queries, people = pred_boxes.float()[..., :, None, :], boxes[:, None, :, :]
        by_class = self.classification.cost(pred_logits.float(), emotions)
        by_l1 = (queries - people).abs().sum(-1)
        by_giou = -generalized_iou(queries, people)
        return self.cost_class * by_class + self.cost_bbox * by_l1 + self.cost_giou * by_giou  # Eq. 2

    def __call__(self, pred_logits: Tensor, pred_boxes: Tensor, targets: Sequence[Target]) -> Assignment:
        """The cheapest one-to-one assignment of every layer and image.

        Args: see ``Assigner``.

        Returns:
            pairs on the CPU, sorted by layer, image and query.

        Raises:
            FloatingPointError: a cost is not finite.
        """
        cost = self.cost(pred_logits, pred_boxes, targets).cpu().numpy()
        blocks = [
            _solve(cost[layer, image, :, : len(target)], layer, image)
            for layer in range(len(cost))
            for image, target in enumerate(targets)
        ]
        return Assignment(torch.from_numpy(np.concatenate(blocks, axis=1)))


def _solve(cost: NDArray[np.float32], layer: int, image: int) -> NDArray[np.int64]:
    """One (N, n) problem -> (4, min(N, n)) pairs: layer, image, query, person."""
    if not np.isfinite(cost).all():
        raise not_finite("HungarianMatcher", "costs", layer, image)
    query, person = linear_sum_assignment(cost)
    return np.stack([np.full_like(query, layer), np.full_like(query, image), query, person]).astype(np.int64)
