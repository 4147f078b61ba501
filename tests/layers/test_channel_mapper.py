"""The neck: golden numbers of detrex, extra levels, missing maps."""

import golden_io
import pytest
import torch
from torch import nn

from dsct_detrex.layers.channel_mapper import ChannelMapper, ShapeSpec


@pytest.fixture(scope="module")
def golden():
    return golden_io.load("layers/channel_mapper")


@pytest.fixture(scope="module")
def shapes(golden):
    return {name: ShapeSpec(channels=c) for name, c in golden.meta["config"]["input_channels"].items()}


def weights(golden, prefix):
    if prefix:
        return golden.state_dict(prefix)
    return {k: v for k, v in golden.state_dict().items() if not k.startswith("three.")}


def check(golden, neck, prefix, name):
    neck.load_state_dict(weights(golden, prefix))
    levels = neck(golden.group("in."))
    expected = golden.sequence(name)
    assert len(levels) == len(expected)
    for level, want in zip(levels, expected):
        assert golden_io.max_abs_diff(level.detach(), want) <= golden.meta["tolerance"]["abs"]


def test_extra_levels_match_detrex(golden, shapes):
    config = golden.meta["config"]
    neck = ChannelMapper(
        shapes,
        config["in_features"],
        out_channels=16,
        num_outs=5,
        kernel_size=1,
        norm_layer=nn.GroupNorm(4, 16),
    )
    check(golden, neck, "", "out.")


def test_kernel_three_with_activation_matches_detrex(golden, shapes):
    neck = ChannelMapper(shapes, golden.meta["config"]["in_features"], out_channels=8, activation=nn.ReLU())
    check(golden, neck, "three.", "out.three")


def test_norms_are_not_shared():
    norm = nn.GroupNorm(2, 4)
    neck = ChannelMapper({"a": ShapeSpec(3), "b": ShapeSpec(5)}, ["a", "b"], 4, norm_layer=norm, num_outs=3)
    norms = {id(m) for m in neck.modules() if isinstance(m, nn.GroupNorm)}
    assert len(norms) == 3
    assert id(norm) not in norms


def test_only_named_maps_are_read():
    neck = ChannelMapper({"a": ShapeSpec(3), "b": ShapeSpec(5)}, ["b"], 4, num_outs=2)
    levels = neck({"a": torch.zeros(1, 3, 8, 8), "b": torch.zeros(1, 5, 5, 4)})
    assert [tuple(x.shape) for x in levels] == [(1, 4, 5, 4), (1, 4, 3, 2)]


def test_missing_width_names_the_known_maps():
    with pytest.raises(ValueError, match=r"expects the channels of 'c'\. It knows: a, b\.$"):
        ChannelMapper({"a": ShapeSpec(3), "b": ShapeSpec(5)}, ["a", "c"], 4)
