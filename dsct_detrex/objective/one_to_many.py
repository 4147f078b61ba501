"""One-to-many matching: a second set of queries in which every person is answered for several times.

Source: H-DETR, arXiv:2207.13080, section 3.2, "hybrid branch scheme": more queries learn from every picture, and
inference never meets them. Where people are so many that their copies would outnumber the queries, each has fewer
copies, so that nobody is crowded out.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dsct_detrex.objective.assignment import Assigner, Assignment
from dsct_detrex.objective.group_task import GroupTask
from dsct_detrex.objective.targets import Target


class OneToMany:
    """The recipe: how many further queries, and how many of them answer for each person.

    Args:
        num_queries: size of the second set. H-DETR has five times as many as it keeps.
        repeats: answers wanted for every person (H-DETR: 6).
        weight: factor of the losses (H-DETR: 1).

    Raises:
        ValueError: an argument outside its range.
    """

    def __init__(self, num_queries: int = 45, repeats: int = 6, weight: float = 1.0) -> None:
        for name, count in (("num_queries", num_queries), ("repeats", repeats)):
            if count < 1:
                raise ValueError(f"OneToMany({name}=) expects an int >= 1. Got {count}.")
        if weight < 0:
            raise ValueError(f"OneToMany(weight=) expects a weight that is not negative. Got {weight}.")
        self.num_queries = num_queries
        self.repeats = repeats
        self.weight = weight

    def task(self, matcher: Assigner, targets: Sequence[Target]) -> GroupTask:
        """How the criterion judges the second set, whose losses are called ``..._o2m``."""
        answers = sum(len(target) * copies(len(target), self.repeats, self.num_queries) for target in targets)
        return GroupTask("o2m", self.weight, RepeatedAssigner(matcher, self.repeats), answers)


class RepeatedAssigner:
    """An ``Assigner`` that lets another rule assign several copies of every person.

    Args:
        matcher: the rule for the copies.
        repeats: number of copies.
    """

    def __init__(self, matcher: Assigner, repeats: int) -> None:
        self.matcher = matcher
        self.repeats = repeats

    def __call__(self, pred_logits: Tensor, pred_boxes: Tensor, targets: Sequence[Target]) -> Assignment:
        """Assign; arguments and errors as for ``matcher``."""
        num_queries = pred_boxes.shape[2]
        several = [_repeat(target, copies(len(target), self.repeats, num_queries)) for target in targets]
        layer, image, query, copy = self.matcher(pred_logits, pred_boxes, several).pairs
        people = torch.tensor([len(target) for target in targets], device=copy.device)
        return Assignment(torch.stack([layer, image, query, copy % people[image]]))


def copies(num_people: int, repeats: int, num_queries: int) -> int:
    """How many copies of each person fit: ``repeats``, or fewer in a crowd, but always one."""
    return max(1, min(repeats, num_queries // max(num_people, 1)))


def _repeat(target: Target, count: int) -> Target:
    return Target(torch.cat([target.boxes] * count), torch.cat([target.emotions] * count))
