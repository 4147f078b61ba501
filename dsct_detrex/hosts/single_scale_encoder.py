"""The encoder of the single-scale family: every position of one map attends to every other.

Source: DETR, arXiv:2005.12872, section 3.2 and appendix.
"""

from typing import Any

from torch import Tensor, nn

from dsct_detrex.hosts.errors import HostConfigError
from dsct_detrex.layers.attention import MultiheadAttention
from dsct_detrex.layers.mlp import FFN
from dsct_detrex.layers.transformer_layer import BaseTransformerLayer, TransformerLayerSequence


class SingleScaleEncoder(TransformerLayerSequence):
    """Post-norm layers of self-attention and feed-forward, sequence first.

    Args:
        feedforward_dim: hidden width of the feed-forward.
        activation: of the feed-forward, copied for each layer.
        post_norm: one more norm after the last layer.
        batch_first: see ``expect_sequence_first``.

    Attributes:
        query_scale: (..., C) state entering a layer to (..., C) factors of the positions there; None: no factors.
    """

    query_scale: nn.Module | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        attn_dropout: float,
        feedforward_dim: int,
        ffn_dropout: float,
        activation: nn.Module,
        num_layers: int,
        post_norm: bool,
        batch_first: bool,
    ) -> None:
        expect_sequence_first(self, batch_first)
        layer = BaseTransformerLayer(
            attn=MultiheadAttention(embed_dim, num_heads, attn_drop=attn_dropout),
            ffn=FFN(embed_dim, feedforward_dim, activation=activation, ffn_drop=ffn_dropout),
            norm=nn.LayerNorm(embed_dim),
            operation_order=("self_attn", "norm", "ffn", "norm"),
        )
        super().__init__(layer, num_layers)
        self.embed_dim = embed_dim
        self.query_scale = None
        self.post_norm_layer = nn.LayerNorm(embed_dim) if post_norm else None

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        query_pos: Tensor | None = None,
        query_key_padding_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Encode.

        Args:
            query: (S, B, C) tokens.
            key: unused; positions attend to each other.
            value: likewise.
            query_pos: (S, B, C).
            query_key_padding_mask: (B, S) bool, True = padding.
            kwargs: what else the layers take.

        Returns:
            (S, B, C) memory.
        """
        assert query_pos is not None, "a map has positions"
        for layer in self.layers:
            position = query_pos if self.query_scale is None else query_pos * self.query_scale(query)
            query = self.run_layer(
                layer, query, query_pos=position, query_key_padding_mask=query_key_padding_mask, **kwargs
            )
        return query if self.post_norm_layer is None else self.post_norm_layer(query)


def expect_sequence_first(part: object, batch_first: bool) -> None:
    """Refuse a layout that detrex's keyword offers and its transformers, which hand on (S, B, C) maps, never meant.

    Raises:
        HostConfigError: ``batch_first`` is True.
    """
    if batch_first:
        raise HostConfigError(f"{type(part).__name__}(batch_first=) expects False: maps come sequence first. Got True.")
