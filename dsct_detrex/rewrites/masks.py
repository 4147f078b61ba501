"""Both masks of an attention as the one that torch's fused operator takes."""

from __future__ import annotations

import torch
from torch import Tensor


def added_to_scores(attn_mask: Tensor | None, key_padding_mask: Tensor | None, queries: Tensor) -> Tensor | None:
    """What is added to (B, heads, Q, K) scores, -inf where blocked; None where there is no mask.

    Args:
        attn_mask: (Q, K), or (B * heads, Q, K); bool, True = blocked, or float, added to the scores.
        key_padding_mask: (B, K) likewise.
        queries: (B, heads, Q, D), with the dtype of the scores.
    """
    images, heads = queries.shape[:2]
    masks = []
    if attn_mask is not None:
        masks.append(attn_mask if attn_mask.dim() == 2 else attn_mask.view(images, heads, *attn_mask.shape[1:]))
    if key_padding_mask is not None:
        masks.append(key_padding_mask[:, None, None])
    biases = [_as_bias(mask, queries.dtype) for mask in masks]
    return sum(biases[1:], biases[0]) if biases else None


def _as_bias(mask: Tensor, dtype: torch.dtype) -> Tensor:
    if mask.dtype != torch.bool:
        return mask.to(dtype)
    return torch.zeros_like(mask, dtype=dtype).masked_fill_(mask, -torch.inf)
