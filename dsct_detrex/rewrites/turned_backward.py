"""Gradients of k x k convolutions whose maps lie channels last, computed on contiguous copies where that is faster.

oneDNN has no kernels of AVX2 for the way back of such a convolution in that layout, and what it takes instead needs
up to 2.2 times as long (the 3 x 3 ones of R50 at 480 x 640, forward and backward, two threads: 1,053 ms channels last,
849 ms with copies). 1 x 1 convolutions are matrix products and better off channels last both ways.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dsct_detrex.rewrites import onednn
from dsct_detrex.rewrites.onednn import Geometry


def turns(x: Tensor, weight: Tensor) -> bool:
    """Whether ``convolve`` is the faster way for these, now."""
    return (
        max(weight.shape[2:]) > 1
        and weight.requires_grad
        and torch.is_grad_enabled()
        and x.dtype == weight.dtype
        and onednn.computes(x)
        and without_kernels()
    )


@cache
def without_kernels() -> bool:
    """Whether this machine's vectors are those of AVX2."""
    return torch.backends.cpu.get_cpu_capability() == "AVX2"


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
    """(B, in, H, W) to (B, out, H', W'), channels last, as ``F.conv2d`` does; differentiable any number of times."""
    out: Tensor = _Convolution.apply(x, weight, bias, geometry)
    return out


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.geometry = geometry
        ctx.biases = None if bias is None else list(bias.shape)
        padding, stride, dilation, groups = geometry
        return F.conv2d(x, weight, bias, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        padding, stride, dilation, groups = ctx.geometry
        of_x, of_weight, of_bias = torch.ops.aten.convolution_backward(
            gradients[0].contiguous(),
            x.contiguous(),
            weight.contiguous(),
            ctx.biases,
            stride,
            padding,
            dilation,
            False,
            [0, 0],
            groups,
            list(ctx.needs_input_grad[:3]),
        )
        return None if of_x is None else of_x.contiguous(memory_format=torch.channels_last), of_weight, of_bias, None
