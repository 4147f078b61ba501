"""DINO's transformer: anchors from the encoder, content learned ("mixed query selection"), positions from the anchors.

Source: DINO, arXiv:2203.03605, sections 3.4 and 3.5; keywords of ``DINOTransformer`` and its parts in detrex's
projects/dino.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.hosts.deformable_encoder import DeformableDetrTransformerEncoder
from dsct_detrex.hosts.dynamic_anchors import DynamicAnchorDecoder, DynamicAnchorTransformer
from dsct_detrex.hosts.multi_scale_transformer import FirstStage
from dsct_detrex.layers.mlp import MLP


class DINOTransformerEncoder(DeformableDetrTransformerEncoder):
    """Deformable DETR's encoder under DINO's name."""


class DINOTransformerDecoder(DynamicAnchorDecoder):
    """States normed for the heads, not for refinement.

    detrex's default ``use_checkpoint=True``, which all its configs switch off, is False here.
    """

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
        use_checkpoint: bool = False,
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
            use_checkpoint,
        )
        self.ref_point_head = MLP(2 * embed_dim, embed_dim, embed_dim, 2)
        self.norm = nn.LayerNorm(embed_dim)

    def output_state(self, state: Tensor) -> Tensor:
        """(B, Q, C) normed."""
        normed: Tensor = self.norm(state)
        return normed


class DINOTransformer(DynamicAnchorTransformer):
    """Call it as ``transformer(feats, masks, pos_embeds, (labels, boxes), attn_masks=[mask, None])``.

    Shapes: B images, M context queries, D denoising queries, S tokens, C channels. Needs C = 256.

    Args:
        learnt_init_query: whether the content is learned (``tgt_embed``) or taken from the proposed tokens.
    """

    def __init__(
        self,
        encoder: DeformableDetrTransformerEncoder,
        decoder: DINOTransformerDecoder,
        num_feature_levels: int = 4,
        two_stage_num_proposals: int = 900,
        learnt_init_query: bool = True,
    ) -> None:
        super().__init__(encoder, decoder, num_feature_levels, True, two_stage_num_proposals)
        self.learnt_init_query = learnt_init_query
        if learnt_init_query:
            self.tgt_embed = nn.Embedding(two_stage_num_proposals, self.embed_dim)
        self.init_weights()

    def make_queries(
        self,
        memory: Tensor,
        first_stage: FirstStage | None,
        query_embed: tuple[Tensor | None, Tensor | None] = (None, None),
        attn_masks: Sequence[Tensor | None] = (None, None),
    ) -> dict[str, Any]:
        """Queries of all images, extra ones in front.

        Args:
            memory: (B, S, C).
            first_stage: the proposals.
            query_embed: (B, D, C) content and (B, D, 4) box logits of extra (denoising) queries, or Nones.
            attn_masks: [(D + M, D + M) bool, True = blocked, or None; None], for self- and cross-attention.
        """
        assert first_stage is not None
        references = first_stage.references
        if self.learnt_init_query:
            content = self.tgt_embed.weight.expand(memory.shape[0], -1, -1)
        else:
            content = first_stage.content
        extra_content, extra_boxes = query_embed
        if extra_content is not None and extra_boxes is not None:
            content = torch.cat([extra_content, content], 1)
            references = torch.cat([extra_boxes.sigmoid(), references], 1)
        return {
            "query": content,
            "key": memory,
            "query_pos": None,
            "reference_points": references,
            "attn_masks": list(attn_masks),
        }
