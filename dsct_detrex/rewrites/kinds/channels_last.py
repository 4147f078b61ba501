"""Convolutions without a fixed norm (necks, input projections): channels last on a CPU, weights laid out once.

Their maps leave channels last too, so that an encoder's tokens are a view of them.
"""

from __future__ import annotations

from torch import Tensor, nn

from dsct_detrex.rewrites.convolution import Convolution, fold, is_plain_convolution
from dsct_detrex.rewrites.onednn import serves
from dsct_detrex.rewrites.rewrite import Rewrite


class PlainConvolution(Rewrite):
    """A ``Conv2d`` and nothing else; shapes as of ``Conv2d``."""

    name = "channels_last"

    @classmethod
    def fits(cls, module: nn.Module) -> bool:
        return is_plain_convolution(module) and type(module).forward is nn.Conv2d.forward

    def suits(self, x: Tensor) -> bool:
        return x.dim() == 4 and x.numel() > 0 and serves(x)

    def prepare(self) -> Convolution:
        return fold(self.module, None)

    def fast(self, prepared: Convolution, x: Tensor) -> Tensor:
        return prepared(x)


REWRITES = (PlainConvolution,)
