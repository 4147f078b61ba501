"""H-Deformable-DETR's transformer: Deformable DETR's with an attention mask and "mixed" query selection.

Source: H-DETR, arXiv:2207.13080, section 3 (one-to-many branch); mixed selection, DINO, arXiv:2203.03605, section 3.4;
keywords of ``HDeformableDetrTransformer`` and its parts in detrex's projects/h_deformable_detr.
"""

from typing import Any

from torch import Tensor

from dsct_detrex.hosts.deformable_decoder import DeformableDetrTransformerDecoder
from dsct_detrex.hosts.deformable_encoder import DeformableDetrTransformerEncoder
from dsct_detrex.hosts.deformable_transformer import DeformableDetrTransformer
from dsct_detrex.hosts.multi_scale_transformer import FirstStage


class HDeformableDetrTransformerEncoder(DeformableDetrTransformerEncoder):
    """Deformable DETR's encoder under H-Deformable-DETR's name."""


class HDeformableDetrTransformerDecoder(DeformableDetrTransformerDecoder):
    """Deformable DETR's decoder, which looks forward twice unless told otherwise."""

    def __init__(
        self,
        embed_dim: int = 256,
        num_heads: int = 8,
        feedforward_dim: int = 1024,
        attn_dropout: float = 0.1,
        ffn_dropout: float = 0.1,
        num_layers: int = 6,
        return_intermediate: bool = True,
        num_feature_levels: int = 4,
        look_forward_twice: bool = True,
    ) -> None:
        super().__init__(
            embed_dim,
            num_heads,
            feedforward_dim,
            attn_dropout,
            ffn_dropout,
            num_layers,
            return_intermediate,
            num_feature_levels,
            look_forward_twice,
        )


class HDeformableDetrTransformer(DeformableDetrTransformer):
    """Call it as ``transformer(feats, masks, pos_embeds, query_embed, self_attn_mask)``.

    Args:
        mixed_selection: proposed queries learn their content; only their positions follow from the proposed boxes.
    """

    def __init__(
        self,
        encoder: DeformableDetrTransformerEncoder,
        decoder: DeformableDetrTransformerDecoder,
        num_feature_levels: int = 4,
        as_two_stage: bool = False,
        two_stage_num_proposals: int = 300,
        mixed_selection: bool = True,
    ) -> None:
        super().__init__(encoder, decoder, num_feature_levels, as_two_stage, two_stage_num_proposals)
        self.mixed_selection = mixed_selection

    def make_queries(
        self,
        memory: Tensor,
        first_stage: FirstStage | None,
        query_embed: Any,
        self_attn_mask: Tensor | None = None,
    ) -> dict[str, Any]:
        """Queries of all images.

        Args:
            memory: (B, S, C).
            first_stage: of a two-stage transformer, else None.
            query_embed: (M, 2C) position half, then content half; (M, C) content with mixed selection in a two-stage
                transformer, and None without it.
            self_attn_mask: (M, M) bool, True = blocked, which keeps one-to-one and one-to-many queries apart; None
                where there are no one-to-many queries.
        """
        queries = super().make_queries(memory, first_stage, query_embed)
        if first_stage is not None and self.mixed_selection:
            queries["query"] = query_embed.expand(memory.shape[0], -1, -1)
        return queries | {"attn_masks": [self_attn_mask, None]}
