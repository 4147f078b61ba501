"""H-Deformable-DETR as a host: Deformable DETR trained with a second, one-to-many set of queries.

Detections come from the one-to-one queries alone, so a host has no use for the others beyond their rows in a
checkpoint: its transformer is called for the one-to-one queries only, in training and in evaluation.

Source: H-DETR, arXiv:2207.13080; keywords of ``HDeformableDETR`` in detrex's projects/h_deformable_detr.
"""

from collections.abc import Sequence
from typing import Any

from torch import nn

from dsct_detrex.hosts.deformable_detr import DeformableDETR
from dsct_detrex.hosts.errors import HostConfigError
from dsct_detrex.hosts.h_deformable_transformer import HDeformableDetrTransformer
from dsct_detrex.hosts.host import PIXEL_MEAN, PIXEL_STD


class HDeformableDETR(DeformableDETR):
    """H-Deformable-DETR without its own training.

    Args:
        transformer: its ``two_stage_num_proposals``, in detrex's configs that of both sets, becomes the number of
            one-to-one queries, as detrex's evaluation makes it.
        num_queries_one2one: context queries M.
        num_queries_one2many: queries that only detrex's training uses; they have rows in ``query_embedding``.
        with_box_refine, as_two_stage: as for ``DeformableDETR``.
        mixed_selection: whether two-stage queries learn their content, as the transformer's.
        criterion, aux_loss, device, k_one2many, lambda_one2many: accepted so that detrex's configs build, and unused.

    Raises:
        HostConfigError: as ``DeformableDETR``; another number of proposals than of one-to-one queries; and what detrex
            builds but cannot run: a two-stage transformer with ``mixed_selection`` in a host without, a decoder that
            looks forward twice without ``with_box_refine``.
    """

    transformer: HDeformableDetrTransformer

    def __init__(
        self,
        backbone: nn.Module,
        position_embedding: nn.Module,
        neck: nn.Module,
        transformer: HDeformableDetrTransformer,
        embed_dim: int,
        num_classes: int,
        num_queries_one2one: int,
        num_queries_one2many: int,
        criterion: nn.Module | None = None,
        pixel_mean: Sequence[float] = PIXEL_MEAN,
        pixel_std: Sequence[float] = PIXEL_STD,
        aux_loss: bool = True,
        with_box_refine: bool = False,
        as_two_stage: bool = False,
        select_box_nums_for_evaluation: int = 100,
        device: str | None = None,
        mixed_selection: bool = True,
        k_one2many: int = 6,
        lambda_one2many: float = 1.0,
    ) -> None:
        if as_two_stage and transformer.mixed_selection and not mixed_selection:
            raise HostConfigError("HDeformableDETR(mixed_selection=) expects its transformer's value, True. Got False.")
        if transformer.decoder.look_forward_twice and not with_box_refine:
            raise HostConfigError(
                "HDeformableDETR(with_box_refine=) expects True with a decoder that looks forward twice: without "
                "refined references there is nothing to look at. Got False; set it, or look_forward_twice=False."
            )
        both = num_queries_one2one + num_queries_one2many
        if as_two_stage and transformer.two_stage_num_proposals not in (num_queries_one2one, both):
            raise HostConfigError(
                f"HDeformableDETR(num_queries_one2one=) is what its transformer proposes: it expects "
                f"two_stage_num_proposals={num_queries_one2one} there (or {both}, as detrex writes it). "
                f"Got {transformer.two_stage_num_proposals}."
            )
        super().__init__(
            backbone,
            position_embedding,
            neck,
            transformer,
            embed_dim,
            num_classes,
            both,
            pixel_mean=pixel_mean,
            pixel_std=pixel_std,
            with_box_refine=with_box_refine,
            as_two_stage=as_two_stage,
            select_box_nums_for_evaluation=select_box_nums_for_evaluation,
        )
        self.num_queries_one2one = num_queries_one2one
        self.mixed_selection = mixed_selection
        if as_two_stage and mixed_selection:
            self.query_embedding = nn.Embedding(self.num_queries, embed_dim)
        transformer.two_stage_num_proposals = num_queries_one2one

    def query_arguments(self) -> tuple[Any, ...]:
        """(M, 2C or C) rows of the one-to-one queries, or None where the encoder proposes all of them; no mask."""
        (learned,) = super().query_arguments()
        return None if learned is None else learned[: self.num_queries_one2one], None
