"""The CPU backend: validates, divides the work over threads, and tells torch how to differentiate the numba kernels.

Imported only when the backend is used, because numba takes a while to import. Shape letters as in `numba_kernels`.
Compiling takes some seconds once per machine (see `numba_kernels._compiled`). Double backward is not supported.
"""

from collections.abc import Callable
from functools import partial
from math import ceil, gcd
from typing import Any

import torch
from torch import Tensor

from dsct_detrex.ops.levels import read_levels
from dsct_detrex.ops.numba_kernels import backward_block, forward_block
from dsct_detrex.ops.threads import run_tasks

# Blocks of queries handed out per thread, so that a thread that was held up by something else takes fewer.
_BLOCKS_PER_THREAD = 4


def forward(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    """The backend's entry point; arguments and result as in `multi_scale_deformable_attn`, one float dtype."""
    output: Tensor = torch.ops.dsct_detrex.deformable_attention(value, shapes, starts, locations, weights)
    return output.flatten(2)


def _numpy(*tensors: Tensor) -> list[Any]:
    return [tensor.detach().contiguous().numpy() for tensor in tensors]


def _divide(count: int, parts: int) -> list[tuple[int, int]]:
    """0..count-1 as at most `parts` ranges (first, end) whose lengths differ by one at most; none for count 0."""
    parts = min(count, parts)
    return [(i * count // parts, (i + 1) * count // parts) for i in range(parts)]


def _attention(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    """(B, Q, H, D) attention output."""
    read_levels(shapes, starts, value.shape[1])  # the kernels check no bounds
    images, _, heads, channels = value.shape
    queries = locations.shape[1]
    output = value.new_empty(images, queries, heads, channels)
    block: Callable[..., None] = partial(forward_block, *_numpy(value, shapes, starts, locations, weights, output))
    lanes = (0,) * channels
    threads = torch.get_num_threads()
    block(0, 0, 0, lanes)  # an empty block: compiles here, not in a helper thread
    ranges = _divide(queries, ceil(_BLOCKS_PER_THREAD * threads / max(images, 1)))
    run_tasks([partial(block, image, *range_, lanes) for image in range(images) for range_ in ranges], threads)
    return output


def _attention_backward(
    grad_output: Tensor, value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of value, locations and weights."""
    images, _, heads, channels = value.shape
    inputs = _numpy(value, shapes, starts, locations, weights, grad_output)
    grad_value = torch.zeros(value.shape, dtype=value.dtype)
    grad_locations = torch.empty(locations.shape, dtype=locations.dtype)
    grad_weights = torch.empty(weights.shape, dtype=weights.dtype)
    block: Callable[..., None] = partial(backward_block, *inputs, *_numpy(grad_value, grad_locations, grad_weights))
    lanes = (0,) * channels
    threads = torch.get_num_threads()
    block(0, 0, 0, lanes)
    # Few, wide ranges of heads are fastest (they share cached cells), as long as every thread gets the same number.
    ranges = _divide(heads, threads // gcd(max(images, 1), threads))
    run_tasks([partial(block, image, *range_, lanes) for image in range(images) for range_ in ranges], threads)
    return grad_value, grad_locations, grad_weights


def _attention_shape(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    return value.new_empty(value.shape[0], locations.shape[1], *value.shape[2:])


def _attention_backward_shapes(
    grad_output: Tensor, value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    return value.new_empty(value.shape), locations.new_empty(locations.shape), weights.new_empty(weights.shape)


def _remember(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _differentiate(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
    backward = torch.ops.dsct_detrex.deformable_attention_backward
    grad_value, grad_locations, grad_weights = backward(grad_output, *ctx.saved_tensors)
    return grad_value, None, None, grad_locations, grad_weights


def _register(name: str, signature: str, cpu: Callable[..., object], fake: Callable[..., object]) -> None:
    """Make a torch operator, with its shape rule for the meta device and for torch.compile.

    Not by `torch.library.custom_op`, whose first call imports the whole of torch.compile: a second at every start.
    """
    torch.library.define(name, signature)
    torch.library.impl(name, "CPU", cpu)
    torch.library.register_fake(name, fake)


_INPUTS = "Tensor value, Tensor shapes, Tensor starts, Tensor locations, Tensor weights"
_FORWARD, _BACKWARD = "dsct_detrex::deformable_attention", "dsct_detrex::deformable_attention_backward"
_register(_FORWARD, f"({_INPUTS}) -> Tensor", _attention, _attention_shape)
_register(
    _BACKWARD,
    f"(Tensor grad_output, {_INPUTS}) -> (Tensor, Tensor, Tensor)",
    _attention_backward,
    _attention_backward_shapes,
)
torch.library.register_autograd(_FORWARD, _differentiate, setup_context=_remember)
