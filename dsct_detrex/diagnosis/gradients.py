"""On which way a loss reaches the contexts of a layer: through what subjects gather of them, or through all else.

All else is what contexts do after this layer's fusion: its feed-forward network, self-attention of later layers, where
subjects see them, and later fusions. The last layer's contexts do nothing more, so it has nothing else.

Shapes: B images, M contexts, Q queries (contexts first), C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from dsct_detrex.diagnosis.passing import Fused


class Reached(NamedTuple):
    """Norms of one layer's gradient.

    Attributes:
        fusion: (B,) of d loss / d contexts through its fusion.
        rest: (B,) through everything else.
    """

    fusion: Tensor
    rest: Tensor


def gradients_to_contexts(loss: Tensor, fusions: Sequence[Fused]) -> list[Reached]:
    """One backward pass for all layers.

    Args:
        loss: a scalar that depends on them.
        fusions: of its forward pass, seen with gradients on.
    """
    entered, left = [one.entered for one in fusions], [one.left.queries for one in fusions]
    gradients = torch.autograd.grad(loss, [*entered, *left])
    return [
        Reached(_norm(before - behind, one.num_contexts), _norm(behind, one.num_contexts))
        for one, before, behind in zip(fusions, gradients[: len(fusions)], gradients[len(fusions) :], strict=True)
    ]


def _norm(gradient: Tensor, m: int) -> Tensor:
    norm: Tensor = gradient[:, :m].flatten(1).norm(dim=1)
    return norm
