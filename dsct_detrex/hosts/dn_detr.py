"""DN-DETR as a host: DAB-DETR whose context queries carry the label "no object" and the mark "not a denoising query".

Source: DN-DETR, arXiv:2203.01305; keywords of ``DNDETR`` in detrex's projects/dn_detr.
"""

from collections.abc import Sequence
from typing import Any

from torch import nn

from dsct_detrex.hosts.dab_detr import DABDETR
from dsct_detrex.hosts.dn_detr_transformer import DNDetrTransformer
from dsct_detrex.hosts.host import PIXEL_MEAN, PIXEL_STD


class LabelTable(nn.Module):
    """Content of a query that carries a label, under the name that it has in checkpoints.

    Attributes:
        label_encoder: one row for each class, and a last one for "no object".
    """

    def __init__(self, num_classes: int, channels: int) -> None:
        super().__init__()
        self.label_encoder = nn.Embedding(num_classes + 1, channels)


class DNDETR(DABDETR):
    """DN-DETR without its own training.

    Args:
        with_indicator: whether the last channel of a query's content marks denoising queries (1) and others (0).
        criterion, aux_loss, device, denoising_groups, label_noise_prob, box_noise_scale: accepted so that detrex's
            configs build, and unused: denoising in DSCT belongs to the subjects, and a host lives on whatever device it
            is moved to.
    """

    def __init__(
        self,
        backbone: nn.Module,
        in_features: Sequence[str],
        in_channels: int,
        position_embedding: nn.Module,
        transformer: DNDetrTransformer,
        embed_dim: int,
        num_classes: int,
        num_queries: int,
        criterion: nn.Module | None = None,
        aux_loss: bool = True,
        pixel_mean: Sequence[float] = PIXEL_MEAN,
        pixel_std: Sequence[float] = PIXEL_STD,
        freeze_anchor_box_centers: bool = True,
        select_box_nums_for_evaluation: int = 300,
        denoising_groups: int = 5,
        label_noise_prob: float = 0.2,
        box_noise_scale: float = 0.4,
        with_indicator: bool = True,
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
            pixel_mean=pixel_mean,
            pixel_std=pixel_std,
            freeze_anchor_box_centers=freeze_anchor_box_centers,
            select_box_nums_for_evaluation=select_box_nums_for_evaluation,
        )
        self.denoising_generator = LabelTable(num_classes, embed_dim - int(with_indicator))

    def query_arguments(self) -> tuple[Any, ...]:
        """(M, 1, 4) anchors before the sigmoid, (M, 1, C) content, and no masks."""
        no_object = self.denoising_generator.label_encoder.weight[-1]
        content = nn.functional.pad(no_object, (0, self.embed_dim - len(no_object)))
        return self.anchor_box_embed.weight[:, None], content.expand(self.num_queries, 1, -1), (None, None)
