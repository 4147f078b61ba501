"""What an encoder layer does after its attention is done to every token alone, so it is done piece by piece.

Norm, feed-forward and norm of 2,000 tokens stay in the cache, where all tokens of a picture would travel to memory and
back between any two of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.rewrites.kinds.feed_forward import FeedForward, exceeds_a_piece, pieces
from dsct_detrex.rewrites.rewrite import Rewrite

_ORDER = ("self_attn", "norm", "ffn", "norm")


class TokenWise(Rewrite):
    """A post-norm encoder layer on a CPU; as ``layers.BaseTransformerLayer``."""

    name = "token_wise"

    @classmethod
    def fits(cls, module: nn.Module) -> bool:
        parts = [getattr(module, name, None) for name in ("attentions", "norms", "ffns")]
        lists = [list(part) for part in parts if isinstance(part, nn.ModuleList)]
        if tuple(getattr(module, "operation_order", ())) != _ORDER or [len(part) for part in lists] != [1, 2, 1]:
            return False
        _, norms, ffns = lists
        return all(isinstance(norm, nn.LayerNorm) for norm in norms) and FeedForward.fits(ffns[0])

    def weights(self) -> Iterator[Tensor]:
        yield from ()

    def suits(self, query: Tensor, *args: Any, attn_masks: Any = None, **kwargs: Any) -> bool:
        return exceeds_a_piece(query) and attn_masks is None and len(args) <= 2

    def fast(
        self,
        prepared: None,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        query_pos: Tensor | None = None,
        key_pos: Tensor | None = None,
        attn_masks: None = None,
        query_key_padding_mask: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor:
        layer = self.module
        attended: Tensor = layer.attentions[0](
            query,
            query,
            query,
            None,
            query_pos=query_pos,
            key_pos=query_pos,
            attn_mask=None,
            key_padding_mask=query_key_padding_mask,
            **kwargs,
        )
        tokens = attended.reshape(-1, attended.shape[-1])
        out = torch.empty_like(tokens)
        before, after = layer.norms
        for first, end in pieces(len(tokens)):
            out[first:end] = after(layer.ffns[0](before(tokens[first:end]), None))
        return out.view(attended.shape)


REWRITES = (TokenWise,)
