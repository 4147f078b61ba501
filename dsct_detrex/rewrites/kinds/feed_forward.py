"""Feed-forward networks over a piece of the tokens at a time, so that the wide hidden states stay in the cache.

The hidden states of all tokens of an 800 x 1066 picture are 73 MB, of which no cache holds anything until the second
product reads it again; those of 2,000 tokens are 8 MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from torch import Tensor, nn

from dsct_detrex.rewrites.rewrite import Rewrite

PIECE = 2000
"""Tokens at a time."""


class FeedForward(Rewrite):
    """``identity + layers(x)`` of (..., C) tokens on a CPU."""

    name = "feed_forward"

    @classmethod
    def fits(cls, module: nn.Module) -> bool:
        layers = getattr(module, "layers", None)
        if not isinstance(layers, nn.Sequential) or not isinstance(getattr(module, "add_identity", None), bool):
            return False
        *hidden, last, dropout = layers if len(layers) > 2 else [None] * 3
        return isinstance(last, nn.Linear) and isinstance(dropout, nn.Dropout) and all(map(_is_hidden, hidden))

    def weights(self) -> Iterator[Tensor]:
        yield from ()

    def suits(self, x: Tensor, identity: Tensor | None = None) -> bool:
        return exceeds_a_piece(x)

    def fast(self, prepared: None, x: Tensor, identity: Tensor | None = None) -> Tensor:
        added = x if identity is None else identity
        out: Tensor | None = None
        tokens, added = x.reshape(-1, x.shape[-1]), added.reshape(-1, added.shape[-1])
        for first, end in pieces(len(tokens)):
            piece: Tensor = self.module.layers(tokens[first:end])
            if self.module.add_identity:
                piece = piece.add_(added[first:end])
            out = piece.new_empty(len(tokens), piece.shape[-1]) if out is None else out
            out[first:end] = piece
        assert out is not None, "there are tokens"
        return out.view(*x.shape[:-1], -1)


def exceeds_a_piece(x: Tensor) -> bool:
    """Whether there are more of the (..., C) tokens than one piece, on a device with a cache that is small."""
    return x.device.type == "cpu" and x.numel() > PIECE * x.shape[-1]


def pieces(count: int) -> list[tuple[int, int]]:
    """0..count-1 as ranges (first, end) of ``PIECE``; a last one that is short."""
    bounds = [*range(0, count, PIECE), count]
    return list(pairwise(bounds))


def _is_hidden(layer: nn.Module | None) -> bool:
    """Linear, activation, dropout."""
    kinds = list(layer) if isinstance(layer, nn.Sequential) else []
    return len(kinds) == 3 and isinstance(kinds[0], nn.Linear) and isinstance(kinds[2], nn.Dropout)


REWRITES = (FeedForward,)
