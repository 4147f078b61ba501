"""Softmax attention with positions and identity through torch's fused operator; no weights are written out.

Queries and keys of self-attention are the same tensor, so one product projects both; live detrex also asks for the
averaged weights, which nobody reads, and which keep torch from its fused operator.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from dsct_detrex.rewrites.masks import added_to_scores
from dsct_detrex.rewrites.rewrite import Rewrite


class Attention(Rewrite):
    """``identity + attention(query + query_pos, key + key_pos, value)``; as ``layers.MultiheadAttention``."""

    name = "attention"

    @classmethod
    def fits(cls, module: nn.Module) -> bool:
        attention = getattr(module, "attn", None)
        return (
            isinstance(attention, nn.MultiheadAttention)
            and isinstance(getattr(module, "proj_drop", None), nn.Dropout)
            and getattr(module, "batch_first", None) == attention.batch_first
            and attention.in_proj_weight is not None
            and attention.bias_k is None
            and not attention.add_zero_attn
        )

    def weights(self) -> Iterator[Tensor]:
        yield from ()

    def suits(self, query: Tensor, *args: Any, **kwargs: Any) -> bool:
        return query.dim() == 3

    def fast(
        self,
        prepared: None,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        identity: Tensor | None = None,
        query_pos: Tensor | None = None,
        key_pos: Tensor | None = None,
        attn_mask: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        **_: Any,
    ) -> Tensor:
        key = query if key is None else key
        value = key if value is None else value
        identity = query if identity is None else identity
        if key_pos is None and query_pos is not None and query_pos.shape == key.shape:
            key_pos = query_pos
        same = key is query and key_pos is query_pos
        queries = query if query_pos is None else query + query_pos
        keys = queries if same else key if key_pos is None else key + key_pos
        q, k, v = self._projected(queries, keys, value)
        mask = added_to_scores(attn_mask, key_padding_mask, q)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        attended = attended.permute(0, 2, 1, 3) if self.module.batch_first else attended.permute(2, 0, 1, 3)
        out: Tensor = self.module.attn.out_proj(attended.flatten(2))
        return out + identity

    def _projected(self, *inputs: Tensor) -> list[Tensor]:
        """(B, heads, Q | K, C / heads) queries, keys and values: one product for neighbours made of the same input."""
        attention = self.module.attn
        projected: list[Tensor] = []
        for _, run in groupby(inputs, key=id):
            same = list(run)
            rows = slice(len(projected) * attention.embed_dim, (len(projected) + len(same)) * attention.embed_dim)
            bias = None if attention.in_proj_bias is None else attention.in_proj_bias[rows]
            product = F.linear(same[0], attention.in_proj_weight[rows], bias)
            projected += product.chunk(len(same), -1)
        return [self._heads(part) for part in projected]

    def _heads(self, x: Tensor) -> Tensor:
        """(B, N, C) or (N, B, C) to (B, heads, N, C / heads)."""
        heads = x.reshape(*x.shape[:2], self.module.attn.num_heads, -1)
        return heads.permute(0, 2, 1, 3) if self.module.batch_first else heads.permute(1, 2, 0, 3)


REWRITES = (Attention,)
