"""Deformable DETR as a host: learned context queries, optionally refined layer by layer, optionally proposed.

Source: Deformable DETR, arXiv:2010.04159; keywords of ``DeformableDETR`` in detrex's projects/deformable_detr.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from dsct_detrex.hosts.deformable_transformer import DeformableDetrTransformer
from dsct_detrex.hosts.errors import HostConfigError
from dsct_detrex.hosts.host import PIXEL_MEAN, PIXEL_STD
from dsct_detrex.hosts.multi_scale_host import MultiScaleHost


class DeformableDETR(MultiScaleHost):
    """Deformable DETR without its own training.

    Args:
        with_box_refine: heads for each layer, references refined by them; otherwise one shared pair, static references.
        as_two_stage: context queries proposed by the encoder; needs ``with_box_refine`` and a two-stage transformer.
        criterion, aux_loss, device: accepted so that detrex's configs build, and unused: DSCT trains its subjects only,
            and a host lives on whatever device it is moved to.

    Raises:
        HostConfigError: ``as_two_stage`` without ``with_box_refine``.
    """

    def __init__(
        self,
        backbone: nn.Module,
        position_embedding: nn.Module,
        neck: nn.Module,
        transformer: DeformableDetrTransformer,
        embed_dim: int,
        num_classes: int,
        num_queries: int,
        criterion: nn.Module | None = None,
        pixel_mean: Sequence[float] = PIXEL_MEAN,
        pixel_std: Sequence[float] = PIXEL_STD,
        aux_loss: bool = True,
        with_box_refine: bool = False,
        as_two_stage: bool = False,
        select_box_nums_for_evaluation: int = 100,
        device: str | None = None,
    ) -> None:
        if as_two_stage and not with_box_refine:
            raise HostConfigError(f"{type(self).__name__}(as_two_stage=True) expects with_box_refine=True. Got False.")
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
            refines=with_box_refine,
            as_two_stage=as_two_stage,
        )
        self.with_box_refine = with_box_refine
        self.query_embedding = None if as_two_stage else nn.Embedding(num_queries, embed_dim * 2)

    def query_arguments(self) -> tuple[Any, ...]:
        """(M, 2C) learned queries, or None where the encoder proposes them."""
        learned: Tensor | None = None if self.query_embedding is None else self.query_embedding.weight
        return (learned,)
