"""Conditional attention: content and position are projected apart, and cross-attention compares them side by side.

A query of the decoder then finds its place by a sine embedding of its reference point, which DAB-DETR also stretches
by the size of its box (``modulate_by_size``).

Shape shorthand in this module: Q queries, K keys, B images, C channels; sequence first.

Source: Conditional DETR, arXiv:2108.06152, section 3.3; size modulation, DAB-DETR, arXiv:2201.12329, section 4.4;
constructor and parameter names as in ``detrex.layers.{ConditionalSelfAttention,ConditionalCrossAttention}``.
"""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn


class ConditionalAttention(nn.Module, ABC):
    """What both attentions share: ``identity + proj_drop(out_proj(attention(query, key, value)))``.

    Args:
        attn_drop: dropout on the attention weights.
        proj_drop: dropout on the result before the identity is added (0 in all detrex hosts).
        batch_first: False. detrex takes the keyword, but its True branch mixes up batch and queries.

    Raises:
        ValueError: ``batch_first=True``.
    """

    query_pos_proj: nn.Linear | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        attn_drop: float = 0.0,
        proj_drop: float = 0.0,
        batch_first: bool = False,
    ) -> None:
        super().__init__()
        if batch_first:
            raise ValueError(
                f"{type(self).__name__}(batch_first=) expects False: conditional attention works on (Q, B, C) only, "
                "in detrex too, whose batch-first branch adds tensors of different layouts. Got True."
            )
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.batch_first = batch_first
        self.query_content_proj = nn.Linear(embed_dim, embed_dim)
        self.query_pos_proj = nn.Linear(embed_dim, embed_dim)
        self.key_content_proj = nn.Linear(embed_dim, embed_dim)
        self.key_pos_proj = nn.Linear(embed_dim, embed_dim)
        self.value_proj = nn.Linear(embed_dim, embed_dim)
        self.out_proj = nn.Linear(embed_dim, embed_dim)
        self.attn_drop = nn.Dropout(attn_drop)
        self.proj_drop = nn.Dropout(proj_drop)

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        identity: Tensor | None = None,
        query_pos: Tensor | None = None,
        key_pos: Tensor | None = None,
        query_sine_embed: Tensor | None = None,
        is_first_layer: bool = False,
        attn_mask: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        **_: Any,
    ) -> Tensor:
        """Attend.

        Args:
            query: (Q, B, C).
            key: (K, B, C); the query if None.
            value: (K, B, C); the key if None.
            identity: (Q, B, C) added to the result; the query if None.
            query_pos: (Q, B, C).
            key_pos: (K, B, C); ``query_pos`` if None.
            query_sine_embed: (Q, B, C) sine embedding of the references, for cross-attention.
            is_first_layer: whether cross-attention also adds positions to the contents.
            attn_mask: (Q, K) bool, True = blocked, or float, added to the scores.
            key_padding_mask: (B, K) bool, True = padding.

        Keywords meant for other kinds of attention are ignored.

        Returns:
            (Q, B, C).
        """
        key = query if key is None else key
        value = key if value is None else value
        key_pos = query_pos if key_pos is None else key_pos
        assert query_pos is not None, "conditional attention needs positions"
        assert key_pos is not None, "conditional attention needs positions"
        queries, keys = self.project(query, key, query_pos, key_pos, query_sine_embed, is_first_layer)
        attended = nn.functional.scaled_dot_product_attention(
            queries,
            keys,
            self._heads(self.value_proj(value)),
            attn_mask=_added_to_scores(attn_mask, key_padding_mask, queries.dtype),
            dropout_p=self.attn_drop.p if self.training else 0.0,
        )
        out = self.out_proj(attended.permute(2, 0, 1, 3).flatten(2))
        result: Tensor = (query if identity is None else identity) + self.proj_drop(out)
        return result

    @abstractmethod
    def project(
        self,
        query: Tensor,
        key: Tensor,
        query_pos: Tensor,
        key_pos: Tensor,
        query_sine_embed: Tensor | None,
        is_first_layer: bool,
    ) -> tuple[Tensor, Tensor]:
        """(B, heads, Q, D) queries and (B, heads, K, D) keys, D channels for each head; arguments as ``forward``."""

    def _heads(self, x: Tensor) -> Tensor:
        """(N, B, C) to (B, heads, N, C / heads)."""
        return x.reshape(*x.shape[:2], self.num_heads, -1).permute(1, 2, 0, 3)


