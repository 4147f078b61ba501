"""DAB-Deformable-DETR's transformer: every query is an anchor box and a content, learned or proposed.

Source: DAB-DETR, arXiv:2201.12329, section 4; keywords of ``DabDeformableDetrTransformer`` and its parts in detrex's
projects/dab_deformable_detr.
"""

from typing import Any

from torch import Tensor

from dsct_detrex.hosts.deformable_encoder import DeformableDetrTransformerEncoder
from dsct_detrex.hosts.dynamic_anchors import DynamicAnchorDecoder, DynamicAnchorTransformer
from dsct_detrex.hosts.multi_scale_transformer import FirstStage
from dsct_detrex.layers.mlp import MLP


class DabDeformableDetrTransformerEncoder(DeformableDetrTransformerEncoder):
    """Deformable DETR's encoder under DAB-Deformable-DETR's name."""


class DabDeformableDetrTransformerDecoder(DynamicAnchorDecoder):
    """Positions follow from the references; from the second layer on, the content scales them channel by channel."""

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
        )
        self.query_scale = MLP(embed_dim, embed_dim, embed_dim, 2)
        self.ref_point_head = MLP(2 * embed_dim, embed_dim, embed_dim, 2)

    def layer_query_pos(self, index: int, state: Tensor, query_pos: Tensor | None, scaled: Tensor) -> Tensor:
        """(B, Q, C) from the references, scaled by the (B, Q, C) states that enter the layer."""
        position = super().layer_query_pos(index, state, query_pos, scaled)
        scale: Tensor | int = self.query_scale(state) if index > 0 else 1
        return scale * position


class DabDeformableDetrTransformer(DynamicAnchorTransformer):
    """Call it as ``transformer(feats, masks, pos_embeds, query_embed)``.

    Shapes: B images, M context queries, S tokens, C channels. Needs C = 256.
    """

    def __init__(
        self,
        encoder: DeformableDetrTransformerEncoder,
        decoder: DabDeformableDetrTransformerDecoder,
        as_two_stage: bool = False,
        num_feature_levels: int = 4,
        two_stage_num_proposals: int = 300,
    ) -> None:
        super().__init__(encoder, decoder, num_feature_levels, as_two_stage, two_stage_num_proposals)
        self.init_weights()

    def make_queries(self, memory: Tensor, first_stage: FirstStage | None, query_embed: Any) -> dict[str, Any]:
        """Queries of all images. Learned references are those of every image, (M, 4) as in detrex.

        Args:
            memory: (B, S, C).
            first_stage: of a two-stage transformer, else None.
            query_embed: (M, C + 4) content, then box logits; None in a two-stage transformer, where both are proposed.
        """
        if first_stage is None:
            content = query_embed[:, : self.embed_dim].expand(memory.shape[0], -1, -1)
            references = query_embed[:, self.embed_dim :].sigmoid()
        else:
            content, references = first_stage.content, first_stage.references
        return {"query": content, "key": memory, "query_pos": None, "reference_points": references}
