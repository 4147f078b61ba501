"""The Triton kernels as torch operators: launches, gradients, shape rules.

Imported only when the backend is used, because it imports triton. One operator serves both forms of deformable
attention: without references, offsets are locations and logits are weights. Double backward is not supported.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from dsct_detrex.ops.levels import read_levels
from dsct_detrex.ops.triton_kernels import backward_kernel, forward_kernel
from dsct_detrex.ops.triton_tile import INTERPRETED, tile
from dsct_detrex.ops.triton_value_gradient import gather_value_gradient


def _prepare(
    value: Tensor, shapes: Tensor, starts: Tensor, references: Tensor | None, offsets: Tensor, logits: Tensor
) -> tuple[list[Any], dict[str, Any], int]:
    """Tensors as the kernels read them, their other arguments, and the number of programs."""
    images, cells, heads, channels = value.shape
    queries, levels, points = offsets.shape[1], offsets.shape[3], offsets.shape[4]
    if shapes.device.type == "cpu":  # nothing to wait for
        read_levels(shapes, starts, cells)
    floats = (value, offsets, logits) if references is None else (value, references, offsets, logits)
    real = tl.float64 if torch.float64 in [tensor.dtype for tensor in floats] else tl.float32
    sizes = tile(queries, images * queries * heads, levels * points, channels)
    blocks = triton.cdiv(queries, sizes["QUERIES"])
    value, offsets, logits = (_dense_from(tensor, 2) for tensor in (value, offsets, logits))
    tensors = [
        value,
        shapes.to(value.device).contiguous(),
        starts.to(value.device).contiguous(),
        offsets if references is None else references.contiguous(),
        offsets,
        logits,
    ]
    others = {
        "value_image": value.stride(0),
        "value_cell": value.stride(1),
        "offsets_image": offsets.stride(0),
        "offsets_query": offsets.stride(1),
        "logits_image": logits.stride(0),
        "logits_query": logits.stride(1),
        "queries": queries,
        "blocks": blocks,
        "cells": cells,
        "heads": heads,
        "LEVELS": levels,
        "POINTS": points,
        "CHANNELS": channels,
        "REAL": real,
        "REFERENCES": 0 if references is None else references.shape[-1],
        "ALL_SAMPLES": triton.next_power_of_2(levels * points),
        **sizes,
    }
    return tensors, others, images * heads * blocks


def _dense_from(tensor: Tensor, first: int) -> Tensor:
    """The tensor itself where its dimensions from ``first`` on lie densely in memory (slices of a product do)."""
    step = 1
    for size, stride in zip(reversed(tensor.shape[first:]), reversed(tensor.stride()[first:])):
        if size != 1 and stride != step:
            return tensor.contiguous()
        step *= size
    return tensor


def _on(device: torch.device) -> AbstractContextManager[object]:
    """Triton launches on the current device, whatever its arguments are on."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


def _attention(
    value: Tensor,
    shapes: Tensor,
    starts: Tensor,
    references: Tensor | None,
    offsets: Tensor,
    logits: Tensor,
    deterministic: bool,
) -> Tensor:
    """(B, Q, H, D) attention output."""
    output = value.new_empty(value.shape[0], offsets.shape[1], *value.shape[2:])
    tensors, others, programs = _prepare(value, shapes, starts, references, offsets, logits)
    if programs:
        with _on(value.device):
            forward_kernel[(programs,)](*tensors, output, **others)
    return output


