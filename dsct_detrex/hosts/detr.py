"""DETR as a host: learned positions as context queries, boxes without references, softmax over classes and "nothing".

Source: DETR, arXiv:2005.12872; keywords of ``DETR`` in detrex's projects/detr.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dsct_detrex.hosts.detr_transformer import DetrTransformer
from dsct_detrex.hosts.host import PIXEL_MEAN, PIXEL_STD
from dsct_detrex.hosts.single_scale_host import SingleScaleHost
from dsct_detrex.layers.mlp import MLP


class DETR(SingleScaleHost):
    """DETR without its own training. Its logits are K + 1, the last one for "no object".

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
        transformer: DetrTransformer,
        embed_dim: int,
        num_classes: int,
        num_queries: int,
        criterion: nn.Module | None = None,
        aux_loss: bool = True,
        pixel_mean: Sequence[float] = PIXEL_MEAN,
        pixel_std: Sequence[float] = PIXEL_STD,
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
            select_box_nums_for_evaluation=num_queries,
        )
        self.query_embed = nn.Embedding(num_queries, embed_dim)
        self.class_embed = nn.Linear(embed_dim, num_classes + 1)
        self.bbox_embed = MLP(embed_dim, embed_dim, 4, 3)

    def predict(self, states: Tensor, memory: Tensor) -> dict[str, Tensor]:
        """Heads of every layer, from (L, B, M, C) states; the (B, C, H, W) memory is not read."""
        return {"pred_logits": self.class_embed(states), "pred_boxes": self.bbox_embed(states).sigmoid()}

    def choose_detections(self, box_cls: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, M) scores, classes and queries, from (B, M, K + 1) logits: every query, with its best class."""
        scores, classes = box_cls.softmax(-1)[..., :-1].max(-1)
        return scores, classes, torch.arange(scores.shape[1], device=scores.device).expand_as(classes)
