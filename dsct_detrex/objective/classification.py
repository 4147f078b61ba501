"""The classification terms of Eq. 2 and 3: focal loss, once as matching cost and once as training loss.

Both kinds of emotion use the sigmoid focal loss of RetinaNet (arXiv:1708.02002); they differ in which logits train, in
what a matched query should say, and in the scale of the cost. All that is stated here is what the official code does
(``models/matcher_dsct.py``, ``models/deformable_detr_dsct.py``), where it departs from the paper too:

* the cost counts the person's own categories only (an absent category costs nothing), and for multi-label emotions it
  is averaged over the K categories, not summed;
* the multi-label "subject" logit trains (1 for every matched query) but takes no part in the matching; the last
  multi-class logit takes part in nothing and never trains.

Shapes: L layers, B images, N queries, n people, K emotions, T matched pairs, C = K or K + 1 trained logits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss

from dsct_detrex.structures import Emotions, MultiLabelEmotions


class EmotionFocal(ABC):
    """Focal classification of one kind of emotion target.

    Args:
        alpha: weight of the positive side, in (0, 1).
        gamma: how strongly confident answers are played down, not negative.

    Raises:
        ValueError: an argument outside its range.
    """

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0) -> None:
        if not 0 < alpha < 1:
            raise ValueError(f"{type(self).__name__}(alpha=) expects a number in (0, 1). Got {alpha}.")
        if gamma < 0:
            raise ValueError(f"{type(self).__name__}(gamma=) expects a number that is not negative. Got {gamma}.")
        self.alpha = alpha
        self.gamma = gamma

    @abstractmethod
    def hot(self, targets: Tensor, num_emotions: int) -> Tensor:
        """Targets of this kind, one entry a person, as (..., n, K) float 0/1."""

    @abstractmethod
    def cost_scale(self, num_emotions: int) -> float:
        """What the cost summed over a person's categories is divided by."""

    @abstractmethod
    def trained(self, logits: Tensor) -> Tensor:
        """The (..., C) logits that take part in the loss, out of (..., K + 1)."""

    @abstractmethod
    def goal(self, hot: Tensor) -> Tensor:
        """What a matched query should say: (T, K) 0/1 categories -> (T, C)."""

    def cost(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Classification term of Eq. 2 for every query and person.

        Args:
            logits: (..., N, K + 1).
            targets: emotion target of n people, (..., n, K) or (..., n); leading dimensions broadcast.

        Returns:
            (..., N, n); lower is better.
        """
        num_emotions = logits.shape[-1] - 1
        probability = logits[..., :num_emotions].sigmoid()
        # 1e-8 as in the official matcher: keeps the logarithm of a saturated sigmoid finite.
        present = self.alpha * (1 - probability) ** self.gamma * -(probability + 1e-8).log()
        absent = (1 - self.alpha) * probability**self.gamma * -(1 - probability + 1e-8).log()
        hot = self.hot(targets, num_emotions)
        return (present - absent) @ hot.transpose(-1, -2) / self.cost_scale(num_emotions)

    def loss(
        self,
        logits: Tensor,
        matched: tuple[Tensor, Tensor, Tensor],
        targets: Tensor,
        padding: Tensor | None = None,
    ) -> Tensor:
        """Focal loss of every layer, summed over images, queries and logits; unmatched queries should deny everything.

        Args:
            logits: (L, B, N, K + 1).
            matched: layer, image and query of the T matched pairs, each (T,) int64.
            targets: emotion target of the T people, in the same order, (T, K) or (T,).
            padding: (B, N) bool, True = not a query but an empty slot, which costs nothing; None: there is none.

        Returns:
            (L,) not yet divided by the number of people.
        """
        goal = torch.zeros_like(self.trained(logits))
        goal[matched] = self.goal(self.hot(targets, logits.shape[-1] - 1)).to(goal.dtype)
        by_logit: Tensor = sigmoid_focal_loss(self.trained(logits), goal, self.alpha, self.gamma)
        if padding is not None:
            by_logit = by_logit.masked_fill(padding[..., None], 0.0)
        return by_logit.sum((1, 2, 3))


class MultiLabelFocal(EmotionFocal):
    """Several categories per person (EMOTIC); all K + 1 logits train, the last one says "a person"."""

    def hot(self, targets: Tensor, num_emotions: int) -> Tensor:
        if targets.shape[-1] != num_emotions:
            raise ValueError(
                f"MultiLabelFocal(targets=) expects (n, {num_emotions}) 0/1 categories for logits of "
                f"{num_emotions + 1}. Got shape {tuple(targets.shape)}."
            )
        return targets.float()

    def cost_scale(self, num_emotions: int) -> float:
        return float(num_emotions)

    def trained(self, logits: Tensor) -> Tensor:
        return logits

    def goal(self, hot: Tensor) -> Tensor:
        return F.pad(hot, (0, 1), value=1.0)


class MultiClassFocal(EmotionFocal):
    """Exactly one category per person (CAER-S); the first K logits train, the last one is never used."""

    def hot(self, targets: Tensor, num_emotions: int) -> Tensor:
        if targets.is_floating_point():
            raise ValueError(
                "MultiClassFocal(targets=) expects int64 class indices, one a person. "
                f"Got {targets.dtype} of shape {tuple(targets.shape)}."
            )
        return (targets[..., None] == torch.arange(num_emotions, device=targets.device)).float()

    def cost_scale(self, num_emotions: int) -> float:
        return 1.0

    def trained(self, logits: Tensor) -> Tensor:
        return logits[..., :-1]

    def goal(self, hot: Tensor) -> Tensor:
        return hot


def focal_for(emotions: Emotions, alpha: float = 0.25, gamma: float = 2.0) -> EmotionFocal:
    """The focal loss that fits a kind of emotion target, for config files.

    Args:
        emotions: of the data set.
        alpha: weight of the positive side, in (0, 1).
        gamma: how strongly confident answers are played down, not negative.
    """
    kind = MultiLabelFocal if isinstance(emotions, MultiLabelEmotions) else MultiClassFocal
    return kind(alpha, gamma)
