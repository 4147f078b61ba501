"""DETR's transformer: learned positions query one map.

Source: DETR, arXiv:2005.12872, section 3.2; keywords of ``DetrTransformer`` and its parts in detrex's projects/detr.
"""

from typing import Any

from torch import Tensor, nn

from dsct_detrex.hosts.single_scale_decoder import SingleScaleDecoder
from dsct_detrex.hosts.single_scale_encoder import SingleScaleEncoder, expect_sequence_first
from dsct_detrex.hosts.single_scale_transformer import SingleScaleTransformer
from dsct_detrex.layers.attention import MultiheadAttention


class DetrTransformerEncoder(SingleScaleEncoder):
    """The family's encoder with ReLU; arguments as there."""

    def __init__(
        self,
        embed_dim: int = 256,
        num_heads: int = 8,
        attn_dropout: float = 0.1,
        feedforward_dim: int = 2048,
        ffn_dropout: float = 0.1,
        num_layers: int = 6,
        post_norm: bool = True,
        batch_first: bool = False,
    ) -> None:
        super().__init__(
            embed_dim,
            num_heads,
            attn_dropout,
            feedforward_dim,
            ffn_dropout,
            nn.ReLU(inplace=True),
            num_layers,
            post_norm,
            batch_first,
        )


class DetrTransformerDecoder(SingleScaleDecoder):
    """The family's decoder with plain attention and ReLU; queries have positions and no references."""

    def __init__(
        self,
        embed_dim: int = 256,
        num_heads: int = 8,
        attn_dropout: float = 0.1,
        feedforward_dim: int = 2048,
        ffn_dropout: float = 0.1,
        num_layers: int = 6,
        post_norm: bool = True,
        return_intermediate: bool = True,
        batch_first: bool = False,
    ) -> None:
        expect_sequence_first(self, batch_first)
        super().__init__(
            (
                MultiheadAttention(embed_dim, num_heads, attn_drop=attn_dropout),
                MultiheadAttention(embed_dim, num_heads, attn_drop=attn_dropout),
            ),
            embed_dim,
            feedforward_dim,
            ffn_dropout,
            nn.ReLU(inplace=True),
            num_layers,
            post_norm,
            return_intermediate,
        )

    def forward(self, query: Tensor, key: Tensor, value: Tensor, query_pos: Tensor, **kwargs: Any) -> Tensor:
        """(L, M, B, C) states; arguments as for ``decode``."""
        states, _ = self.decode(query, key, value, query_pos, query_pos[..., :0], **kwargs)
        return states


class DetrTransformer(SingleScaleTransformer):
    """Call it as ``transformer(x, mask, query_embed, pos_embed)``.

    Shapes: B images, M context queries, S = H * W tokens, L layers, C channels.
    """

    def forward(
        self, x: Tensor, mask: Tensor, queries: Tensor, pos_embed: Tensor, *more: Any, **keywords: Any
    ) -> tuple[Tensor, Tensor]:
        """(L, B, M, C) states and the (B, C, H, W) memory; arguments as for ``decoder_inputs``."""
        inputs = self.decoder_inputs(x, mask, queries, pos_embed, *more, **keywords)
        memory: Tensor = inputs["value"]
        return self.decoder(**inputs).transpose(1, 2), memory.permute(1, 2, 0).reshape(x.shape)

    def decoder_inputs(
        self, x: Tensor, mask: Tensor, queries: Tensor, pos_embed: Tensor, *more: Any, **keywords: Any
    ) -> dict[str, Any]:
        """As the family's, and ``key_padding_mask`` (B, S)."""
        inputs = super().decoder_inputs(x, mask, queries, pos_embed, *more, **keywords)
        return inputs | {"key_padding_mask": mask.flatten(1)}
