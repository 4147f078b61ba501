"""The fused pass of the CPU backend: tells torch how to call and how to differentiate `numba_fused_kernels`.

Imported only when used, as `numba_backend`. Shape letters as in `numba_fused_kernels`. Nothing but the inputs is kept
for the backward pass; double backward is not supported.
"""

from collections.abc import Callable
from functools import partial, reduce
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
from dsct_detrex.ops.numba_fused_kernels import fused_backward_block, fused_forward_block


def fused(value: Tensor, shapes: Tensor, starts: Tensor, references: Tensor, offsets: Tensor, logits: Tensor) -> Tensor:
    """The backend's entry point; arguments and result as in `fused_deformable_attn`, of any float dtypes."""
    floats = (value, references, offsets, logits)
    dtype = reduce(torch.promote_types, (tensor.dtype for tensor in floats), torch.float32)
    wide, *others = (tensor.to(dtype) for tensor in floats)
    output: Tensor = torch.ops.dsct_detrex.fused_deformable_attention(wide, shapes, starts, *others)
    return output.flatten(2).to(value.dtype)


def _attention(
    value: Tensor, shapes: Tensor, starts: Tensor, references: Tensor, offsets: Tensor, logits: Tensor
) -> Tensor:
    """(B, Q, H, D) attention output."""
    levels = read_levels(shapes, starts, value.shape[1])  # the kernels check no bounds
    output = value.new_empty(*logits.shape[:3], value.shape[3])
    if logits.numel() == 0 or value.numel() == 0:
        return output.zero_()
    value, offsets, logits = dense_from(3, value), dense_from(2, offsets), dense_from(2, logits)
    block: Callable[..., None] = fused_forward_block
    block = partial(
        block,
        flat(value),
        flat(references.contiguous()),
        flat(offsets),
        flat(logits),
        *tables(levels, logits.shape[4], value.dtype),
        flat(output),
        value_pitches(value) * 2 + _pitches(offsets, logits),
        *_sizes(value, references, logits),
    )
    over_queries(block, *logits.shape[:2])
    return output


def _attention_backward(
    grad_output: Tensor,
    value: Tensor,
    shapes: Tensor,
    starts: Tensor,
    references: Tensor,
    offsets: Tensor,
    logits: Tensor,
    with_references: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of value, of references (zeros unless ``with_references``), and of offsets and logits in one tensor.

    The last is (B, Q, 3 * H * L * P): all offsets, then all logits, so that a layer that predicted both in one product
    has its gradient in one piece.
    """
    images, queries, heads = logits.shape[:3]
    value, offsets, logits = dense_from(3, value), dense_from(2, offsets), dense_from(2, logits)
    grad_value = torch.zeros_like(value)
    grad_references = references.new_zeros(images, queries, heads if with_references else 0, *references.shape[2:])
    grad_predicted = value.new_empty(images, queries, 3 * logits.shape[2:].numel())
    if logits.numel() == 0 or value.numel() == 0:
        return grad_value, grad_references.sum(2), grad_predicted.zero_()
    grad_offsets, grad_logits = _parts(grad_predicted, logits.shape)
    block: Callable[..., None] = fused_backward_block
    block = partial(
        block,
        flat(value),
        flat(references.contiguous()),
        flat(offsets),
        flat(logits),
        *tables(read_levels(shapes, starts, value.shape[1]), logits.shape[4], value.dtype),
        flat(grad_output.contiguous()),
        flat(grad_value),
        flat(grad_references),
        flat(grad_offsets),
        flat(grad_logits),
        value_pitches(value) + value_pitches(grad_value) + _pitches(offsets, logits, grad_offsets, grad_logits),
        *_sizes(value, references, logits),
    )
    over_heads(block, images, heads)
    return grad_value, grad_references.sum(2), grad_predicted


def _parts(predicted: Tensor, shape: torch.Size) -> tuple[Tensor, Tensor]:
    """Views of a (B, Q, 3 * H * L * P) tensor: (B, Q, H, L, P, 2), then (B, Q, H, L, P), which is ``shape``."""
    count = shape[2:].numel()
    offsets, logits = torch.split(predicted, [2 * count, count], -1)
    return offsets.view(*shape, 2), logits.view(shape)


def _pitches(*tensors: Tensor) -> tuple[int, ...]:
    """From image to image and from query to query, of each."""
    return tuple(stride for tensor in tensors for stride in tensor.stride()[:2])


def _sizes(value: Tensor, references: Tensor, logits: Tensor) -> tuple[tuple[int, ...], ...]:
    """``sizes``, ``lanes`` and ``samples`` of the kernels."""
    _, queries, heads, levels, points = logits.shape
    return (queries, heads, points, references.shape[-1]), lanes(value.shape[3]), lanes(levels * points)


def _attention_shape(
    value: Tensor, shapes: Tensor, starts: Tensor, references: Tensor, offsets: Tensor, logits: Tensor
) -> Tensor:
    return value.new_empty(*logits.shape[:3], value.shape[3])


def _attention_backward_shapes(
    grad_output: Tensor,
    value: Tensor,
    shapes: Tensor,
    starts: Tensor,
    references: Tensor,
    offsets: Tensor,
    logits: Tensor,
    with_references: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    grad_predicted = value.new_empty(*logits.shape[:2], 3 * logits.shape[2:].numel())
    return torch.empty_like(dense_from(3, value)), references.new_empty(references.shape), grad_predicted


def _remember(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _differentiate(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
    backward = torch.ops.dsct_detrex.fused_deformable_attention_backward
    with_references = ctx.needs_input_grad[3]
    saved = ctx.saved_tensors  # asked for once: a recomputed layer unpacks them once
    grad_value, grad_references, grad_predicted = backward(grad_output, *saved, with_references)
    grad_parts = _parts(grad_predicted, saved[-1].shape)
    return grad_value, None, None, grad_references if with_references else None, *grad_parts


_INPUTS = "Tensor value, Tensor shapes, Tensor starts, Tensor references, Tensor offsets, Tensor logits"
_FORWARD, _BACKWARD = "dsct_detrex::fused_deformable_attention", "dsct_detrex::fused_deformable_attention_backward"
register(_FORWARD, f"({_INPUTS}) -> Tensor", _attention, _attention_shape)
register(
    _BACKWARD,
    f"(Tensor grad_output, {_INPUTS}, bool with_references) -> (Tensor, Tensor, Tensor)",
    _attention_backward,
    _attention_backward_shapes,
)
torch.library.register_autograd(_FORWARD, _differentiate, setup_context=_remember)
