"""The decoder of the single-scale family: queries attend to each other, then to all of one map.

One loop serves DETR, Conditional DETR, DAB-DETR and DN-DETR; a variant says what each layer receives besides content,
keys and values (``layer_keywords``) and which references it starts from (``forward``).

Shape shorthand in this module: B images, Q queries, S tokens, L layers, C channels; sequence first.

Source: DETR, arXiv:2005.12872, section 3.2; iterative refinement, DAB-DETR, arXiv:2201.12329, section 4.2.
"""

from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.layers.boxes import apply_box_offsets
from dsct_detrex.layers.mlp import FFN
from dsct_detrex.layers.transformer_layer import BaseTransformerLayer, TransformerLayerSequence


class SingleScaleDecoder(TransformerLayerSequence):
    """Post-norm layers of self-attention, cross-attention and feed-forward.

    Args:
        attentions: self- and cross-attention, copied for each layer.
        feedforward_dim: hidden width of the feed-forward.
        activation: of the feed-forward, copied for each layer.
        post_norm: norm the state of each layer for the heads, not for the next layer.
        return_intermediate: whether all layers are reported or the last one only.

    Attributes:
        bbox_embed: the one box head of all layers, set by a host that refines; else None.
    """

    bbox_embed: nn.Module | None

    def __init__(
        self,
        attentions: tuple[nn.Module, nn.Module],
        embed_dim: int,
        feedforward_dim: int,
        ffn_dropout: float,
        activation: nn.Module,
        num_layers: int,
        post_norm: bool,
        return_intermediate: bool,
    ) -> None:
        layer = BaseTransformerLayer(
            attn=attentions,
            ffn=FFN(embed_dim, feedforward_dim, activation=activation, ffn_drop=ffn_dropout),
            norm=nn.LayerNorm(embed_dim),
            operation_order=("self_attn", "norm", "cross_attn", "norm", "ffn", "norm"),
        )
        super().__init__(layer, num_layers)
        self.embed_dim = embed_dim
        self.return_intermediate = return_intermediate
        self.post_norm_layer = nn.LayerNorm(embed_dim) if post_norm else None
        self.bbox_embed = None

    def decode(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        query_pos: Tensor | None,
        references: Tensor,
        **kwargs: Any,
    ) -> tuple[Tensor, Tensor]:
        """Run all layers.

        Args:
            query: (Q, B, C) content.
            key: (S, B, C) memory.
            value: (S, B, C) memory.
            query_pos: (Q, B, C), or None where ``layer_keywords`` computes it.
            references: (Q, B, 0, 2 or 4) sigmoid, unpadded frame.
            kwargs: what every layer receives: ``key_pos`` (S, B, C), ``attn_masks``, ``query_key_padding_mask`` (B, Q),
                ``key_padding_mask`` (B, S).

        Returns:
            (L, Q, B, C) states and (L, Q, B, ...) references entering each layer, which keep their gradient to the
            layer that refined them; L = 1, the last layer, without ``return_intermediate``.
        """
        state, reported = query, references
        states, entered = [], []
        for index, layer in enumerate(self.layers):
            entered.append(reported)
            keywords = self.layer_keywords(index, state, query_pos, references)
            state = self.run_layer(layer, state, key, value, **keywords, **kwargs)
            states.append(state if self.post_norm_layer is None else self.post_norm_layer(state))
            if self.bbox_embed is not None:
                reported = apply_box_offsets(self.bbox_embed(state), references)
                references = reported.detach()
        first = 0 if self.return_intermediate else -1
        return torch.stack(states[first:]), torch.stack(entered[first:])

    def layer_keywords(self, index: int, state: Tensor, query_pos: Tensor | None, references: Tensor) -> dict[str, Any]:
        """What layer ``index`` receives besides; here a constant position.

        Args:
            state: (Q, B, C) entering the layer.
            query_pos: as given to ``decode``.
            references: (Q, B, 0, 2 or 4) entering the layer.
        """
        return {"query_pos": query_pos}
