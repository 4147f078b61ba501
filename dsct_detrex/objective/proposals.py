"""A loss on the proposals of a two-stage host: the encoder goes on finding people while it learns emotions.

Under DSCT's losses alone nothing corrects the first stage: encoder and backbone change, the heads that rank its tokens
do not (``docs/training-hosts.md``). Here every person has to be proposed by one token, assigned as in Eq. 1 with one
category, "person": the score by which the host ranks its tokens. It is the first-stage loss of two-stage
Deformable-DETR (arXiv:2010.04159, appendix) on the subjects' boxes.

Shapes: B images, S tokens, N queries, L layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from dsct_detrex.objective.assignment import Assigner, Assignment
from dsct_detrex.objective.classification import MultiClassFocal
from dsct_detrex.objective.criterion import DSCTCriterion
from dsct_detrex.objective.group_task import GroupTask
from dsct_detrex.objective.matcher import HungarianMatcher
from dsct_detrex.objective.targets import Target

_FAR_AWAY = 10.0  # a box ten images off: its L1 distance alone exceeds that of any box inside the image


@dataclass(frozen=True)
class Proposals:
    """What a first stage says about its tokens.

    Attributes:
        scores: (B, S) logits by which tokens are ranked.
        boxes: (B, S, 4) ``cxcywh`` in [0, 1] of the unpadded image.
        candidates: (B, S) bool, False = padding or too close to the border, never proposed.
    """

    scores: Tensor
    boxes: Tensor
    candidates: Tensor


class ProposalLoss:
    """Focal, L1 and generalised IoU losses of a host's proposals against the annotated people.

    Every candidate token but the matched ones should score low, also where it shows a thing that is no person: a large
    weight turns contexts into people.

    Args:
        weight: factor of the three losses together, beside those of the subjects.
        weight_class, weight_bbox, weight_giou: as in two-stage Deformable-DETR.
        cost_class, cost_bbox, cost_giou: of the matching, likewise.

    Raises:
        ValueError: ``weight`` is not positive, or another factor is negative.
    """

    def __init__(
        self,
        weight: float = 1.0,
        weight_class: float = 2.0,
        weight_bbox: float = 5.0,
        weight_giou: float = 2.0,
        cost_class: float = 2.0,
        cost_bbox: float = 5.0,
        cost_giou: float = 2.0,
    ) -> None:
        if not weight > 0:
            raise ValueError(
                f"ProposalLoss(weight=) expects a positive number. Got {weight}; model.proposal_loss=null is off."
            )
        focal = MultiClassFocal()
        self.weight = weight
        self.matcher = HungarianMatcher(focal, cost_class, cost_bbox, cost_giou)
        self.criterion = DSCTCriterion(self.matcher, focal, weight_class, weight_bbox, weight_giou)

    def __call__(self, proposals: Proposals, targets: Sequence[Target]) -> dict[str, Tensor]:
        """The weighted losses, summed over the batch and divided by the number of people (mean over processes).

        Args:
            targets: the people of each of the B images; their emotions are not looked at.

        Returns:
            scalars ``loss_class_enc``, ``loss_bbox_enc``, ``loss_giou_enc``.

        Raises:
            FloatingPointError: scores or boxes are not finite.
        """
        here = proposals.candidates
        boxes = out_of_reach(proposals.boxes, here)
        logits = F.pad(proposals.scores[..., None], (0, 1))  # one category, and the logit that never trains
        people = [Target(t.boxes, torch.zeros(len(t), dtype=torch.long, device=t.boxes.device)) for t in targets]
        task = GroupTask(
            name="enc",
            weight=self.weight,
            assigner=AmongCandidates(self.matcher, here),
            answers=sum(len(target) for target in targets),
            padding=~here,
        )
        return self.criterion.extra_losses({"pred_logits": logits[None], "pred_boxes": boxes[None]}, people, task)


def out_of_reach(boxes: Tensor, candidates: Tensor) -> Tensor:
    """(B, S, 4) boxes, those of tokens that are no candidates (B, S) far from every thing, so that they match last."""
    return boxes.masked_fill(~candidates[..., None], _FAR_AWAY)


@dataclass(frozen=True)
class AmongCandidates:
    """An assigner that drops the pairs of tokens which cannot be proposed; they are the dearest, so all else is kept.

    Attributes:
        candidates: (B, N) bool.
    """

    assigner: Assigner
    candidates: Tensor

    def __call__(self, pred_logits: Tensor, pred_boxes: Tensor, targets: Sequence[Target]) -> Assignment:
        """See ``Assigner``."""
        pairs = self.assigner(pred_logits, pred_boxes, targets).pairs.to(self.candidates.device)
        return Assignment(pairs[:, self.candidates[pairs[1], pairs[2]]])
