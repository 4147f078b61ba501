"""The gradient of `value` without atomics: samples sorted by cell, and every cell gathers its own.

Sums in floating point depend on their order, and atomic additions come in any. Here a stable sort fixes the order, so
that the same arguments give the same bits. A sample is filed under the first of its (up to) four cells that exists, its
*anchor*; a cell then finds all samples that touch it under itself and its left, upper and upper left neighbours, and
computes its share of each. Shapes and names as in `triton_kernels`.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from dsct_detrex.ops.triton_sampling import compiled

_CELLS = 16
"""Cells of a program: few, because it walks as long as its fullest cell."""


@compiled
def gather_kernel(
    grad_output: tl.tensor,
    shapes: tl.tensor,
    starts: tl.tensor,
    order: tl.tensor,
    bounds: tl.tensor,
    places: tl.tensor,
    grad_value: tl.tensor,
    blocks: tl.tensor,
    cells: tl.tensor,
    heads: tl.tensor,
    LEVELS: tl.constexpr,
    POINTS: tl.constexpr,
    CHANNELS: tl.constexpr,
    CELLS: tl.constexpr,
    TILE_CHANNELS: tl.constexpr,
    REAL: tl.constexpr,
) -> None:
    """Writes (B, S, H, D) `grad_value`; samples `order[bounds[c]:bounds[c + 1]]` are those with anchor c."""
    SAMPLES: tl.constexpr = LEVELS * POINTS
    program = tl.program_id(0)
    head = program % heads
    image = (program // heads // blocks).to(tl.int64)
    cell = program // heads % blocks * CELLS + tl.arange(0, CELLS)
    lane = tl.arange(0, TILE_CHANNELS)
    total = tl.zeros((CELLS, TILE_CHANNELS), REAL)
    for level in range(LEVELS):
        height = tl.load(shapes + 2 * level).to(tl.int32)
        width = tl.load(shapes + 2 * level + 1).to(tl.int32)
        local = cell - tl.load(starts + level).to(tl.int32)
        inside = (local >= 0) & (local < height * width) & (cell < cells)
        row, column = local // width, local % width
        for neighbour in tl.static_range(4):
            here = inside & (column >= neighbour % 2) & (row >= neighbour // 2)
            anchor = (image * heads + head) * cells + cell - neighbour // 2 * width - neighbour % 2
            first = tl.load(bounds + anchor, mask=here, other=0)
            end = tl.load(bounds + anchor + 1, mask=here, other=0)
            for step in range(tl.max(end - first, 0)):
                sample = tl.load(order + first + step, mask=first + step < end, other=0)
                valid = (first + step < end) & (sample % SAMPLES // POINTS == level)  # levels could share cells
                x = tl.load(places + 3 * sample, mask=valid, other=0.0)
                y = tl.load(places + 3 * sample + 1, mask=valid, other=0.0)
                share = tl.maximum(1.0 - tl.abs(x - column), 0.0) * tl.maximum(1.0 - tl.abs(y - row), 0.0)
                share *= tl.load(places + 3 * sample + 2, mask=valid, other=0.0)
                grad = grad_output + (sample // SAMPLES)[:, None] * CHANNELS + lane[None, :]
                read = tl.load(grad, mask=valid[:, None] & (lane < CHANNELS)[None, :], other=0.0).to(REAL)
                total += read * share[:, None]
    to = grad_value + ((image * cells + cell) * heads + head)[:, None] * CHANNELS + lane[None, :]
    tl.store(to, total, mask=(cell < cells)[:, None] & (lane < CHANNELS)[None, :])


def gather_value_gradient(
    value: Tensor,
    shapes: Tensor,
    starts: Tensor,
    grad_output: Tensor,
    anchors: Tensor,
    places: Tensor,
    points: int,
) -> Tensor:
    """Gradient of `value`, in its dtype, from what `backward_kernel` wrote down of the samples.

    Args:
        value, shapes, starts: the operator's arguments.
        grad_output: (B, Q, H, D).
        anchors: (B, Q, H, K) first existing cell, counted through images and heads; B * H * S where there is none.
        places: (B, Q, H, K, 3) x, y in cells of the level and the weight.
        points: P.
    """
    images, cells, heads, channels = value.shape
    gradient = value.new_empty(value.shape)
    filed, order = torch.sort(anchors.flatten(), stable=True)
    numbers = torch.arange(images * heads * cells + 1, device=value.device, dtype=filed.dtype)
    bounds = torch.searchsorted(filed, numbers)
    blocks = triton.cdiv(cells, _CELLS)
    programs = images * heads * blocks
    if programs:
        gather_kernel[(programs,)](
            grad_output,
            shapes,
            starts,
            order,
            bounds,
            places,
            gradient,
            blocks,
            cells,
            heads,
            LEVELS=len(shapes),
            POINTS=points,
            CHANNELS=channels,
            CELLS=_CELLS,
            TILE_CHANNELS=triton.next_power_of_2(channels),
            REAL=tl.float64 if places.dtype == torch.float64 else tl.float32,
        )
    return gradient