class ConditionalSelfAttention(ConditionalAttention):
    """Projected positions are added to projected contents."""

    def project(
        self,
        query: Tensor,
        key: Tensor,
        query_pos: Tensor,
        key_pos: Tensor,
        query_sine_embed: Tensor | None,
        is_first_layer: bool,
    ) -> tuple[Tensor, Tensor]:
        assert self.query_pos_proj is not None
        queries = self.query_content_proj(query) + self.query_pos_proj(query_pos)
        keys = self.key_content_proj(key) + self.key_pos_proj(key_pos)
        return self._heads(queries), self._heads(keys)


class ConditionalCrossAttention(ConditionalAttention):
    """Every head compares content with content and place with place: its channels are the two, one after the other.

    A decoder sets ``query_pos_proj`` to None in all layers but the first, the only one that uses it.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        attn_drop: float = 0.0,
        proj_drop: float = 0.0,
        batch_first: bool = False,
    ) -> None:
        super().__init__(embed_dim, num_heads, attn_drop, proj_drop, batch_first)
        self.query_pos_sine_proj = nn.Linear(embed_dim, embed_dim)

    def project(
        self,
        query: Tensor,
        key: Tensor,
        query_pos: Tensor,
        key_pos: Tensor,
        query_sine_embed: Tensor | None,
        is_first_layer: bool,
    ) -> tuple[Tensor, Tensor]:
        assert query_sine_embed is not None, "conditional cross-attention needs the sine embedding of the references"
        query_content, key_content = self.query_content_proj(query), self.key_content_proj(key)
        key_place = self.key_pos_proj(key_pos)
        if is_first_layer:
            assert self.query_pos_proj is not None, "only a first layer projects the positions of queries"
            query_content = query_content + self.query_pos_proj(query_pos)
            key_content = key_content + key_place
        query_place = self.query_pos_sine_proj(query_sine_embed)
        queries = torch.cat([self._heads(query_content), self._heads(query_place)], -1)
        return queries, torch.cat([self._heads(key_content), self._heads(key_place)], -1)


def modulate_by_size(query_sine_embed: Tensor, expected_size: Tensor, boxes: Tensor) -> Tensor:
    """Widen or narrow where a query looks: each axis of the embedding times expected size over the box's size.

    Args:
        query_sine_embed: (..., C) sine embedding of centres, first the y half, then the x half.
        expected_size: (..., 2) width and height in [0, 1] that the state of the query asks for.
        boxes: (..., 4) ``cxcywh`` in [0, 1].

    Returns:
        (..., C).

    Source: DAB-DETR, arXiv:2201.12329, section 4.4.
    """
    y, x = query_sine_embed.chunk(2, dim=-1)
    ratio = expected_size / boxes[..., 2:]
    return torch.cat([y * ratio[..., 1:], x * ratio[..., :1]], -1)


def _added_to_scores(attn_mask: Tensor | None, key_padding_mask: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """What both masks add to (B, heads, Q, K) scores, -inf where blocked; None where there is no mask."""
    padding = None if key_padding_mask is None else key_padding_mask[:, None, None]
    biases = [_as_bias(mask, dtype) for mask in (attn_mask, padding) if mask is not None]
    return sum(biases[1:], biases[0]) if biases else None


def _as_bias(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """A bool mask, True = blocked, as what it adds to scores; a float one in the scores' precision."""
    if mask.dtype != torch.bool:
        return mask.to(dtype)
    return torch.zeros_like(mask, dtype=dtype).masked_fill(mask, -torch.inf)
