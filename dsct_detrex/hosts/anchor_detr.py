"""Anchor DETR as a host: one map, patterns at anchor points, heads inside the transformer.

Source: Anchor DETR, arXiv:2109.07107; keywords of ``AnchorDETR`` in detrex's projects/anchor_detr.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from dsct_detrex.hosts.anchor_detr_transformer import AnchorDETRTransformer
from dsct_detrex.hosts.host import PIXEL_MEAN, PIXEL_STD, FeatureMaps, Host
from dsct_detrex.layers.levels import shrink_mask


class AnchorDETR(Host):
    """Anchor DETR without its own training. Context queries, points, positions and heads belong to its transformer.

    Args:
        in_features: names of backbone maps; the last one is read.
        in_channels: of that map.
        criterion, aux_loss, device: accepted so that detrex's configs build, and unused: DSCT trains its subjects only,
            and a host lives on whatever device it is moved to.
    """

    transformer: AnchorDETRTransformer

    def __init__(
        self,
        backbone: nn.Module,
        in_features: Sequence[str],
        in_channels: int,
        transformer: AnchorDETRTransformer,
        embed_dim: int,
        criterion: nn.Module | None = None,
        aux_loss: bool = True,
        pixel_mean: Sequence[float] = PIXEL_MEAN,
        pixel_std: Sequence[float] = PIXEL_STD,
        select_box_nums_for_evaluation: int = 100,
        device: str | None = None,
    ) -> None:
        super().__init__(
            backbone,
            None,
            transformer,
            embed_dim,
            transformer.num_classes,
            transformer.num_pattern * transformer.num_position,
            pixel_mean,
            pixel_std,
            select_box_nums_for_evaluation,
        )
        self.in_features = tuple(in_features)
        self.input_proj = nn.Sequential(nn.Conv2d(in_channels, embed_dim, kernel_size=1), nn.GroupNorm(32, embed_dim))

    def feature_maps(self, images: Tensor, mask: Tensor) -> FeatureMaps:
        """(B, C, H, W) map and its (B, H, W) padding."""
        features = self.input_proj(self.backbone(images)[self.in_features[-1]])
        return FeatureMaps(features, shrink_mask(mask, features.shape[-2:]), None)

    def transformer_arguments(self, maps: FeatureMaps) -> tuple[Any, ...]:
        """The map as the only one of its levels, and its padding."""
        return maps.features[:, None], maps.masks

    def query_arguments(self) -> tuple[Any, ...]:
        """Nothing."""
        return ()

    def predict(self, logits: Tensor, boxes: Tensor) -> dict[str, Tensor]:
        """What the transformer predicted: (L, B, M, K) logits and (L, B, M, 4) boxes."""
        return {"pred_logits": logits, "pred_boxes": boxes}
