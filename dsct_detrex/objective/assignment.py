"""Which query answers for which person, and the seam for other rules than Hungarian matching.

Denoising groups, one-to-many copies or IoU assignment differ from Eq. 1 in this decision only; the losses that follow
are the same. So a rule is anything that returns an ``Assignment``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from dsct_detrex.objective.targets import Target


@dataclass(frozen=True)
class Assignment:
    """T (query, person) pairs over all layers and images of a batch.

    A query answers for one person at most; a person may be answered for by several queries, or by none.

    Attributes:
        pairs: (4, T) int64, rows ``layer, image, query, person``; a person counts within its image.
    """

    pairs: Tensor

    def to(self, device: torch.device | str) -> Assignment:
        return Assignment(self.pairs.to(device, non_blocking=True))

    def of(self, layer: int, image: int) -> tuple[Tensor, Tensor]:
        """The pairs of one layer and image: query indices and person indices, both (t,) int64."""
        here = (self.pairs[0] == layer) & (self.pairs[1] == image)
        return self.pairs[2, here], self.pairs[3, here]


class Assigner(Protocol):
    """A rule that decides which queries answer for which people."""

    def __call__(self, pred_logits: Tensor, pred_boxes: Tensor, targets: Sequence[Target]) -> Assignment:
        """Assign one group of queries, in every layer on its own.

        Args:
            pred_logits: (L, B, N, K + 1).
            pred_boxes: (L, B, N, 4) ``cxcywh`` normalised to the unpadded image.
            targets: one for each of the B images, on the device of the predictions.

        Returns:
            the pairs; on any device, the criterion moves them.
        """
        ...


def not_finite(rule: str, what: str, layer: int, image: int) -> FloatingPointError:
    """What a rule raises that meets NaN or infinity.

    Args:
        rule: name of the rule.
        what: the numbers that are not finite, in the plural.
        layer, image: where they are.
    """
    return FloatingPointError(
        f"{rule} got {what} that are not finite (layer {layer}, image {image} of the batch): the model's "
        "logits or boxes, or that image's annotated boxes, hold NaN or infinity. Lower the learning rate, clip "
        "gradients, train in bfloat16 or float32 instead of float16, or check the annotations of that image."
    )
