"""A convolution with the norm behind it folded into its weights, and with what follows fused in where torch can.

A norm with fixed statistics is ``x * scale + shift`` for each channel, so its scale goes into the weight and its shift
is a bias. On a CPU maps travel channels last: a 1 x 1 convolution is then one matrix product, and the tokens of an
encoder are a view of a map.

Source of the folding: Jacob et al., arXiv:1712.05877, section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsct_detrex.rewrites import onednn, turned_backward

_STATISTICS = ("weight", "bias", "running_mean", "running_var")
_EPS = 1e-5
"""Of frozen norms that do not say it: detrex's own below its ``TorchvisionResNet``."""


@dataclass(frozen=True)
class Convolution:
    """Ready to be called; differentiable in whatever its weights were made of.

    Attributes:
        weight: (out, in / groups, k, k), scale of the norm included.
        bias: (out,), or None.
    """

    weight: Tensor
    bias: Tensor | None
    geometry: onednn.Geometry

    def __call__(self, x: Tensor, relu: bool = False) -> Tensor:
        """(B, in, H, W) to (B, out, H', W'), rectified if wanted."""
        x = channels_last(x)
        if onednn.serves(x, self.weight, self.bias) and onednn.convolves():
            return onednn.convolution(x, self.weight, self.bias, self.geometry, relu)
        out = self._plain(x)
        return out.relu_() if relu else out

    def onto(self, identity: Tensor, x: Tensor, keep: bool) -> Tensor:
        """``relu(identity + self(x))``.

        Args:
            identity: (B, out, H', W').
            x: (B, in, H, W).
            keep: False allows to write over ``identity``.
        """
        x = channels_last(x)
        if onednn.serves(x, identity, self.weight, self.bias) and onednn.convolves():
            return onednn.convolution_onto(channels_last(identity), x, self.weight, self.bias, self.geometry, keep)
        return self._plain(x).add_(identity).relu_()

    def _plain(self, x: Tensor) -> Tensor:
        if turned_backward.turns(x, self.weight):
            return turned_backward.convolve(x, self.weight, self.bias, self.geometry)
        padding, stride, dilation, groups = self.geometry
        return F.conv2d(x, self.weight, self.bias, stride, padding, dilation, groups)


def channels_last(x: Tensor) -> Tensor:
    """Where a CPU convolves; as it is elsewhere."""
    return x.contiguous(memory_format=torch.channels_last) if x.device.type == "cpu" else x


def foldable(conv: object, norm: object) -> bool:
    """Whether ``fold`` can make one convolution of the two; decides by structure."""
    return is_plain_convolution(conv) and isinstance(norm, nn.Module) and is_fixed_norm(norm)


def is_plain_convolution(conv: object) -> bool:
    """Zero padding, of a number of pixels."""
    return isinstance(conv, nn.Conv2d) and conv.padding_mode == "zeros" and isinstance(conv.padding, tuple)


def is_fixed_norm(norm: nn.Module) -> bool:
    """A frozen norm (its four vectors are buffers), or batch norm with statistics and scale, which evaluation fixes."""
    vectors = [getattr(norm, name, None) for name in _STATISTICS]
    if not all(isinstance(vector, Tensor) and vector.dim() == 1 for vector in vectors):
        return False
    return is_frozen_norm(norm) or isinstance(norm, nn.BatchNorm2d)


def is_frozen_norm(norm: nn.Module) -> bool:
    """Whether the norm is the same in training."""
    return set(_STATISTICS) <= {name for name, _ in norm.named_buffers(recurse=False)}


def fold(conv: nn.Conv2d, norm: nn.Module | None) -> Convolution:
    """A convolution and the fixed norm behind it, if any, as one."""
    weight, bias = conv.weight, conv.bias
    if norm is not None:
        scale, shift = scale_and_shift(norm)
        weight = weight * scale[:, None, None, None]
        bias = shift if bias is None else shift + bias * scale
    assert not isinstance(conv.padding, str), "a convolution that is_plain_convolution"
    geometry = onednn.Geometry(conv.padding, conv.stride, conv.dilation, conv.groups)
    return Convolution(channels_last(weight), bias, geometry)


def scale_and_shift(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """(C,) each: the norm is ``x * scale + shift``."""
    weight, bias, mean, variance = (getattr(norm, name) for name in _STATISTICS)
    scale = weight * (variance + getattr(norm, "eps", _EPS)).rsqrt()
    return scale, bias - mean * scale
