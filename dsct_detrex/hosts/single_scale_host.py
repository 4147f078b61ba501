"""The hosts of the single-scale family: the last map of the backbone, projected, feeds the transformer.

Shape shorthand in this module: B images, M context queries, L decoder layers, K classes, C channels.

Source: DETR, arXiv:2005.12872, section 3.2; constructor keywords as in detrex's projects.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from dsct_detrex.hosts.host import PIXEL_MEAN, PIXEL_STD, FeatureMaps, Host
from dsct_detrex.hosts.single_scale_transformer import SingleScaleTransformer
from dsct_detrex.layers.boxes import apply_box_offsets
from dsct_detrex.layers.levels import shrink_mask


class SingleScaleHost(Host):
    """Base of the hosts with one map.

    Args:
        in_features: names of backbone maps; the last one is read.
        in_channels: of that map.

    Attributes:
        query_embed: learned positions of the queries, where they have such.
        class_embed: (..., C) states to (..., K) logits, one head for all layers.
        bbox_embed: (..., C) states to (..., 4) boxes, or offsets from references, before the sigmoid; likewise one.
    """

    position_embedding: nn.Module
    transformer: SingleScaleTransformer
    query_embed: nn.Embedding
    class_embed: nn.Module
    bbox_embed: nn.Module

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
        pixel_mean: Sequence[float] = PIXEL_MEAN,
        pixel_std: Sequence[float] = PIXEL_STD,
        select_box_nums_for_evaluation: int = 300,
    ) -> None:
        super().__init__(
            backbone,
            position_embedding,
            transformer,
            embed_dim,
            num_classes,
            num_queries,
            pixel_mean,
            pixel_std,
            select_box_nums_for_evaluation,
        )
        self.in_features = tuple(in_features)
        self.input_proj = nn.Conv2d(in_channels, embed_dim, kernel_size=1)

    def feature_maps(self, images: Tensor, mask: Tensor) -> FeatureMaps:
        """(B, C, H, W) map, its (B, H, W) padding and (B, C, H, W) positions."""
        features = self.input_proj(self.backbone(images)[self.in_features[-1]])
        padding = shrink_mask(mask, features.shape[-2:])
        return FeatureMaps(features, padding, self.position_embedding(padding))

    def transformer_arguments(self, maps: FeatureMaps) -> tuple[Any, ...]:
        """Map, padding, queries, positions, and what else the queries need: see ``query_arguments``."""
        queries, *more = self.query_arguments()
        return maps.features, maps.masks, queries, maps.positions, *more

    def query_arguments(self) -> tuple[Any, ...]:
        """What the transformer takes between padding and positions, then what it takes behind them.

        Here ``query_embed``, (M, C) learned positions.
        """
        return (self.query_embed.weight,)

    def predict(self, states: Tensor, references: Tensor) -> dict[str, Tensor]:
        """Heads of every layer; here each box is relative to the reference that entered its layer.

        Args:
            states: (L, B, M, C).
            references: (L, B, M, 4) boxes entering each layer, or (B, M, 2) points.

        Returns:
            as ``forward``.
        """
        boxes = apply_box_offsets(self.bbox_embed(states), references)
        return {"pred_logits": self.class_embed(states), "pred_boxes": boxes}
