"""A dense loss on the encoder's memory: tokens near a thing say what it is, while its queries are still learning.

From random weights a DETR learns slowly, because the gradient reaches backbone and encoder through a handful of matched
queries whose attention is not yet anywhere. An auxiliary head on every token, with several answers for each thing, asks
the memory directly. It exists in training only.

Source: the idea of collaborative heads, Co-DETR (arXiv:2211.12860), section 3.2, here with DETR's own matching,
repeated as in H-DETR (``one_to_many``), instead of a further detector.

Shapes: B images, S tokens, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from dsct_detrex.objective.assignment import Assigner
from dsct_detrex.objective.group_task import GroupTask
from dsct_detrex.objective.one_to_many import RepeatedAssigner, copies
from dsct_detrex.objective.proposals import AmongCandidates, out_of_reach
from dsct_detrex.objective.targets import Target


@dataclass(frozen=True)
class TokenPredictions:
    """What every token of the memory says.

    Attributes:
        logits: (B, S, K + 1), the last of which never trains.
        boxes: (B, S, 4) ``cxcywh`` in [0, 1] of the unpadded image.
        candidates: (B, S) bool, False = padding or too close to the border: it is not asked.
    """

    logits: Tensor
    boxes: Tensor
    candidates: Tensor

    def outputs(self) -> dict[str, Tensor]:
        """As a criterion reads them, one layer; boxes of tokens that are not asked are far away."""
        boxes = out_of_reach(self.boxes, self.candidates)
        return {"pred_logits": self.logits[None], "pred_boxes": boxes[None]}


class TokenLoss:
    """The recipe: how many tokens answer for each thing.

    Args:
        repeats: answers wanted for every thing.
        weight: factor of the losses ``..._tokens``.

    Raises:
        ValueError: an argument outside its range.
    """

    def __init__(self, repeats: int = 4, weight: float = 1.0) -> None:
        if repeats < 1:
            raise ValueError(f"TokenLoss(repeats=) expects an int >= 1. Got {repeats}.")
        if not weight > 0:
            raise ValueError(f"TokenLoss(weight=) expects a positive number. Got {weight}; null is off.")
        self.repeats = repeats
        self.weight = weight

    def task(self, matcher: Assigner, targets: Sequence[Target], candidates: Tensor) -> GroupTask:
        """How the criterion judges the tokens.

        Args:
            matcher: the rule by which queries are assigned.
            candidates: (B, S) bool, see ``TokenPredictions``.
        """
        tokens = candidates.shape[1]
        answers = sum(len(target) * copies(len(target), self.repeats, tokens) for target in targets)
        assigner = AmongCandidates(RepeatedAssigner(matcher, self.repeats), candidates)
        return GroupTask("tokens", self.weight, assigner, answers, padding=~candidates)
