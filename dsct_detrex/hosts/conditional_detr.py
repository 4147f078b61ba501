"""Conditional DETR as a host: learned positions, a static point derived from each, boxes relative to it.

Source: Conditional DETR, arXiv:2108.06152; keywords of ``ConditionalDETR`` in detrex's projects/conditional_detr.
"""

from collections.abc import Sequence

from torch import nn

from dsct_detrex.hosts.conditional_detr_transformer import ConditionalDetrTransformer
from dsct_detrex.hosts.heads import shared_heads
from dsct_detrex.hosts.host import PIXEL_MEAN, PIXEL_STD
from dsct_detrex.hosts.single_scale_host import SingleScaleHost


class ConditionalDETR(SingleScaleHost):
    """Conditional DETR without its own training.

    Args:
        criterion, aux_loss, device: accepted so that detrex's configs build, and unused: DSCT trains its subjects only,
            and a host lives on whatever device it is moved to.
    """

    def __init__(
        self,
        backbone: nn.Module,
        in_features: Sequence[str],
        in_channels: int,
        position_embedding: nn.Module,
        transformer: ConditionalDetrTransformer,
        embed_dim: int,
        num_classes: int,
        num_queries: int,
        criterion: nn.Module | None = None,
        aux_loss: bool = True,
        pixel_mean: Sequence[float] = PIXEL_MEAN,
        pixel_std: Sequence[float] = PIXEL_STD,
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
        self.query_embed = nn.Embedding(num_queries, embed_dim)
        self.class_embed, self.bbox_embed = shared_heads(embed_dim, num_classes)
