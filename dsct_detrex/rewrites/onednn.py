"""oneDNN's products with what follows them fused in: whether this torch has them, and how they are called.

They serve float32 on a CPU where no gradient flows: a linear layer or convolution, its bias, a ReLU and a sum in one
pass over the result. torch offers them as private operators, so each is tried once before it is relied upon; where one
is missing, and everywhere else (other devices and dtypes, autocast, compiled regions), callers use torch's public
functions, which give the same numbers.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from dsct_detrex.rewrites.state import autocasting


class Geometry(NamedTuple):
    """Of a convolution."""

    padding: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int


def serves(x: Tensor, *others: Tensor | None) -> bool:
    """Whether the operators here can take ``x`` as their input, now.

    Args:
        others: weights and whatever else goes in. Where neither they nor ``x`` want a gradient, as in the frozen parts
            of a network that trains, none flows either; without them only where gradients are off.
    """
    still = bool(others) and not any(one is not None and one.requires_grad for one in (x, *others))
    return (still or not torch.is_grad_enabled()) and computes(x)


def computes(x: Tensor) -> bool:
    """Whether oneDNN is what computes products of ``x`` here, in single precision and outside compiled regions."""
    return (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and not autocasting(x)
        and not torch.compiler.is_compiling()
        and bool(torch.backends.mkldnn.enabled)
    )


@cache
def multiplies() -> bool:
    """Whether ``pack`` and ``linear`` work here."""
    x, weight, bias = torch.ones(2, 3), torch.ones(4, 3), torch.ones(4)
    return _gives(4.0, lambda: linear(x, pack(weight), bias)) and _gives(
        4.0, lambda: linear(x, pack(weight), bias, True)
    )


@cache
def convolves() -> bool:
    """Whether ``convolution`` and ``convolution_onto`` work here."""
    x, weight, bias = torch.ones(1, 3, 4, 4), torch.ones(8, 3, 1, 1), torch.ones(8)
    plain = Geometry((0, 0), (1, 1), (1, 1), 1)
    return _gives(4.0, lambda: convolution(x, weight, bias, plain, relu=True)) and _gives(
        6.0, lambda: convolution_onto(torch.full((1, 8, 4, 4), 2.0), x, weight, bias, plain, keep=True)
    )


def pack(weight: Tensor) -> Tensor:
    """(out, in) weight of a linear layer as ``linear`` wants it; opaque."""
    packed: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.detach())
    return packed


def linear(x: Tensor, packed: Tensor, bias: Tensor | None, relu: bool = False) -> Tensor:
    """(..., in) to (..., out), rectified if wanted."""
    product: Tensor = torch.ops.mkldnn._linear_pointwise(x, packed, bias, "relu" if relu else "none", [], "")
    return product


def convolution(x: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry, relu: bool) -> Tensor:
    """(B, in, H, W) to (B, out, H', W'), rectified if wanted; in the memory format of ``x``."""
    out: Tensor = torch.ops.mkldnn._convolution_pointwise(
        x, weight, bias, *geometry, "relu" if relu else "none", [], ""
    )
    return out


def convolution_onto(
    onto: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry, keep: bool
) -> Tensor:
    """``relu(onto + convolution(x))``; written over ``onto`` unless it is to be kept."""
    fused: tuple[Any, ...] = ("add", 1.0, "relu", [], "")
    if keep:
        out: Tensor = torch.ops.mkldnn._convolution_pointwise.binary(x, onto, weight, bias, *geometry, *fused)
        return out
    out = torch.ops.mkldnn._convolution_pointwise_.binary(onto, x, weight, bias, *geometry, *fused)
    return out


def _gives(expected: float, computed: Any) -> bool:
    """Whether a trial call exists, runs, and gives the right number; why it does not is of no interest."""
    try:
        with torch.no_grad(), torch.autocast("cpu", enabled=False):
            return bool((computed() == expected).all())
    except (AttributeError, RuntimeError, TypeError, NotImplementedError):
        return False
