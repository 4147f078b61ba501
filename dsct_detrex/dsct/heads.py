"""The prediction heads of the subjects: emotions and a box per subject query (paper section 3.1, Figure 3).

Contexts have no head here: the host's own class and box heads (``context_heads``) are not trained by DSCT.

Shapes: B images, N subjects, C channels, K emotions.
"""

from __future__ import annotations

import math
from typing import Protocol

from torch import Tensor, nn

from dsct_detrex.layers.boxes import apply_box_offsets
from dsct_detrex.layers.mlp import MLP

_PRIOR = 0.01
"""Initial probability of every class, so that focal loss starts from "nobody" (RetinaNet, section 3.3)."""


class QueryHeads(Protocol):
    """What the decoder loop asks of the heads of the queries that ride beside the contexts."""

    shared: bool
    """One pair of heads for all layers."""

    def classify(self, index: int, states: Tensor) -> Tensor:
        """(..., N, C) states of layer ``index`` -> (..., N, K + 1) logits."""
        ...

    def locate(self, index: int, states: Tensor, reference: Tensor) -> Tensor:
        """Boxes of layer ``index``; see ``SubjectHeads``."""
        ...


class SubjectHeads(nn.Module):
    """A linear emotion head and a three-layer box head, shared by all layers or one each.

    Args:
        embed_dim: C.
        num_logits: emotions plus the extra logit of ``structures.Emotions``.
        num_layers: L.
        shared: one pair of heads for all layers, as in the official code; False: a pair per layer, as hosts that
            refine references have it.
        initial_size: initial width and height of the first layer's box in [0, 1], for hosts whose references start
            as points; None where they start as boxes.
        reference_eps: clamp of the inverse sigmoid of the reference (official DSCT and Deformable-DETR: 1e-5).
    """

    def __init__(
        self,
        embed_dim: int,
        num_logits: int,
        num_layers: int,
        shared: bool = True,
        initial_size: float | None = None,
        reference_eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.shared = shared
        self.reference_eps = reference_eps
        count = 1 if shared else num_layers
        classes = [class_head(embed_dim, num_logits) for _ in range(count)]
        boxes = [box_head(embed_dim, initial_size if layer == 0 else None) for layer in range(count)]
        self.class_embed: nn.Module = classes[0] if shared else nn.ModuleList(classes)
        self.bbox_embed: nn.Module = boxes[0] if shared else nn.ModuleList(boxes)

    def classify(self, index: int, states: Tensor) -> Tensor:
        """(B, N, C) states of layer ``index`` -> (B, N, K + 1) logits."""
        logits: Tensor = of_layer(self.class_embed, index)(states)
        return logits

    def locate(self, index: int, states: Tensor, reference: Tensor) -> Tensor:
        """Boxes of layer ``index`` relative to the reference that enters it.

        Args:
            states: (B, N, C).
            reference: (B, N, 2 | 4) xy or cxcywh in [0, 1], unpadded image.

        Returns:
            (B, N, 4) cxcywh in [0, 1], unpadded image.
        """
        offsets: Tensor = of_layer(self.bbox_embed, index)(states)
        return apply_box_offsets(offsets, reference, self.reference_eps)


def class_head(embed_dim: int, num_logits: int) -> nn.Linear:
    """Starts as "nobody", whatever the state."""
    head = nn.Linear(embed_dim, num_logits)
    nn.init.constant_(head.bias, -math.log((1 - _PRIOR) / _PRIOR))
    return head


def box_head(embed_dim: int, initial_size: float | None) -> MLP:
    """Starts as "the reference itself", with the given width and height where that is a point."""
    head = MLP(embed_dim, embed_dim, 4, 3)
    last = head.layers[-1]
    assert isinstance(last, nn.Linear)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    if initial_size is not None:
        nn.init.constant_(last.bias[2:], math.log(initial_size / (1 - initial_size)))
    return head


def of_layer(heads: nn.Module, index: int) -> nn.Module:
    """The head of one layer, where every layer has its own; else the one head of all."""
    return heads[index] if isinstance(heads, nn.ModuleList) else heads
