"""detrex's own PyTorch formulation of multi-scale deformable attention, which it uses where nothing was compiled."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from dsct_detrex.integrations.detrex.errors import DetrexError
from dsct_detrex.integrations.detrex.installation import DETREX_ROOT, locate, located


def use_checkout(folder: Path) -> None:
    """Let ``locate`` find detrex in a folder, in this process and in those that it starts."""
    os.environ[DETREX_ROOT] = str(folder)


def fallback_operator(folder: Path) -> Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]:
    """The function of a checkout; arguments and result as in ``ops.multi_scale_deformable_attn``.

    Raises:
        DetrexError: detrex cannot be used (see ``locate``), or has no such function.
    """
    use_checkout(folder)
    located() or locate()
    layer = importlib.import_module("detrex.layers.multi_scale_deform_attn")
    function = getattr(layer, "multi_scale_deformable_attn_pytorch", None)
    if function is None:
        raise DetrexError(f"detrex in {folder} has no multi_scale_deformable_attn_pytorch to measure.")

    def operator(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
        output: Tensor = function(value, shapes, locations, weights)
        return output

    return operator
