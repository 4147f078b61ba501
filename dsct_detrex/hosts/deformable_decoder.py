"""The decoder of the deformable family: queries attend to each other, then sample the memory around their references.

One loop serves all hosts of the family; a variant says where its query positions come from (``layer_query_pos``), how
it presents a state (``output_state``) and which references it reports (``look_forward_twice``).

Shape shorthand in this module: B images, Q queries, S tokens, V levels, L layers, C channels.

Source: Deformable DETR, arXiv:2010.04159, section 4.1 and appendix (iterative refinement); look forward twice, DINO,
arXiv:2203.03605, section 3.5; keywords of ``DeformableDetrTransformerDecoder`` in detrex's projects/deformable_detr.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.layers.attention import MultiheadAttention
from dsct_detrex.layers.boxes import apply_box_offsets
from dsct_detrex.layers.levels import scale_references
from dsct_detrex.layers.mlp import FFN
from dsct_detrex.layers.multi_scale_deform_attn import MultiScaleDeformableAttention
from dsct_detrex.layers.transformer_layer import BaseTransformerLayer, TransformerLayerSequence


class DeformableDetrTransformerDecoder(TransformerLayerSequence):
    """Post-norm layers of self-attention, deformable cross-attention and feed-forward, batch first.

    Args:
        feedforward_dim: hidden width of the feed-forward.
        return_intermediate: whether ``forward`` returns all layers or the last one only.
        num_feature_levels: levels that the cross-attention samples.
        look_forward_twice: whether reported references keep their gradient to the layer that refined them.
        use_checkpoint: trade time for memory in training.

    Attributes:
        bbox_embed: box heads, one for each layer (and one for the first stage), set by a host that refines; else None.
        class_embed: class heads likewise, set by a two-stage host; else None.
    """

    bbox_embed: nn.ModuleList | None
    class_embed: nn.ModuleList | None

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
        look_forward_twice: bool = False,
        use_checkpoint: bool = False,
    ) -> None:
        self_attention = MultiheadAttention(embed_dim, num_heads, attn_drop=attn_dropout, batch_first=True)
        cross_attention = MultiScaleDeformableAttention(
            embed_dim=embed_dim,
            num_heads=num_heads,
            num_levels=num_feature_levels,
            dropout=attn_dropout,
            batch_first=True,
        )
        layer = BaseTransformerLayer(
            attn=[self_attention, cross_attention],
            ffn=FFN(embed_dim, feedforward_dim, ffn_drop=ffn_dropout),
            norm=nn.LayerNorm(embed_dim),
            operation_order=("self_attn", "norm", "cross_attn", "norm", "ffn", "norm"),
        )
        super().__init__(layer, num_layers, use_checkpoint)
        self.embed_dim = embed_dim
        self.return_intermediate = return_intermediate
        self.look_forward_twice = look_forward_twice
        self.bbox_embed = None
        self.class_embed = None

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        query_pos: Tensor | None = None,
        key_pos: Tensor | None = None,
        attn_masks: Sequence[Tensor | None] | None = None,
        query_key_padding_mask: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        *,
        reference_points: Tensor,
        valid_ratios: Tensor,
        **kwargs: Any,
    ) -> tuple[Tensor, Tensor]:
        """Decode.

        Args:
            query: (B, Q, C) content.
            key: (B, S, C) or None; deformable attention reads ``value`` only.
            value: (B, S, C) memory.
            query_pos: (B, Q, C), or None where ``layer_query_pos`` computes it.
            attn_masks: [self-attention (Q, Q) or None, None]; True = blocked.
            key_padding_mask: (B, S) bool, True = padding.
            reference_points: (B, Q, 2) ``xy`` or (B, Q, 4) ``cxcywh``, or without B; sigmoid, unpadded frame.
            valid_ratios: (B, V, 2).
            kwargs: what the attention needs: ``spatial_shapes``, ``level_start_index``.

        Returns:
            (L, B, Q, C) states and (L, B, Q, 2 or 4) references *after* each layer, unpadded frame; the last layer's
            (B, Q, ...), its state as it left the layer, without ``return_intermediate``.
        """
        state, references = query, reference_points.expand(len(query), -1, -1)
        states, reported = [], []
        for index, layer in enumerate(self.layers):
            scaled = scale_references(references, valid_ratios)
            state = self.run_layer(
                layer,
                state,
                key,
                value,
                query_pos=self.layer_query_pos(index, state, query_pos, scaled),
                key_pos=key_pos,
                attn_masks=attn_masks,
                query_key_padding_mask=query_key_padding_mask,
                key_padding_mask=key_padding_mask,
                reference_points=scaled,
                **kwargs,
            )
            refined = references
            if self.bbox_embed is not None:
                refined = apply_box_offsets(self.bbox_embed[index](state), references)
                references = refined.detach()
            states.append(self.output_state(state))
            reported.append(refined if self.look_forward_twice else references)
        if not self.return_intermediate:
            return state, references
        return torch.stack(states), torch.stack(reported)

    def layer_query_pos(self, index: int, state: Tensor, query_pos: Tensor | None, scaled: Tensor) -> Tensor | None:
        """(B, Q, C) position of the queries in layer ``index``; here the same in all layers.

        Args:
            state: (B, Q, C) entering the layer.
            query_pos: (B, Q, C) as given to ``forward``.
            scaled: (B, Q, V, 2 or 4) references entering the layer, padded frame.
        """
        return query_pos

    def output_state(self, state: Tensor) -> Tensor:
        """(B, Q, C) state of a layer as the heads see it; here as it is."""
        return state
