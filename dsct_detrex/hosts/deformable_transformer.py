"""Deformable DETR's transformer: learned queries with static or refined points, or the encoder's proposals.

Source: Deformable DETR, arXiv:2010.04159, section 4.1 and appendix; keywords of ``DeformableDetrTransformer`` in
detrex's projects/deformable_detr.
"""

from typing import Any

from torch import Tensor, nn

from dsct_detrex.hosts.deformable_decoder import DeformableDetrTransformerDecoder
from dsct_detrex.hosts.deformable_encoder import DeformableDetrTransformerEncoder
from dsct_detrex.hosts.multi_scale_transformer import FirstStage, MultiScaleTransformer
from dsct_detrex.layers.position_embedding import get_sine_pos_embed


class DeformableDetrTransformer(MultiScaleTransformer):
    """Call it as ``transformer(feats, masks, pos_embeds, query_embed)``.

    Shapes: B images, M context queries, S tokens, C channels. The two-stage form needs C = 256.
    """

    def __init__(
        self,
        encoder: DeformableDetrTransformerEncoder,
        decoder: DeformableDetrTransformerDecoder,
        num_feature_levels: int = 4,
        as_two_stage: bool = False,
        two_stage_num_proposals: int = 300,
    ) -> None:
        super().__init__(encoder, decoder, num_feature_levels, as_two_stage, two_stage_num_proposals)
        if as_two_stage:
            self.pos_trans = nn.Linear(self.embed_dim * 2, self.embed_dim * 2)
            self.pos_trans_norm = nn.LayerNorm(self.embed_dim * 2)
        else:
            self.reference_points = nn.Linear(self.embed_dim, 2)
        self.init_weights()

    def init_weights(self) -> None:
        """As the family's, and Xavier normal for the points of learned queries."""
        super().init_weights()
        if not self.as_two_stage:
            nn.init.xavier_normal_(self.reference_points.weight)
            nn.init.zeros_(self.reference_points.bias)

    def make_queries(self, memory: Tensor, first_stage: FirstStage | None, query_embed: Any) -> dict[str, Any]:
        """Queries of all images.

        Args:
            memory: (B, S, C).
            first_stage: of a two-stage transformer, else None.
            query_embed: (M, 2C) position half, then content half; None in a two-stage transformer, where position and
                content come from the proposed boxes.
        """
        if first_stage is None:
            query_pos, query = query_embed.expand(memory.shape[0], -1, -1).split(self.embed_dim, dim=-1)
            references = self.reference_points(query_pos).sigmoid()
        else:
            references = first_stage.references
            embedded = get_sine_pos_embed(references, exchange_xy=False)
            query_pos, query = self.pos_trans_norm(self.pos_trans(embedded)).split(self.embed_dim, dim=-1)
        return {"query": query, "key": None, "query_pos": query_pos, "reference_points": references}
