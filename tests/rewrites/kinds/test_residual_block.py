"""Blocks of every dialect, at odd sizes, in evaluation and in training."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import nn
from torchvision.ops import FrozenBatchNorm2d

from dsct_detrex.hosts.resnet import BasicBlock, Bottleneck, ResNet
from dsct_detrex.rewrites import onednn, rewritten
from tests.rewrites.kinds.same import assert_close, assert_same, assert_same_gradients
from tests.rewrites.kinds.test_frozen_norm import drawn

EMBEDDED = {
    "basic": lambda norm: BasicBlock(8, 8, 1, norm),
    "basic, projected": lambda norm: BasicBlock(8, 12, 2, norm),
    "bottleneck": lambda norm: Bottleneck(16, 16, 1, norm, width=4),
    "bottleneck, projected": lambda norm: Bottleneck(8, 16, 2, norm, width=4),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", EMBEDDED)
def test_embedded_blocks(kind: str, dtype: torch.dtype) -> None:
    block = drawn(EMBEDDED[kind]("FrozenBN")).eval().to(dtype)
    x = torch.randn(2, block.conv1.in_channels, 9, 7, dtype=dtype)
    before = x.clone()
    assert_same(block, "residual_block", x)
    assert torch.equal(x, before)


@pytest.mark.parametrize("kind", EMBEDDED)
def test_gradients(kind: str) -> None:
    block = drawn(EMBEDDED[kind]("FrozenBN")).train()
    assert_same_gradients(block, "residual_block", [torch.randn(2, block.conv1.in_channels, 9, 7)])


@pytest.mark.parametrize("kind", EMBEDDED)
def test_a_frozen_block_of_a_network_that_trains_is_fused(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one whose input wants a gradient, or with one weight that trains, gives what it gives plainly."""
    fused = []
    whole = onednn.convolution_onto
    monkeypatch.setattr(onednn, "convolution_onto", lambda *args: fused.append(kind) or whole(*args))
    block = drawn(EMBEDDED[kind]("FrozenBN")).train().requires_grad_(False)
    x = torch.randn(2, block.conv1.in_channels, 9, 7)
    expected = block(x)
    with rewritten(block, ["residual_block"]):
        assert_close(block(x), expected)
        assert fused == [kind] * onednn.convolves()
        assert block(x.clone().requires_grad_()).requires_grad
        for conv in (block.conv1, block.conv3 if hasattr(block, "conv3") else block.conv2):
            conv.weight.requires_grad_()
            assert block(x).requires_grad
            conv.weight.requires_grad_(False)
    assert fused == [kind] * onednn.convolves()


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "resnext50_32x4d"])
@pytest.mark.parametrize("norm", [FrozenBatchNorm2d, nn.BatchNorm2d])
def test_torchvision_networks(name: str, norm: type[nn.Module]) -> None:
    network = torchvision.models.get_model(name, weights=None, norm_layer=norm).eval()
    images = torch.randn(1, 3, 45, 67)
    with torch.no_grad():
        plain = network(images)
        with rewritten(network) as rewriting:
            assert rewriting.counts["residual_block"] == (8 if name == "resnet18" else 16)
            assert_close(network(images) / plain.abs().max(), plain / plain.abs().max())


def test_batch_norm_in_training_is_left_alone() -> None:
    block = BasicBlock(8, 8, 1, "BN").train()
    with rewritten(block, ["residual_block"]):
        block(torch.randn(2, 8, 5, 5))
    assert block.conv2.norm.num_batches_tracked == 1


def test_maps_of_a_backbone_are_kept_apart() -> None:
    """Nothing is written over a map that is handed out."""
    network = ResNet(18, out_features=["stem", "res2", "res3", "res4", "res5"]).eval()
    images = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        plain = network(images)
        with rewritten(network):
            fast = network(images)
    for name, expected in plain.items():
        scale = expected.abs().max()
        assert_close(fast[name] / scale, expected / scale)


class NormFirst(nn.Module):
    """The names of a torchvision block, another order of use."""

    def __init__(self) -> None:
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU()
        self.bn2, self.conv2 = nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3, padding=1)
        self.downsample = None


class WithActivation(BasicBlock):
    """A convolution of the branch does more than convolve."""

    def __init__(self) -> None:
        super().__init__(4, 4, 1, "FrozenBN")
        self.conv2.activation = nn.Sigmoid()


@pytest.mark.parametrize("other", [NormFirst, WithActivation])
def test_other_blocks_are_no_blocks(other: type[nn.Module]) -> None:
    with rewritten(other(), ["residual_block"]) as rewriting:
        assert not rewriting.counts
