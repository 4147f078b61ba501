"""Softmax attention in all the ways that hosts call it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from dsct_detrex.layers.attention import MultiheadAttention
from tests.rewrites.kinds.same import assert_same, assert_same_gradients

IMAGES, QUERIES, KEYS, CHANNELS, HEADS = 2, 5, 7, 16, 4
BLOCKED = torch.rand(QUERIES, KEYS) < 0.3
BLOCKED[:, 0] = False
MASKS: dict[str, dict[str, Tensor]] = {
    "none": {},
    "blocked": {"attn_mask": BLOCKED},
    "added": {"attn_mask": torch.randn(QUERIES, KEYS)},
    "of each head": {"attn_mask": torch.randn(IMAGES * HEADS, QUERIES, KEYS)},
    "padding": {"key_padding_mask": torch.arange(KEYS).expand(IMAGES, -1) >= torch.tensor([[KEYS], [KEYS - 2]])},
}
MASKS["both"] = MASKS["blocked"] | MASKS["padding"]
MASKS["added and padding"] = MASKS["added"] | {
    "key_padding_mask": torch.zeros(IMAGES, KEYS).masked_fill(MASKS["padding"]["key_padding_mask"], -torch.inf)
}


def tokens(count: int, batch_first: bool, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*((IMAGES, count) if batch_first else (count, IMAGES)), CHANNELS, dtype=dtype)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("masks", MASKS)
def test_cross_attention(masks: str, batch_first: bool) -> None:
    module = MultiheadAttention(CHANNELS, HEADS, batch_first=batch_first).eval()
    query, key = tokens(QUERIES, batch_first), tokens(KEYS, batch_first)
    places: dict[str, Any] = {"query_pos": torch.randn_like(query), "key_pos": torch.randn_like(key)}
    assert_same(module, "attention", query, key, torch.randn_like(key), prepares=False, **places, **MASKS[masks])
    assert_same(module, "attention", query, key, key, query + 1, prepares=False, **MASKS[masks])


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_self_attention(bias: bool, batch_first: bool) -> None:
    module = MultiheadAttention(CHANNELS, HEADS, batch_first=batch_first, bias=bias).eval()
    query = tokens(KEYS, batch_first)
    place = torch.randn_like(query)
    assert_same(module, "attention", query, prepares=False)
    assert_same(module, "attention", query, query_pos=place, prepares=False)
    assert_same(module, "attention", query, query, query, None, query_pos=place, key_pos=place, prepares=False)
    assert_same(module, "attention", query, query, query_pos=place, key_pos=place + 1, prepares=False)


def test_double_precision() -> None:
    module = MultiheadAttention(CHANNELS, HEADS, batch_first=True).eval().double()
    assert_same(module, "attention", tokens(KEYS, True, torch.float64), prepares=False)


def test_training_is_left_alone() -> None:
    module = MultiheadAttention(CHANNELS, HEADS, batch_first=True).train()
    assert_same_gradients(module, "attention", [tokens(KEYS, True)])
