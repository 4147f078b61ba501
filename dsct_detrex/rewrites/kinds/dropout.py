"""Dropout of any model on a CPU: drawn in one pass, remembered as a seed.

The same probabilities as ``nn.Dropout``, other zeros (``ops.dropout``). Elsewhere than on a CPU torch's own is as fast.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.ops.dropout import can_drop, draw_seed, drop
from dsct_detrex.rewrites.rewrite import Rewrite


class _Dropped(torch.autograd.Function):
    """Forward and backward are the same pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, probability: float) -> Tensor:
        ctx.settings = probability, draw_seed()
        return drop(x, *ctx.settings)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return drop(gradient, *ctx.settings), None


class Dropout(Rewrite):
    """Any shape."""

    name = "dropout"
    trains = True

    @classmethod
    def fits(cls, module: nn.Module) -> bool:
        return type(module) is nn.Dropout and 0 < module.p < 1

    def suits(self, x: Tensor) -> bool:
        return self.module.training and 0 < self.module.p < 1 and can_drop(x)

    def fast(self, prepared: None, x: Tensor) -> Tensor:
        dropped: Tensor = _Dropped.apply(x, self.module.p)
        return dropped


REWRITES = (Dropout,)
