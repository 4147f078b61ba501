"""DAB-DETR as a host: learned anchor boxes as context queries, refined by one box head from layer to layer.

Source: DAB-DETR, arXiv:2201.12329; keywords of ``DABDETR`` in detrex's projects/dab_detr.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from dsct_detrex.hosts.heads import shared_heads
from dsct_detrex.hosts.host import PIXEL_MEAN, PIXEL_STD
from dsct_detrex.hosts.single_scale_host import SingleScaleHost
from dsct_detrex.hosts.single_scale_transformer import SingleScaleTransformer
from dsct_detrex.layers.boxes import inverse_sigmoid


class DABDETR(SingleScaleHost):
    """DAB-DETR without its own training.

    Args:
        transformer: its decoder gets the box head.
        freeze_anchor_box_centers: start from centres spread evenly over the image. As in detrex nothing is frozen,
            whatever the name says.
        criterion, aux_loss, device: accepted so that detrex's configs build, and unused: DSCT trains its subjects only,
            and a host lives on whatever device it is moved to.
    """

    def __init__(
        self,
        backbone: nn.Module,
        in_features: Sequence[str],
        in_channels: int,
        position_embedding: nn.Module,
        transformer: SingleScaleTransformer,
        embed_dim: int,
        num_classes: int,
        num_queries: int,
        criterion: nn.Module | None = None,
        aux_loss: bool = True,
        pixel_mean: Sequence[float] = PIXEL_MEAN,
        pixel_std: Sequence[float] = PIXEL_STD,
        freeze_anchor_box_centers: bool = True,
        select_box_nums_for_evaluation: int = 300,
        device: str | None = None,
    ) -> None:
        super().__init__(
            backbone,
            in_features,
            in_channels,
            position_embedding,
            transformer,
            embed_dim,
            num_classes,
            num_queries,
            pixel_mean,
            pixel_std,
            select_box_nums_for_evaluation,
        )
        self.anchor_box_embed = nn.Embedding(num_queries, 4)
        if freeze_anchor_box_centers:
            with torch.no_grad():
                centres = self.anchor_box_embed.weight[:, :2]
                centres.copy_(inverse_sigmoid(torch.rand_like(centres)))
        self.class_embed, self.bbox_embed = shared_heads(embed_dim, num_classes)
        transformer.decoder.bbox_embed = self.bbox_embed

    def query_arguments(self) -> tuple[Any, ...]:
        """(M, 4) anchors before the sigmoid."""
        return (self.anchor_box_embed.weight,)
