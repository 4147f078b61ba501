"""Multi-scale deformable attention as one function, whichever backend computes it.

Every query of every head samples P points on each of L feature maps and adds the samples up with its weights.
Source: Deformable DETR (arXiv:2010.04159), Eq. 3.
"""

import functools
import importlib.util

import torch
from torch import Tensor

from dsct_detrex.ops import pytorch_backend
from dsct_detrex.ops.backends import Backend, choose_backend, register_backend


def multi_scale_deformable_attn(
    value: Tensor,
    spatial_shapes: Tensor,
    level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
) -> Tensor:
    """Sample the feature maps at the locations (bilinear, zeros outside) and sum the samples with their weights.

    Shapes: B images, S cells of all levels in a row, H heads, D channels a head, Q queries, L levels, P points.

    Args:
        value: (B, S, H, D) features, rows of a level first.
        spatial_shapes: (L, 2) int64, height and width of each level in cells.
        level_start_index: (L,) int64, position of each level's first cell in S.
        sampling_locations: (B, Q, H, L, P, 2) xy in [0, 1] of the padded map; pixel centres lie at
            (i + 0.5) / size.
        attention_weights: (B, Q, H, L, P), usually a softmax over L * P.

    Returns:
        (B, Q, H * D) in the dtype of `value`. The computation itself runs in the widest dtype of the three float
        tensors, at least float32. A location that is not finite gives NaN.

    Raises:
        ValueError: shapes that do not fit together.
        BackendError: a backend was asked for that is unknown or cannot run here.
    """
    _check_shapes(value, spatial_shapes, level_start_index, sampling_locations, attention_weights)
    dtype = torch.promote_types(value.dtype, torch.promote_types(sampling_locations.dtype, attention_weights.dtype))
    dtype = torch.promote_types(dtype, torch.float32)
    wide = value.to(dtype)
    output = choose_backend(wide).forward(
        wide, spatial_shapes, level_start_index, sampling_locations.to(dtype), attention_weights.to(dtype)
    )
    return output.to(value.dtype)


def _check_shapes(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> None:
    queries, points = (locations.shape[1], locations.shape[4]) if locations.ndim == 6 else (-1, -1)
    check_values_and_levels("multi_scale_deformable_attn", value, shapes, starts)
    images, heads, levels = value.shape[0], value.shape[2], shapes.shape[0]
    check_shapes(
        "multi_scale_deformable_attn",
        {
            "sampling_locations": (locations, (images, queries, heads, levels, points, 2)),
            "attention_weights": (weights, (images, queries, heads, levels, points)),
        },
    )


def check_values_and_levels(function: str, value: Tensor, shapes: Tensor, starts: Tensor) -> None:
    """What both forms of the operator expect of values and levels; `function` is the name of the one that complains.

    Raises:
        ValueError: they do not fit together, or are not integers.
    """
    if value.ndim != 4 or shapes.ndim != 2:
        raise ValueError(
            f"{function} expects value (B, S, H, D) and spatial_shapes (L, 2). "
            f"Got {tuple(value.shape)} and {tuple(shapes.shape)}."
        )
    levels = shapes.shape[0]
    check_shapes(function, {"spatial_shapes": (shapes, (levels, 2)), "level_start_index": (starts, (levels,))})
    for name, tensor in (("spatial_shapes", shapes), ("level_start_index", starts)):
        if tensor.dtype != torch.int64:
            raise ValueError(f"{function} expects {name} of dtype torch.int64. Got {tensor.dtype}.")


def check_shapes(function: str, expected: dict[str, tuple[Tensor, tuple[int, ...]]]) -> None:
    """Compare each named tensor with its shape; -1 there says that a number could be any.

    Raises:
        ValueError: one differs.
    """
    for name, (tensor, shape) in expected.items():
        if tensor.shape != shape:
            wanted = str(shape).replace("-1", "any")
            raise ValueError(f"{function} expects {name} of shape {wanted}. Got {tuple(tensor.shape)}.")


_NUMBA_CHANNELS = 1000
"""Channels of a head that numba's tuples can count."""


@functools.cache
def numba_is_installed() -> bool:
    """Asked without importing it, which takes about a second."""
    return importlib.util.find_spec("numba") is not None


def _numba_forward(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    from dsct_detrex.ops import numba_backend  # on first use: importing numba takes about a second

    return numba_backend.forward(value, shapes, starts, locations, weights)


def _numba_fused(
    value: Tensor, shapes: Tensor, starts: Tensor, references: Tensor, offsets: Tensor, logits: Tensor
) -> Tensor:
    from dsct_detrex.ops import numba_fused

    return numba_fused.fused(value, shapes, starts, references, offsets, logits)


def _numba_supports(value: Tensor) -> bool:
    unrollable = value.shape[-1] <= _NUMBA_CHANNELS
    return value.device.type in ("cpu", "meta") and unrollable and numba_is_installed()


register_backend(
    Backend(
        name="pytorch",
        forward=pytorch_backend.forward,
        supports=lambda value: True,
        priority=0,
        needs="nothing but torch",
    )
)
register_backend(
    Backend(
        name="numba",
        forward=_numba_forward,
        supports=_numba_supports,
        priority=10,
        needs="tensors on the CPU and the package numba (pip install numba)",
        fused=_numba_fused,
    )
)
