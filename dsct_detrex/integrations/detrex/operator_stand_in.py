"""A stand-in for ``detrex._C``, detrex's compiled operator, computed by ``dsct_detrex.ops`` on any device.

Without ``detrex._C`` detrex replaces its deformable attention by a class that refuses to be built. With this module in
its place the layer exists; on GPU tensors it calls the two functions below, on CPU tensors it uses detrex's own PyTorch
version as ever. A compiled operator is never replaced, hidden or imported from here.

Shapes as in ``ops.multi_scale_deformable_attn``: B images, Q queries, H heads, L levels, P points.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import ModuleType

import torch
from torch import Tensor

from dsct_detrex.integrations.detrex_operator import OPERATOR, STAND_IN_MARK, compiled_operator, forget_operator
from dsct_detrex.ops import multi_scale_deformable_attn


def ms_deform_attn_forward(
    value: Tensor,
    spatial_shapes: Tensor,
    level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    im2col_step: int,
) -> Tensor:
    """(B, Q, H * D), as the compiled function; ``im2col_step`` only sets that one's batching and is not used."""
    with torch.no_grad():
        return multi_scale_deformable_attn(
            value, spatial_shapes, level_start_index, sampling_locations, attention_weights
        )


def ms_deform_attn_backward(
    value: Tensor,
    spatial_shapes: Tensor,
    level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    grad_output: Tensor,
    im2col_step: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of value, sampling locations and attention weights; computes the forward pass a second time."""
    with torch.enable_grad():
        leaves = [t.detach().requires_grad_() for t in (value, sampling_locations, attention_weights)]
        output = multi_scale_deformable_attn(leaves[0], spatial_shapes, level_start_index, leaves[1], leaves[2])
    by_value, by_location, by_weight = torch.autograd.grad(output, leaves, grad_output)
    return by_value, by_location, by_weight


def register_stand_in(package: Iterable[str]) -> bool:
    """Put the stand-in where ``import detrex._C`` finds it, unless there is a compiled operator.

    Args:
        package: the folders of the package ``detrex``, whether it is imported yet or not.

    Returns:
        whether the stand-in is in place; False means that a compiled operator is.
    """
    present = sys.modules.get(OPERATOR)
    if present is not None:
        return hasattr(present, STAND_IN_MARK)
    if compiled_operator(package) is not None:
        return False
    module = ModuleType(OPERATOR, __doc__)
    for function in (ms_deform_attn_forward, ms_deform_attn_backward):
        setattr(module, function.__name__, function)
    setattr(module, STAND_IN_MARK, True)
    sys.modules[OPERATOR] = module
    forget_operator()
    return True
