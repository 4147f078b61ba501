"""The host's own class and box heads on its contexts: what each context recognises, and where.

DSCT's loss never asks (contexts only inform subjects), but a host that is trained as a detector is made of these
answers, and a loss on them keeps contexts meaning what a detector taught them (``context_detection``). Whatever the
host, they are the host's own predictions: per layer the boxes are relative to the reference that entered it.

Queries that ride beside the contexts while a detector trains (denoising, one-to-many) are read with the same heads.

Shapes: B images, M contexts, L layers, C channels, K classes of things.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dsct_detrex.dsct.adapters import HostAdapter
from dsct_detrex.dsct.decoder import LayerOutput
from dsct_detrex.layers.boxes import apply_box_offsets


class ContextHeads:
    """A reading of a host, without parameters of its own; ``heads.QueryHeads``.

    Args:
        adapter: of the host.
        num_classes: K; None: as the host has it. Logits are K + 1, the last of which never trains, as ``objective`` has
            it for one class a box: DETR's own "no object" stands there, other hosts get a zero.

    Raises:
        ValueError: the host's class heads are made for another number.
    """

    shared = False

    def __init__(self, adapter: HostAdapter, num_classes: int | None = None) -> None:
        self.adapter = adapter
        self.num_classes = num_classes = adapter.num_classes if num_classes is None else num_classes
        own = {getattr(adapter.prediction_heads(index)[0], "out_features", None) for index in range(self.num_layers)}
        if not own <= {num_classes, num_classes + 1, None}:
            found = next(number for number in own if number not in (num_classes, num_classes + 1))
            raise ValueError(
                f"ContextHeads(num_classes=) expects the number that the host's class heads are made for, {found}. Got "
                f"{num_classes}: set num_classes of the host, hosts.<name>.num_classes={num_classes} in a config."
            )

    @property
    def num_layers(self) -> int:
        return len(self.adapter.layers)

    @property
    def modules(self) -> list[nn.Module]:
        """All heads of the decoder layers."""
        return [head for index in range(self.num_layers) for head in self.adapter.prediction_heads(index)]

    def classify(self, index: int, states: Tensor) -> Tensor:
        """(..., C) states of layer ``index``, after the host's output norm -> (..., K + 1) logits."""
        logits: Tensor = self.adapter.prediction_heads(index)[0](states)
        return F.pad(logits, (0, self.num_classes + 1 - logits.shape[-1]))

    def locate(self, index: int, states: Tensor, reference: Tensor) -> Tensor:
        """(..., C) states and (..., 0 | 2 | 4) references in [0, 1] -> (..., 4) ``cxcywh`` of the unpadded image."""
        offsets: Tensor = self.adapter.prediction_heads(index)[1](states)
        return apply_box_offsets(offsets, reference, self.adapter.reference_eps)

    def predictions(self, layers: Sequence[LayerOutput], first: int = 0) -> dict[str, Tensor]:
        """What contexts say, as a criterion reads it: ``pred_logits`` (L, B, M, K + 1), ``pred_boxes`` (L, B, M, 4).

        Args:
            layers: of ``SubjectContextDecoder``.
            first: index of the first of them.
        """
        numbered = list(enumerate(layers, start=first))
        return {
            "pred_logits": torch.stack([self.classify(index, layer.contexts) for index, layer in numbered]),
            "pred_boxes": torch.stack(
                [self.locate(index, layer.contexts, layer.context_prediction_references) for index, layer in numbered]
            ),
        }
