"""Conditional attention with its softmax written out, as live hosts have it, in all the ways that decoders call it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dsct_detrex.layers.conditional_attention import ConditionalCrossAttention, ConditionalSelfAttention
from dsct_detrex.rewrites import rewritten
from dsct_detrex.rewrites.kinds import conditional_attention
from tests.rewrites.kinds.same import assert_same, assert_same_gradients
from tests.rewrites.kinds.test_attention import CHANNELS, HEADS, IMAGES, KEYS, MASKS, QUERIES, tokens

PARTS = ("query_content_proj", "query_pos_proj", "key_content_proj", "key_pos_proj", "value_proj", "out_proj")


class WrittenOut(nn.Module):
    """Parts, attributes and keywords of detrex's two classes; every step on its own."""

    def __init__(self, cross: bool = False) -> None:
        super().__init__()
        for name in (*PARTS, *(["query_pos_sine_proj"] if cross else [])):
            self.add_module(name, nn.Linear(CHANNELS, CHANNELS))
        self.attn_drop, self.proj_drop = nn.Dropout(0.5), nn.Dropout(0.0)  # the first acts in training only
        self.num_heads, self.batch_first = HEADS, False

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
        key = query if key is None else key
        value = key if value is None else value
        key_pos = query_pos if key_pos is None else key_pos
        q, k, place = self.query_content_proj(query), self.key_content_proj(key), self.key_pos_proj(key_pos)
        cross = hasattr(self, "query_pos_sine_proj")
        if not cross or is_first_layer:
            q, k = q + self.query_pos_proj(query_pos), k + place
        q, k, v = (self.heads(x) for x in (q, k, self.value_proj(value)))
        if cross:
            q = torch.cat([q, self.heads(self.query_pos_sine_proj(query_sine_embed))], -1)
            k = torch.cat([k, self.heads(place)], -1)
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        for mask in (attn_mask, None if key_padding_mask is None else key_padding_mask[:, None, None]):
            if mask is not None:
                scores = scores.masked_fill(mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
        out = self.out_proj((scores.softmax(-1) @ v).permute(2, 0, 1, 3).flatten(2))
        return (query if identity is None else identity) + self.proj_drop(out)

    def heads(self, x: Tensor) -> Tensor:
        return x.view(len(x), IMAGES, HEADS, -1).permute(1, 2, 0, 3)


@pytest.mark.parametrize("masks", ["none", "blocked", "added", "padding", "both"])
def test_self_attention(masks: str) -> None:
    query = tokens(KEYS, False)
    places = {"query_pos": torch.randn_like(query)}
    among = (
        {"attn_mask": torch.randn(KEYS, KEYS)} if masks == "added" else {"attn_mask": torch.eye(KEYS).roll(1).bool()}
    )
    given = {name: among.get(name, mask) for name, mask in MASKS[masks].items()}
    module = WrittenOut().eval()
    assert_same(module, "attention", query, **places, **given)
    assert_same(module, "attention", query, query, query, query + 1, key_pos=query * 2, **places, **given)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("masks", ["none", "blocked", "added", "padding", "both", "added and padding"])
def test_cross_attention(masks: str, first: bool) -> None:
    query, key = tokens(QUERIES, False), tokens(KEYS, False)
    places = {"query_pos": torch.randn_like(query), "key_pos": torch.randn_like(key)}
    sine = {"query_sine_embed": torch.randn_like(query), "is_first_layer": first}
    module = WrittenOut(cross=True).eval()
    if not first:
        module.query_pos_proj = None  # as decoders leave their later layers
    assert_same(module, "attention", query, key, torch.randn_like(key), **places, **sine, **MASKS[masks])


def test_a_part_in_the_place_of_another_is_used() -> None:
    module, query = WrittenOut().eval(), tokens(KEYS, False)
    state = torch.get_rng_state()
    with torch.no_grad(), rewritten(module, ["attention"]):
        before = module(query, query_pos=query)
        assert torch.equal(torch.get_rng_state(), state), "what was made of the parts drew random numbers"
        module.out_proj = nn.Linear(CHANNELS, CHANNELS)
        after = module(query, query_pos=query)
    assert not torch.equal(before, after)
    torch.testing.assert_close(after, module(query, query_pos=query).detach(), rtol=1e-5, atol=1e-5)


def test_training_is_left_alone() -> None:
    query = tokens(KEYS, False)
    assert_same_gradients(WrittenOut().train(), "attention", [query], query_pos=query * 2)


def test_what_it_does_not_fit() -> None:
    fits = conditional_attention.LiveConditionalAttention.fits
    assert fits(WrittenOut())
    assert not fits(ConditionalSelfAttention(CHANNELS, HEADS)), "fused already"
    assert not fits(ConditionalCrossAttention(CHANNELS, HEADS)), "fused already"
    without = WrittenOut()
    del without.key_pos_proj
    assert not fits(without)
    adapted = WrittenOut()
    adapted.value_proj = nn.Sequential(nn.Linear(CHANNELS, CHANNELS))
    assert not fits(adapted)
