"""Norms with fixed statistics: folded into the convolution they belong to, or applied in one pass.

A convolution with its norm below it (embedded and detectron2's) becomes one convolution. A frozen norm that stands
alone (torchvision's stems) reads and writes its map once, where the plain formula does so twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from dsct_detrex.rewrites.convolution import (
    Convolution,
    fold,
    foldable,
    is_fixed_norm,
    is_frozen_norm,
    scale_and_shift,
)
from dsct_detrex.rewrites.rewrite import Rewrite


class FoldedNorm(Rewrite):
    """``activation(norm(convolution))`` of a convolution whose norm lives below it."""

    name = "frozen_norm"
    trains = True

    @classmethod
    def fits(cls, module: nn.Module) -> bool:
        return foldable(module, getattr(module, "norm", None))

    def suits(self, x: Tensor) -> bool:
        return x.numel() > 0 and holds_still(self.module.norm)

    def prepare(self) -> Convolution:
        return fold(self.module, self.module.norm)

    def fast(self, prepared: Convolution, x: Tensor) -> Tensor:
        activation: Callable[[Tensor], Tensor] | None = getattr(self.module, "activation", None)
        out = prepared(x)
        return out if activation is None else activation(out)


class FrozenNormAlone(Rewrite):
    """``x * scale + shift`` in one pass."""

    name = "frozen_norm"
    trains = True

    @classmethod
    def fits(cls, module: nn.Module) -> bool:
        return is_fixed_norm(module) and is_frozen_norm(module)

    def suits(self, x: Tensor) -> bool:
        return bool(x.dtype == self.module.weight.dtype)

    def prepare(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Mean 0, variance 1, scale and shift, for torch's batch norm without an epsilon."""
        scale, shift = scale_and_shift(self.module)
        return scale.new_zeros(len(scale)), scale.new_ones(len(scale)), scale, shift

    def fast(self, prepared: tuple[Tensor, Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        return F.batch_norm(x, *prepared, training=False, eps=0.0)


def holds_still(norm: Any) -> bool:
    """Whether the norm's statistics are what they are, whatever the input: frozen, or in evaluation."""
    return is_frozen_norm(norm) or not bool(norm.training)


REWRITES = (FoldedNorm, FrozenNormAlone)
