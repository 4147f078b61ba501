"""Convolutions of necks and projections, and that their maps are tokens without a copy."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dsct_detrex.layers import ChannelMapper
from dsct_detrex.layers.channel_mapper import ShapeSpec
from dsct_detrex.rewrites import onednn, rewritten
from tests.rewrites.kinds.same import assert_close, assert_same, standing

pytestmark = pytest.mark.skipif(not onednn.convolves(), reason="this torch has no fused convolutions")


@pytest.mark.parametrize(
    "arguments", [{}, {"bias": False}, {"stride": 2, "padding": 1}, {"groups": 2, "dilation": 2, "padding": 2}]
)
def test_numbers(arguments: dict[str, object]) -> None:
    conv = nn.Conv2d(4, 6, 3, **arguments).eval()  # type: ignore[arg-type]
    assert_same(conv, "channels_last", torch.randn(2, 4, 9, 7))


def test_a_neck_hands_out_tokens() -> None:
    shapes = {"res4": ShapeSpec(6), "res5": ShapeSpec(8)}
    neck = ChannelMapper(shapes, ["res4", "res5"], 16, 1, norm_layer=nn.GroupNorm(4, 16), num_outs=3).eval()
    maps = {"res4": torch.randn(2, 6, 9, 7), "res5": torch.randn(2, 8, 5, 4)}
    with torch.no_grad():
        plain = neck(maps)
        with rewritten(neck):
            fast = neck(maps)
    for before, after in zip(plain, fast, strict=True):
        assert_close(after, before)
        assert after.flatten(2).transpose(1, 2).is_contiguous()


@pytest.mark.parametrize(
    "conv",
    [nn.Conv2d(4, 6, 3, padding="same"), nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect"), nn.Conv1d(4, 6, 1)],
)
def test_what_it_leaves_alone(conv: nn.Module) -> None:
    with rewritten(conv, ["channels_last"]) as rewriting:
        assert not rewriting.counts
    assert standing(conv) is None
