"""Conditional DETR's transformer: a query looks where a point derived from its learned position lies.

Source: Conditional DETR, arXiv:2108.06152, section 3.3; keywords of ``ConditionalDetrTransformer`` and its parts in
detrex's projects/conditional_detr.
"""

from typing import Any

from torch import Tensor, nn

from dsct_detrex.hosts.single_scale_decoder import SingleScaleDecoder
from dsct_detrex.hosts.single_scale_encoder import SingleScaleEncoder
from dsct_detrex.hosts.single_scale_transformer import SingleScaleTransformer
from dsct_detrex.layers.conditional_attention import ConditionalCrossAttention, ConditionalSelfAttention
from dsct_detrex.layers.mlp import MLP
from dsct_detrex.layers.position_embedding import get_sine_pos_embed


class ConditionalDetrTransformerEncoder(SingleScaleEncoder):
    """The family's encoder; arguments as there.

    Args:
        activation: copied for each layer; PReLU if None.
    """

    def __init__(
        self,
        embed_dim: int = 256,
        num_heads: int = 8,
        attn_dropout: float = 0.1,
        feedforward_dim: int = 2048,
        ffn_dropout: float = 0.1,
        activation: nn.Module | None = None,
        post_norm: bool = False,
        num_layers: int = 6,
        batch_first: bool = False,
    ) -> None:
        super().__init__(
            embed_dim,
            num_heads,
            attn_dropout,
            feedforward_dim,
            ffn_dropout,
            nn.PReLU() if activation is None else activation,
            num_layers,
            post_norm,
            batch_first,
        )


class ConditionalDetrTransformerDecoder(SingleScaleDecoder):
    """The family's decoder with conditional attention and static points. The positions need C = 256.

    Args:
        activation: copied for each layer; PReLU if None.

    Attributes:
        query_scale: (..., C) state to (..., C) factors of the sine embedding of its point.
        ref_point_head: (..., C) position to (..., 2) point, before the sigmoid.
    """

    def __init__(
        self,
        embed_dim: int = 256,
        num_heads: int = 8,
        attn_dropout: float = 0.0,
        feedforward_dim: int = 2048,
        ffn_dropout: float = 0.0,
        activation: nn.Module | None = None,
        num_layers: int = 6,
        batch_first: bool = False,
        post_norm: bool = True,
        return_intermediate: bool = True,
    ) -> None:
        super().__init__(
            (
                ConditionalSelfAttention(embed_dim, num_heads, attn_drop=attn_dropout, batch_first=batch_first),
                ConditionalCrossAttention(embed_dim, num_heads, attn_drop=attn_dropout, batch_first=batch_first),
            ),
            embed_dim,
            feedforward_dim,
            ffn_dropout,
            nn.PReLU() if activation is None else activation,
            num_layers,
            post_norm,
            return_intermediate,
        )
        for layer in self.layers[1:]:
            attention = layer.get_submodule("attentions.1")
            assert isinstance(attention, ConditionalCrossAttention)
            attention.query_pos_proj = None
        self.query_scale = MLP(embed_dim, embed_dim, embed_dim, 2)
        self.ref_point_head = MLP(embed_dim, embed_dim, 2, 2)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, query_pos: Tensor | None = None, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """(L, B, M, C) states and (B, M, 2) points; arguments as for ``decode``."""
        assert query_pos is not None, "points come from positions"
        points = self.ref_point_head(query_pos).sigmoid()
        states, _ = self.decode(query, key, value, query_pos, points, **kwargs)
        return states.transpose(1, 2), points.transpose(0, 1)

    def layer_keywords(self, index: int, state: Tensor, query_pos: Tensor | None, references: Tensor) -> dict[str, Any]:
        """Constant position, and the sine embedding of the point."""
        sine = self.scale_by_state(index, state, get_sine_pos_embed(references))
        return {"query_pos": query_pos, "query_sine_embed": sine, "is_first_layer": index == 0}

    def scale_by_state(self, index: int, state: Tensor, sine: Tensor) -> Tensor:
        """(M, B, C) the centre's part of a sine embedding, scaled by the state from the second layer on."""
        scale = self.query_scale(state) if index > 0 else 1
        scaled: Tensor = sine[..., : self.embed_dim] * scale
        return scaled


class ConditionalDetrTransformer(SingleScaleTransformer):
    """Call it as ``transformer(x, mask, query_embed, pos_embed)``."""
