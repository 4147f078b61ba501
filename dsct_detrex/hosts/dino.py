"""DINO as a host: anchors proposed by the encoder, refined layer by layer with "look forward twice".

Source: DINO, arXiv:2203.03605; keywords of ``DINO`` in detrex's projects/dino.
"""

from collections.abc import Sequence
from typing import Any

from torch import nn

from dsct_detrex.hosts.dino_transformer import DINOTransformer
from dsct_detrex.hosts.dynamic_anchors import DynamicAnchorHost
from dsct_detrex.hosts.host import PIXEL_MEAN, PIXEL_STD


class DINO(DynamicAnchorHost):
    """DINO without its own training.

    Args:
        criterion, aux_loss, device, dn_number, label_noise_ratio, box_noise_scale, input_format, vis_period: accepted
            so that detrex's configs build, and unused: denoising in DSCT belongs to the subjects, and a host lives on
            whatever device it is moved to.

    Attributes:
        label_enc: content of denoising queries, kept for its key in checkpoints.
    """

    def __init__(
        self,
        backbone: nn.Module,
        position_embedding: nn.Module,
        neck: nn.Module,
        transformer: DINOTransformer,
        embed_dim: int,
        num_classes: int,
        num_queries: int,
        criterion: nn.Module | None = None,
        pixel_mean: Sequence[float] = PIXEL_MEAN,
        pixel_std: Sequence[float] = PIXEL_STD,
        aux_loss: bool = True,
        select_box_nums_for_evaluation: int = 300,
        device: str | None = None,
        dn_number: int = 100,
        label_noise_ratio: float = 0.2,
        box_noise_scale: float = 1.0,
        input_format: str = "RGB",
        vis_period: int = 0,
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
            as_two_stage=True,
        )
        self.label_enc = nn.Embedding(num_classes, embed_dim)

    def query_arguments(self) -> tuple[Any, ...]:
        """No extra queries, no masks."""
        return (None, None), (None, None)