def _attention_backward(
    grad_output: Tensor,
    output: Tensor,
    value: Tensor,
    shapes: Tensor,
    starts: Tensor,
    references: Tensor | None,
    offsets: Tensor,
    logits: Tensor,
    value_needs: bool,
    references_need: bool,
    deterministic: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of value, references, offsets and logits; an empty tensor for what needs none."""
    tensors, others, programs = _prepare(value, shapes, starts, references, offsets, logits)
    _, shapes, starts, *_ = tensors  # on the device
    real = torch.float64 if others["REAL"] == tl.float64 else torch.float32
    images, cells, heads, _ = value.shape
    ordered = value_needs and (deterministic or torch.are_deterministic_algorithms_enabled())
    added = value_needs and not ordered
    grad_output, nothing = grad_output.contiguous(), value.new_empty(0)
    grad_value = value.new_zeros(value.shape, dtype=real) if added else nothing
    grad_offsets = offsets.new_empty(offsets.shape, dtype=real if references_need else None)
    grad_logits = logits.new_empty(logits.shape)
    nowhere = images * heads * cells
    number = torch.int32 if nowhere < 2**31 - 1 else torch.int64
    anchors = value.new_empty(logits.shape if ordered else 0, dtype=number)
    places = value.new_empty((*logits.shape, 3) if ordered else 0, dtype=real)
    with _on(value.device):
        if programs:
            backward_kernel[(programs,)](
                grad_output,
                output,
                *tensors,
                grad_value,
                grad_offsets,
                grad_logits,
                anchors,
                places,
                nowhere=nowhere,
                ADD_TO_VALUE=added,
                WRITE_SAMPLES=ordered,
                OF_LOCATIONS=references_need,
                **others,
            )
        if ordered:
            grad_value = gather_value_gradient(value, shapes, starts, grad_output, anchors, places, logits.shape[-1])
    grad_references = nothing
    if references is not None and references_need:
        grad_references, grad_offsets = _through_references(grad_offsets, shapes, references, offsets)
    return grad_value.to(value.dtype), grad_references, grad_offsets, grad_logits


def _through_references(
    grad_locations: Tensor, shapes: Tensor, references: Tensor, offsets: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients of references and offsets from that of the locations; see ``fused.sampling_locations``."""
    at_references = grad_locations.sum((2, 4))
    if references.shape[-1] == 2:
        grad_offsets = grad_locations / shapes.flip(-1)[:, None]
    else:
        steps = 0.5 / offsets.shape[4]
        grad_offsets = grad_locations * (references[:, :, None, :, None, 2:] * steps)
        of_sizes = (grad_locations * (offsets * steps)).sum((2, 4))
        at_references = torch.cat((at_references, of_sizes), -1)
    return at_references.to(references.dtype), grad_offsets.to(offsets.dtype)


def _attention_shape(value: Tensor, *others: Any) -> Tensor:
    offsets = others[3]
    return value.new_empty(value.shape[0], offsets.shape[1], *value.shape[2:])


def _attention_backward_shapes(
    grad_output: Tensor,
    output: Tensor,
    value: Tensor,
    shapes: Tensor,
    starts: Tensor,
    references: Tensor | None,
    offsets: Tensor,
    logits: Tensor,
    value_needs: bool,
    references_need: bool,
    deterministic: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return (
        value.new_empty(value.shape if value_needs else 0),
        value.new_empty(0) if references is None or not references_need else references.new_empty(references.shape),
        offsets.new_empty(offsets.shape),
        logits.new_empty(logits.shape),
    )


def _remember(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    *tensors, ctx.deterministic = inputs
    ctx.save_for_backward(output, *tensors)


def _differentiate(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
    value_needs, _, _, references_need, *_ = ctx.needs_input_grad
    backward = torch.ops.dsct_detrex.triton_attention_backward
    grad_value, grad_references, grad_offsets, grad_logits = backward(
        grad_output, *ctx.saved_tensors, value_needs, references_need, ctx.deterministic
    )
    return (
        grad_value if value_needs else None,
        None,
        None,
        grad_references if references_need else None,
        grad_offsets,
        grad_logits,
        None,
    )


def _register(name: str, signature: str, kernel: Callable[..., object], fake: Callable[..., object]) -> None:
    """Make a torch operator, with its shape rule for the meta device and for torch.compile."""
    torch.library.define(name, signature)
    torch.library.impl(name, ["CUDA", "CPU"] if INTERPRETED else "CUDA", kernel)
    torch.library.register_fake(name, fake)


_INPUTS = "Tensor value, Tensor shapes, Tensor starts, Tensor? references, Tensor offsets, Tensor logits"
_FORWARD, _BACKWARD = "dsct_detrex::triton_attention", "dsct_detrex::triton_attention_backward"
_register(_FORWARD, f"({_INPUTS}, bool deterministic) -> Tensor", _attention, _attention_shape)
_register(
    _BACKWARD,
    f"(Tensor grad_output, Tensor output, {_INPUTS}, bool value_needs, bool references_need, bool deterministic) -> "
    "(Tensor, Tensor, Tensor, Tensor)",
    _attention_backward,
    _attention_backward_shapes,
)
torch.library.register_autograd(_FORWARD, _differentiate, setup_context=_remember)
