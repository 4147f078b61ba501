"""Norms below and beside convolutions, frozen or fixed by evaluation."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision.ops import FrozenBatchNorm2d

from dsct_detrex.hosts.resnet import ConvNorm, Stem
from dsct_detrex.rewrites import rewritten
from tests.rewrites.kinds.same import assert_same, assert_same_gradients


def drawn(module: nn.Module) -> nn.Module:
    """With statistics that are not those of the start."""
    for name, buffer in [*module.named_buffers(), *module.named_parameters()]:
        if buffer.is_floating_point():
            buffer.data = torch.rand_like(buffer) + 0.5 if "norm" in name or buffer.dim() == 1 else buffer.data
    return module


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("norm", ["FrozenBN", "BN"])
def test_a_norm_below_its_convolution(norm: str, dtype: torch.dtype) -> None:
    module = drawn(ConvNorm(3, 8, 3, 2, norm)).eval().to(dtype)
    assert_same(module, "frozen_norm", torch.randn(2, 3, 9, 7, dtype=dtype))


def test_a_convolution_with_bias_and_activation() -> None:
    module = ConvNorm(3, 8, 3, 1, "FrozenBN")
    module.bias = nn.Parameter(torch.randn(8))
    assert_same(drawn(module).eval(), "frozen_norm", torch.randn(2, 3, 9, 7))


def test_a_stem() -> None:
    assert_same(drawn(Stem(3, "FrozenBN")).eval(), "frozen_norm", torch.randn(2, 3, 33, 47))


def test_a_frozen_norm_alone() -> None:
    module = drawn(FrozenBatchNorm2d(6)).eval()
    assert_same(module, "frozen_norm", torch.randn(2, 6, 5, 7))
    assert_same(module, "frozen_norm", torch.randn(2, 6, 5, 7).to(memory_format=torch.channels_last))
    assert_same_gradients(module, "frozen_norm", [torch.randn(2, 6, 5, 7)])


def test_gradients_through_the_folding() -> None:
    assert_same_gradients(drawn(ConvNorm(3, 8, 3, 2, "FrozenBN")).train(), "frozen_norm", [torch.randn(2, 3, 9, 7)])


def test_batch_norm_that_learns_its_statistics_is_left_alone() -> None:
    module = ConvNorm(3, 8, 1, 1, "BN").train()
    with rewritten(module, ["frozen_norm"]):
        out = module(torch.randn(4, 3, 8, 8) + 3)
    torch.testing.assert_close(out.mean((0, 2, 3)), torch.zeros(8), rtol=0, atol=1e-5)
    assert module.norm.running_mean.abs().max() > 0


@pytest.mark.parametrize("conv", [nn.Conv2d(3, 8, 3), ConvNorm(3, 8, 1, 1, "FrozenBN").norm])
def test_what_it_fits(conv: nn.Module) -> None:
    with rewritten(conv, ["frozen_norm"]) as rewriting:
        assert bool(rewriting.counts) == isinstance(conv, FrozenBatchNorm2d)
