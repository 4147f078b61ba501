"""The encoder of the deformable family: every position of every level looks at a few others.

Source: Deformable DETR, arXiv:2010.04159, section 4.1; keywords of ``DeformableDetrTransformerEncoder`` in detrex's
projects/deformable_detr.
"""

from typing import Any

from torch import Tensor, nn

from dsct_detrex.layers.mlp import FFN
from dsct_detrex.layers.multi_scale_deform_attn import MultiScaleDeformableAttention
from dsct_detrex.layers.transformer_layer import BaseTransformerLayer, TransformerLayerSequence


class DeformableDetrTransformerEncoder(TransformerLayerSequence):
    """Post-norm layers of deformable self-attention and feed-forward, batch first.

    Args:
        feedforward_dim: hidden width of the feed-forward.
        post_norm: one more norm after the last layer.
        num_feature_levels: levels that the attention samples.
        use_checkpoint: trade time for memory in training.
    """

    def __init__(
        self,
        embed_dim: int = 256,
        num_heads: int = 8,
        feedforward_dim: int = 1024,
        attn_dropout: float = 0.1,
        ffn_dropout: float = 0.1,
        num_layers: int = 6,
        post_norm: bool = False,
        num_feature_levels: int = 4,
        use_checkpoint: bool = False,
    ) -> None:
        layer = BaseTransformerLayer(
            attn=MultiScaleDeformableAttention(
                embed_dim=embed_dim,
                num_heads=num_heads,
                num_levels=num_feature_levels,
                dropout=attn_dropout,
                batch_first=True,
            ),
            ffn=FFN(embed_dim, feedforward_dim, ffn_drop=ffn_dropout),
            norm=nn.LayerNorm(embed_dim),
            operation_order=("self_attn", "norm", "ffn", "norm"),
        )
        super().__init__(layer, num_layers, use_checkpoint)
        self.embed_dim = embed_dim
        self.post_norm_layer = nn.LayerNorm(embed_dim) if post_norm else None

    def forward(
        self,
        query: Tensor,
        query_pos: Tensor | None = None,
        query_key_padding_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Encode.

        Args:
            query: (B, S, C) tokens.
            query_pos: (B, S, C).
            query_key_padding_mask: (B, S) bool, True = padding.
            kwargs: what the attention needs: ``reference_points`` (B, S, V, 2), ``spatial_shapes``,
                ``level_start_index``.

        Returns:
            (B, S, C) memory.
        """
        for layer in self.layers:
            query = self.run_layer(
                layer, query, query_pos=query_pos, query_key_padding_mask=query_key_padding_mask, **kwargs
            )
        return query if self.post_norm_layer is None else self.post_norm_layer(query)
