"""DAB-Deformable-DETR as a host: context queries are anchor boxes, refined layer by layer, optionally proposed.

Source: DAB-DETR, arXiv:2201.12329; keywords of ``DabDeformableDETR`` in detrex's projects/dab_deformable_detr.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from dsct_detrex.hosts.dab_deformable_transformer import DabDeformableDetrTransformer
from dsct_detrex.hosts.dynamic_anchors import DynamicAnchorHost
from dsct_detrex.hosts.host import PIXEL_MEAN, PIXEL_STD
from dsct_detrex.layers.boxes import inverse_sigmoid

# Fresh anchors stay this far inside the image, in logit space.
ANCHOR_LIMIT = 3.0


class DabDeformableDETR(DynamicAnchorHost):
    """DAB-Deformable-DETR without its own training.

    Args:
        as_two_stage: context queries proposed by the encoder; needs a two-stage transformer.
        criterion, aux_loss, device: accepted so that detrex's configs build, and unused: DSCT trains its subjects only,
            and a host lives on whatever device it is moved to.

    Attributes:
        tgt_embed: (M, C) learned contents; None in a two-stage host.
        refpoint_embed: (M, 4) logits of learned anchors, ``cxcywh``, unpadded frame; None in a two-stage host.
    """

    def __init__(
        self,
        backbone: nn.Module,
        position_embedding: nn.Module,
        neck: nn.Module,
        transformer: DabDeformableDetrTransformer,
        embed_dim: int,
        num_classes: int,
        num_queries: int,
        criterion: nn.Module | None = None,
        pixel_mean: Sequence[float] = PIXEL_MEAN,
        pixel_std: Sequence[float] = PIXEL_STD,
        aux_loss: bool = True,
        as_two_stage: bool = False,
        select_box_nums_for_evaluation: int = 300,
        device: str | None = None,
    ) -> None:
        super().__init__(
            backbone,
            position_embedding,
            neck,
            transformer,
            embed_dim,
            num_classes,
            num_queries,
            pixel_mean,
            pixel_std,
            select_box_nums_for_evaluation,
            refines=True,
            as_two_stage=as_two_stage,
        )
        self.tgt_embed = None if as_two_stage else nn.Embedding(num_queries, embed_dim)
        self.refpoint_embed = None if as_two_stage else nn.Embedding(num_queries, 4)
        if self.tgt_embed is not None and self.refpoint_embed is not None:
            nn.init.zeros_(self.tgt_embed.weight)
            with torch.no_grad():
                anchors = inverse_sigmoid(torch.rand_like(self.refpoint_embed.weight))
                self.refpoint_embed.weight.copy_(anchors.clamp(-ANCHOR_LIMIT, ANCHOR_LIMIT))

    def query_arguments(self) -> tuple[Any, ...]:
        """(M, C + 4) learned contents and anchors, or None where the encoder proposes them."""
        if self.tgt_embed is None or self.refpoint_embed is None:
            return (None,)
        return (torch.cat([self.tgt_embed.weight, self.refpoint_embed.weight], dim=1),)
