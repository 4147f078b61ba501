"""The CPU backend: validates, divides the work over threads, and tells torch how to differentiate the numba kernels.

Imported only when the backend is used, because numba takes a while to import. Shape letters as in `numba_kernels`.
Compiling takes some seconds once per machine (see `numba_kernels._compiled`). Double backward is not supported.
"""

from functools import partial
from math import ceil, gcd
from typing import Any

import torch
from torch import Tensor

from dsct_detrex.ops.numba_kernels import backward_block, forward_block
from dsct_detrex.ops.threads import run_tasks

# Blocks of queries handed out per thread, so that a thread that was held up by something else takes fewer.
_BLOCKS_PER_THREAD = 4


def forward(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    """The backend's entry point; arguments and result as in `multi_scale_deformable_attn`, one float dtype."""
    output: Tensor = _attention(value, shapes, starts, locations, weights)
    return output.flatten(2)


def _check_levels(value: Tensor, shapes: Tensor, starts: Tensor) -> None:
    """The kernels check no bounds, so the levels must lie inside `value`."""
    for (height, width), start in zip(shapes.tolist(), starts.tolist()):
        if height < 1 or width < 1 or start < 0 or start + height * width > value.shape[1]:
            raise ValueError(
                f"multi_scale_deformable_attn: the level of {height} x {width} cells from position {start} on does "
                f"not fit into value with {value.shape[1]} positions; check spatial_shapes and level_start_index."
            )


def _numpy(*tensors: Tensor) -> list[Any]:
    return [tensor.detach().contiguous().numpy() for tensor in tensors]


def _divide(count: int, parts: int) -> list[tuple[int, int]]:
    """0..count-1 as at most `parts` ranges (first, end) whose lengths differ by one at most; none for count 0."""
    parts = min(count, parts)
    return [(i * count // parts, (i + 1) * count // parts) for i in range(parts)]


@torch.library.custom_op("dsct_detrex::multi_scale_deformable_attn", mutates_args=(), device_types="cpu")
def _attention(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    """(B, Q, H, D) attention output."""
    _check_levels(value, shapes, starts)
    images, _, heads, channels = value.shape
    queries = locations.shape[1]
    output = value.new_empty(images, queries, heads, channels)
    block = partial(forward_block, *_numpy(value, shapes, starts, locations, weights, output))
    lanes = (0,) * channels
    threads = torch.get_num_threads()
    block(0, 0, 0, lanes)  # an empty block: compiles here, not in a helper thread
    ranges = _divide(queries, ceil(_BLOCKS_PER_THREAD * threads / max(images, 1)))
    run_tasks([partial(block, image, *range_, lanes) for image in range(images) for range_ in ranges], threads)
    return output


@torch.library.custom_op("dsct_detrex::multi_scale_deformable_attn_backward", mutates_args=(), device_types="cpu")
def _attention_backward(
    grad_output: Tensor, value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of value, locations and weights."""
    images, _, heads, channels = value.shape
    inputs = _numpy(value, shapes, starts, locations, weights, grad_output)
    grads = (torch.zeros(value.shape, dtype=value.dtype), *(torch.empty(t.shape, dtype=t.dtype) for t in (locations, weights)))
    block = partial(backward_block, *inputs, *_numpy(*grads))
    lanes = (0,) * channels
    threads = torch.get_num_threads()
    block(0, 0, 0, lanes)
    # Few, wide ranges of heads are fastest (they share cached cells), as long as every thread gets the same number.
    ranges = _divide(heads, threads // gcd(max(images, 1), threads))
    run_tasks([partial(block, image, *range_, lanes) for image in range(images) for range_ in ranges], threads)
    return grads


@_attention.register_fake
def _(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    return value.new_empty(value.shape[0], locations.shape[1], *value.shape[2:])


@_attention_backward.register_fake
def _(
    grad_output: Tensor, value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    return value.new_empty(value.shape), locations.new_empty(locations.shape), weights.new_empty(weights.shape)


def _remember(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _differentiate(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
    grad_value, grad_locations, grad_weights = _attention_backward(grad_output, *ctx.saved_tensors)
    return grad_value, None, None, grad_locations, grad_weights


_attention.register_autograd(_differentiate, setup_context=_remember)
