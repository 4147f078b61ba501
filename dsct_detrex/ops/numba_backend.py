"""The CPU backend: tells torch how to call and how to differentiate the numba kernels of `numba_kernels`.

Imported only when the backend is used, because numba takes a while to import. Shape letters as in `numba_kernels`.
Compiling takes some seconds once per machine (see `numba_sampling.compiled`). Double backward is not supported.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from dsct_detrex.ops.levels import read_levels
from dsct_detrex.ops.numba_calls import (
    dense_from,
    flat,
    lanes,
    over_heads,
    over_queries,
    register,
    tables,
    value_pitches,
)
from dsct_detrex.ops.numba_kernels import backward_block, forward_block


def forward(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    """The backend's entry point; arguments and result as in `multi_scale_deformable_attn`, one float dtype."""
    output: Tensor = torch.ops.dsct_detrex.deformable_attention(value, shapes, starts, locations, weights)
    return output.flatten(2)


def _attention(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    """(B, Q, H, D) attention output."""
    levels = read_levels(shapes, starts, value.shape[1])  # the kernels check no bounds
    images, queries, heads = weights.shape[:3]
    output = value.new_zeros(images, queries, heads, value.shape[3])
    if weights.numel() == 0 or value.numel() == 0:
        return output
    value = dense_from(3, value)
    block = partial(
        forward_block,
        flat(value),
        flat(locations.contiguous()),
        flat(weights.contiguous()),
        *tables(levels, weights.shape[4], value.dtype),
        flat(output),
        value_pitches(value),
        queries,
        heads,
        lanes(value.shape[3]),
        lanes(weights.shape[3] * weights.shape[4]),
    )
    over_queries(block, images, queries)
    return output


def _attention_backward(
    grad_output: Tensor, value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of value, locations and weights."""
    images, queries, heads = weights.shape[:3]
    value = dense_from(3, value)
    grad_value = torch.zeros_like(value)
    grad_locations = torch.zeros(locations.shape, dtype=locations.dtype)
    grad_weights = torch.zeros(weights.shape, dtype=weights.dtype)
    if weights.numel() == 0 or value.numel() == 0:
        return grad_value, grad_locations, grad_weights
    block = partial(
        backward_block,
        flat(value),
        flat(locations.contiguous()),
        flat(weights.contiguous()),
        *tables(read_levels(shapes, starts, value.shape[1]), weights.shape[4], value.dtype),
        flat(grad_output.contiguous()),
        flat(grad_value),
        flat(grad_locations),
        flat(grad_weights),
        value_pitches(value) + value_pitches(grad_value),
        queries,
        heads,
        lanes(value.shape[3]),
        lanes(weights.shape[3] * weights.shape[4]),
    )
    over_heads(block, images, heads)
    return grad_value, grad_locations, grad_weights


def _attention_shape(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    return value.new_empty(value.shape[0], locations.shape[1], *value.shape[2:])


def _attention_backward_shapes(
    grad_output: Tensor, value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    grad_value = torch.empty_like(dense_from(3, value))
    return grad_value, locations.new_empty(locations.shape), weights.new_empty(weights.shape)


def _remember(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _differentiate(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
    backward = torch.ops.dsct_detrex.deformable_attention_backward
    grad_value, grad_locations, grad_weights = backward(grad_output, *ctx.saved_tensors)
    return grad_value, None, None, grad_locations, grad_weights


_INPUTS = "Tensor value, Tensor shapes, Tensor starts, Tensor locations, Tensor weights"
_FORWARD, _BACKWARD = "dsct_detrex::deformable_attention", "dsct_detrex::deformable_attention_backward"
register(_FORWARD, f"({_INPUTS}) -> Tensor", _attention, _attention_shape)
register(
    _BACKWARD,
    f"(Tensor grad_output, {_INPUTS}) -> (Tensor, Tensor, Tensor)",
    _attention_backward,
    _attention_backward_shapes,
)
torch.library.register_autograd(_FORWARD, _differentiate, setup_context=_remember)
