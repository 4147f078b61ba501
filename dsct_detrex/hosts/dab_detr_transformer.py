"""DAB-DETR's transformer: a query is a box; its centre says where to look, its size how far around.

Source: DAB-DETR, arXiv:2201.12329, section 4; keywords of ``DabDetrTransformer`` and its parts in detrex's
projects/dab_detr.
"""

from typing import Any

from torch import Tensor, nn

from dsct_detrex.hosts.conditional_detr_transformer import (
    ConditionalDetrTransformerDecoder,
    ConditionalDetrTransformerEncoder,
)
from dsct_detrex.hosts.single_scale_transformer import SingleScaleTransformer
from dsct_detrex.layers.conditional_attention import modulate_by_size
from dsct_detrex.layers.mlp import MLP
from dsct_detrex.layers.position_embedding import get_sine_pos_embed


class DabDetrTransformerEncoder(ConditionalDetrTransformerEncoder):
    """The family's encoder with ``query_scale``; arguments as for ``ConditionalDetrTransformerEncoder``."""

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
            activation,
            post_norm,
            num_layers,
            batch_first,
        )
        self.query_scale = MLP(embed_dim, embed_dim, embed_dim, 2)


class DabDetrTransformerDecoder(ConditionalDetrTransformerDecoder):
    """Conditional attention around boxes, which a host's one box head refines from layer to layer.

    Args:
        modulate_hw_attn: whether the size of the box stretches where a query looks.

    Attributes:
        ref_point_head: (..., 2C) sine embedding of a box to (..., C) position.
        ref_anchor_head: (..., C) state to (..., 2) width and height that it asks for, before the sigmoid.
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
        modulate_hw_attn: bool = True,
        batch_first: bool = False,
        post_norm: bool = True,
        return_intermediate: bool = True,
    ) -> None:
        super().__init__(
            embed_dim,
            num_heads,
            attn_dropout,
            feedforward_dim,
            ffn_dropout,
            activation,
            num_layers,
            batch_first,
            post_norm,
            return_intermediate,
        )
        self.modulate_hw_attn = modulate_hw_attn
        self.ref_point_head = MLP(2 * embed_dim, embed_dim, embed_dim, 2)
        if modulate_hw_attn:
            self.ref_anchor_head = MLP(embed_dim, embed_dim, 2, 2)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        query_pos: Tensor | None = None,
        anchor_box_embed: Tensor | None = None,
        **kwargs: Any,
    ) -> tuple[Tensor, Tensor]:
        """Decode.

        Args:
            query: (M, B, C); so the others, see ``decode``.
            query_pos: unused: positions come from the boxes.
            anchor_box_embed: (M, B, 4) ``cxcywh`` before the sigmoid, unpadded frame; always given.

        Returns:
            (L, B, M, C) states and (L, B, M, 4) boxes entering each layer, sigmoid.
        """
        assert anchor_box_embed is not None, "queries are boxes"
        states, boxes = self.decode(query, key, value, None, anchor_box_embed.sigmoid(), **kwargs)
        return states.transpose(1, 2), boxes.transpose(1, 2)

    def layer_keywords(self, index: int, state: Tensor, query_pos: Tensor | None, references: Tensor) -> dict[str, Any]:
        """Position and sine embedding of the box."""
        embedded = get_sine_pos_embed(references)
        sine = self.scale_by_state(index, state, embedded)
        if self.modulate_hw_attn:
            sine = modulate_by_size(sine, self.ref_anchor_head(state).sigmoid(), references)
        return {
            "query_pos": self.ref_point_head(embedded),
            "query_sine_embed": sine,
            "is_first_layer": index == 0,
        }


class DabDetrTransformer(SingleScaleTransformer):
    """Call it as ``transformer(x, mask, anchor_box_embed, pos_embed)``.

    Shapes: B images, M context queries, P patterns, S = H * W tokens, C channels.

    Args:
        num_patterns: every anchor becomes that many queries, one for each learned content; 0: one without content.
    """

    def __init__(
        self, encoder: DabDetrTransformerEncoder, decoder: DabDetrTransformerDecoder, num_patterns: int = 0
    ) -> None:
        super().__init__(encoder, decoder)
        self.num_patterns = num_patterns
        if num_patterns > 0:
            self.patterns = nn.Embedding(num_patterns, self.embed_dim)
            nn.init.xavier_uniform_(self.patterns.weight)

    def make_queries(self, memory: Tensor, queries: Tensor) -> dict[str, Any]:
        """``query`` (M, B, C) and ``anchor_box_embed`` (M, B, 4), pattern after pattern, from (M / P, 4) anchors."""
        batch_size, count = memory.shape[1], len(queries)
        if self.num_patterns == 0:
            content = memory.new_zeros(count, batch_size, self.embed_dim)
        else:
            content = self.patterns.weight.repeat_interleave(count, 0)[:, None].repeat(1, batch_size, 1)
            queries = queries.repeat(self.num_patterns, 1)
        return {"query": content, "anchor_box_embed": queries[:, None].repeat(1, batch_size, 1)}
