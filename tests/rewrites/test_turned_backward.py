"""Convolutions with their way back on contiguous copies: the same results and gradients, of any order."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dsct_detrex.hosts.resnet import Bottleneck
from dsct_detrex.rewrites import rewritten, turned_backward
from dsct_detrex.rewrites.onednn import Geometry
from tests.rewrites.kinds.same import assert_close, assert_same_gradients
from tests.rewrites.kinds.test_frozen_norm import drawn

GEOMETRIES = {
    "3 x 3": (8, 3, Geometry((1, 1), (1, 1), (1, 1), 1)),
    "stride 2": (8, 3, Geometry((1, 1), (2, 2), (1, 1), 1)),
    "dilated": (8, 3, Geometry((2, 2), (1, 1), (2, 2), 1)),
    "groups": (2, 3, Geometry((1, 1), (1, 1), (1, 1), 4)),
    "5 x 5 without padding": (8, 5, Geometry((0, 0), (1, 1), (1, 1), 1)),
}


@pytest.fixture
def on_avx2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine has."""
    monkeypatch.setattr(turned_backward, "without_kernels", lambda: True)


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("name", GEOMETRIES)
def test_gradients_are_those_of_torch(name: str, with_bias: bool) -> None:
    width, k, geometry = GEOMETRIES[name]
    torch.manual_seed(0)
    inputs = [torch.randn(2, 8, 9, 7), torch.randn(12, width, k, k), torch.randn(12) if with_bias else None]
    padding, stride, dilation, groups = geometry
    expected = _gradients(lambda x, w, b: F.conv2d(x, w, b, stride, padding, dilation, groups), inputs)
    found = _gradients(lambda x, w, b: turned_backward.convolve(x, w, b, geometry), inputs)
    for one, other in zip(found, expected, strict=True):
        assert_close(one, other)


def test_gradients_of_gradients() -> None:
    inputs = [torch.randn(1, 2, 4, 5), torch.randn(3, 2, 3, 3), torch.randn(3)]
    doubles = [one.double().requires_grad_() for one in inputs]
    geometry = Geometry((1, 1), (1, 1), (1, 1), 1)
    assert torch.autograd.gradgradcheck(lambda x, w, b: turned_backward.convolve(x, w, b, geometry), doubles)


@pytest.mark.usefixtures("on_avx2")
def test_a_block_takes_it_for_its_middle_convolution_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    block = drawn(Bottleneck(16, 16, 1, "FrozenBN", width=4)).train()
    x = torch.randn(2, 16, 9, 7)
    assert_same_gradients(block, "residual_block", [x])
    kernels = []
    plain = turned_backward.convolve
    monkeypatch.setattr(
        turned_backward, "convolve", lambda x, w, *rest: kernels.append(tuple(w.shape[2:])) or plain(x, w, *rest)
    )
    with rewritten(block, ["residual_block"]):
        block(x.requires_grad_())
    assert kernels == [(3, 3)]


@pytest.mark.usefixtures("on_avx2")
def test_where_it_stands_back() -> None:
    x, weight = torch.randn(1, 4, 5, 5), torch.randn(4, 4, 3, 3, requires_grad=True)
    assert turned_backward.turns(x, weight)
    assert not turned_backward.turns(x, weight[:, :, :1, :1])
    assert not turned_backward.turns(x, weight.detach()), "a frozen weight"
    assert not turned_backward.turns(x.double(), weight.double())
    with torch.no_grad():
        assert not turned_backward.turns(x, weight)
    with torch.autocast("cpu", torch.bfloat16):
        assert not turned_backward.turns(x, weight)


def _gradients(convolve: object, inputs: list[Tensor | None]) -> list[Tensor]:
    """Of channels-last copies: the result, then the gradient of each input."""
    leaves = [None if one is None else one.clone().requires_grad_() for one in inputs]
    x, weight, bias = leaves
    out = convolve(
        x.contiguous(memory_format=torch.channels_last), weight.contiguous(memory_format=torch.channels_last), bias
    )
    (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
    return [out.detach(), *(leaf.grad for leaf in leaves if leaf is not None)]
