"""Dynamic anchors: what DAB-Deformable-DETR and DINO share. A query's position follows from its box, in every layer.

Their first stages agree too: a token ranks by its best class, and only proposed tokens are reported.

Shape shorthand in this module: B images, Q queries, S tokens, M proposed tokens, V levels, C channels, K classes.

Source: DAB-DETR, arXiv:2201.12329, section 4; names as in detrex's projects/dab_deformable_detr and projects/dino.
"""

from torch import Tensor

from dsct_detrex.hosts.deformable_decoder import DeformableDetrTransformerDecoder
from dsct_detrex.hosts.multi_scale_host import MultiScaleHost
from dsct_detrex.hosts.multi_scale_transformer import FirstStage, MultiScaleTransformer
from dsct_detrex.layers.mlp import MLP
from dsct_detrex.layers.position_embedding import get_sine_pos_embed


class DynamicAnchorDecoder(DeformableDetrTransformerDecoder):
    """Query positions computed from the references of each layer.

    As in detrex, they come from references in the *padded* frame of the finest level, so they depend on how much
    padding a batch brings.

    Attributes:
        ref_point_head: (..., 2C) sine embedding of a box to (..., C).
    """

    ref_point_head: MLP

    def layer_query_pos(self, index: int, state: Tensor, query_pos: Tensor | None, scaled: Tensor) -> Tensor:
        """(B, Q, C) from the sine embedding of the (B, Q, V, 4) references on the finest level."""
        position: Tensor = self.ref_point_head(get_sine_pos_embed(scaled[:, :, 0]))
        return position


class DynamicAnchorTransformer(MultiScaleTransformer):
    """A first stage that ranks tokens by their best class and reports the proposed ones."""

    def proposal_scores(self, logits: Tensor) -> Tensor:
        """(B, S) the best class of each token."""
        return logits.max(-1).values

    def first_stage_outputs(self, first_stage: FirstStage) -> tuple[Tensor, ...]:
        """(B, M, C) states and (B, M, 4) boxes, sigmoid, of the proposed tokens."""
        return first_stage.take(first_stage.states), first_stage.take(first_stage.box_logits).sigmoid()


class DynamicAnchorHost(MultiScaleHost):
    """A host that reads its transformer's first stage as proposed states and boxes."""

    def predict_first_stage(self, enc_first: Tensor, enc_second: Tensor) -> tuple[Tensor, Tensor]:
        """(B, M, K) logits from (B, M, C) proposed states, and (B, M, 4) boxes as they are."""
        logits: Tensor = self.class_embed[-1](enc_first)
        return logits, enc_second
