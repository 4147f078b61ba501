"""Assignment by overlap alone: every query that covers a person well enough answers for that person.

Source: DETA, arXiv:2212.06137, section 4 (second stage: threshold 0.6, at most four queries per person, and a person
whom no query covers keeps the best one). DETA measures the encoder's proposals, of which it has 900; DSCT has a few
learned queries whose anchors know nothing of the picture, so the *predicted* boxes of each layer are measured. And as
so few queries often are best for several people at once, the query that a person keeps is given out best pair first.

Several queries then say the same, on purpose: evaluation needs non-maximum suppression. The evaluation protocol
``paper`` has it, ``official`` has not.

Shapes: L layers, B images, N queries, P the largest number of people of an image.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dsct_detrex.objective.assignment import Assignment, not_finite
from dsct_detrex.objective.overlap import iou_and_gap
from dsct_detrex.objective.targets import Target, pad_targets


class IoUAssigner:
    """Match queries to people by the overlap of their boxes.

    Args:
        threshold: IoU in (0, 1] from which a query answers for the person it overlaps most.
        max_queries_per_person: how many may, the best ones first; the query that the person keeps is one of them.

    Raises:
        ValueError: an argument outside its range.
    """

    def __init__(self, threshold: float = 0.6, max_queries_per_person: int = 4) -> None:
        if not 0 < threshold <= 1:
            raise ValueError(f"IoUAssigner(threshold=) expects a number in (0, 1]. Got {threshold}.")
        if max_queries_per_person < 1:
            raise ValueError(f"IoUAssigner(max_queries_per_person=) expects an int >= 1. Got {max_queries_per_person}.")
        self.threshold = threshold
        self.max_queries_per_person = max_queries_per_person

    @torch.no_grad()
    def __call__(self, pred_logits: Tensor, pred_boxes: Tensor, targets: Sequence[Target]) -> Assignment:
        """Assign every layer and image.

        Args: see ``Assigner``; the logits are not looked at.

        Returns:
            pairs on the CPU, sorted by layer, image and query.

        Raises:
            FloatingPointError: a box is not finite.
        """
        closeness = self.closeness(pred_boxes, targets)
        kept = best_pairs(closeness)
        best = torch.zeros_like(kept)
        if closeness.numel():
            best.scatter_(-1, closeness.argmax(-1, keepdim=True), True)
        further = best & (closeness >= self.threshold) & ~kept.any(-1, keepdim=True)
        merit = closeness.masked_fill(~further, -torch.inf).masked_fill(kept, torch.inf)
        rank = merit.argsort(dim=-2, descending=True, stable=True).argsort(dim=-2)
        answers = (kept | further) & (rank < self.max_queries_per_person)
        return Assignment(answers.nonzero().T)

    def closeness(self, pred_boxes: Tensor, targets: Sequence[Target]) -> Tensor:
        """(L, B, N, P) on the CPU: IoU; of boxes that do not touch, generalised IoU in [-1, 0]; of nobody, -inf."""
        boxes, _ = pad_targets(targets)
        iou, gap = iou_and_gap(pred_boxes.float()[..., :, None, :], boxes[:, None])
        closeness = torch.where(iou > 0, iou, -gap).cpu()
        if not closeness.isfinite().all():
            layer, image = (~closeness.isfinite()).nonzero()[0, :2].tolist()
            raise not_finite("IoUAssigner", "overlaps", layer, image)
        people = torch.tensor([len(target) for target in targets])
        nobody = torch.arange(boxes.shape[1]) >= people[:, None]
        return closeness.masked_fill(nobody[:, None], -torch.inf)


def best_pairs(closeness: Tensor) -> Tensor:
    """One query for every person: the closest pair is taken, then the closest of those left, and so on.

    Args:
        closeness: (..., N, P), -inf where there is no person.

    Returns:
        (..., N, P) bool, at most one True in a row or column; among equals the lower query, then the lower person.
    """
    left, taken = closeness.flatten(-2), torch.zeros_like(closeness, dtype=torch.bool)
    num_queries, num_people = closeness.shape[-2:]
    query = torch.arange(num_queries, device=closeness.device)[:, None]
    person = torch.arange(num_people, device=closeness.device)
    for _ in range(min(num_queries, num_people)):
        value, place = left.amax(-1), left.argmax(-1)
        here_query = query == place.div(num_people, rounding_mode="floor")[..., None, None]
        here_person = person == (place % num_people)[..., None, None]
        taken |= here_query & here_person & (value > -torch.inf)[..., None, None]
        left = left.masked_fill((here_query | here_person).flatten(-2), -torch.inf)
    return taken
