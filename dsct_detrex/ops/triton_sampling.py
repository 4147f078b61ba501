"""What the Triton kernels share: which queries a program has, their softmax, their pixels and the cells around these.

Shapes and names as in `triton_kernels`: a program holds (N, k) samples, N queries of one head and k samples of each.
Softmax and locations live on (N, k), in registers, once for all channels.

Source of the operator: Deformable DETR (arXiv:2010.04159), Eq. 3 and appendix A.4.
"""

from collections.abc import Callable
from typing import Any

import triton
import triton.language as tl

Tensors = tuple[tl.tensor, ...]
"""Written in quotes, because the compiler must not meet it."""


def compiled(function: Callable[..., Any]) -> Any:
    """Triton's compilation, but not anew for every divisibility of a number of queries or cells."""
    return triton.jit(function, do_not_specialize=["queries", "blocks", "cells"])


@compiled
def rows(queries: tl.tensor, blocks: tl.tensor, heads: tl.tensor, QUERIES: tl.constexpr) -> "Tensors":
    """This program's image, head, (N,) queries, and which of these exist. Heads vary fastest: they are neighbours."""
    program = tl.program_id(0)
    head = program % heads
    image = (program // heads // blocks).to(tl.int64)
    query = program // heads % blocks * QUERIES + tl.arange(0, QUERIES)
    return image, head, query, query < queries


@compiled
def softmax_parts(
    logits: tl.tensor,
    place: tl.tensor,
    exists: tl.tensor,
    SAMPLES: tl.constexpr,
    ALL_SAMPLES: tl.constexpr,
    REAL: tl.constexpr,
) -> "Tensors":
    """(N,) largest logit and the sum of the exponentials beside it, over all samples."""
    sample = tl.arange(0, ALL_SAMPLES)
    known = exists[:, None] & (sample < SAMPLES)[None, :]
    scores = tl.load(logits + place[:, None] + sample[None, :], mask=known, other=-float("inf")).to(REAL)
    scores = tl.where(exists[:, None], scores, 0.0)  # rows beyond the last query: anything but NaN
    highest = tl.max(scores, 1)
    return highest, tl.sum(tl.exp(scores - highest[:, None]), 1)


@compiled
def pixels(
    shapes: tl.tensor,
    starts: tl.tensor,
    references: tl.tensor,
    offsets: tl.tensor,
    row: tl.tensor,
    place: tl.tensor,
    sample: tl.tensor,
    known: tl.tensor,
    cells: tl.tensor,
    LEVELS: tl.constexpr,
    POINTS: tl.constexpr,
    REFERENCES: tl.constexpr,
    REAL: tl.constexpr,
) -> "Tensors":
    """(N, k) pixel coordinates x and y, their slopes against the offsets, (1, k) height, width, start of the levels."""
    level = sample // POINTS
    inside = level < LEVELS
    height = tl.load(shapes + 2 * level, mask=inside, other=1)
    width = tl.load(shapes + 2 * level + 1, mask=inside, other=1)
    start = tl.load(starts + level, mask=inside, other=0)
    fits = (height >= 1) & (width >= 1) & (start >= 0) & (start + height * width <= cells)
    high, wide = height.to(REAL)[None, :], width.to(REAL)[None, :]
    at = offsets + place[:, None] + 2 * sample[None, :]
    x = tl.load(at, mask=known, other=0.0).to(REAL)
    y = tl.load(at + 1, mask=known, other=0.0).to(REAL)
    slope_x, slope_y = tl.zeros_like(x) + 1.0, tl.zeros_like(y) + 1.0
    if REFERENCES == 0:
        slope_x *= wide
        slope_y *= high
        x, y = x * wide, y * high
    else:
        reference = references + (row[:, None] * LEVELS + level[None, :]) * REFERENCES
        if REFERENCES == 4:
            slope_x *= tl.load(reference + 2, mask=known, other=0.0).to(REAL) * (0.5 / POINTS) * wide
            slope_y *= tl.load(reference + 3, mask=known, other=0.0).to(REAL) * (0.5 / POINTS) * high
            x, y = x * slope_x, y * slope_y
        x += tl.load(reference, mask=known, other=0.0).to(REAL) * wide
        y += tl.load(reference + 1, mask=known, other=0.0).to(REAL) * high
    x = tl.where(fits[None, :], x - 0.5, float("nan"))
    y = tl.where(fits[None, :], y - 0.5, float("nan"))
    return (
        x,
        y,
        slope_x,
        slope_y,
        height.to(tl.int32)[None, :],
        width.to(tl.int32)[None, :],
        start.to(tl.int32)[None, :],
    )


@compiled
def surroundings(x: tl.tensor, y: tl.tensor, height: tl.tensor, width: tl.tensor, start: tl.tensor) -> "Tensors":
    """The cell at the top left of each pixel (x, y): column and row as reals, its number, and what lies beyond it.

    A coordinate that is not finite makes both fractions NaN, and so every share of the sample: a diverged model must
    show, as it does in ``grid_sample``.
    """
    left, above = tl.floor(x), tl.floor(y)
    right, below = x - left, y - above
    right, below = right + 0.0 * below, below + 0.0 * right
    near = (left >= -1) & (left < width) & (above >= -1) & (above < height)
    cell = tl.where(near, above, 0.0).to(tl.int32) * width + tl.where(near, left, 0.0).to(tl.int32) + start
    return left, above, right, below, near, cell


@compiled
def share(left: tl.tensor, beyond: tl.tensor, size: tl.tensor, SIDE: tl.constexpr) -> "Tensors":
    """Along one axis: the share of the near (SIDE 0) or the far (1) cell, and whether there is such a cell."""
    share = beyond if SIDE == 1 else 1.0 - beyond
    return share, (left + SIDE >= 0) & (left + SIDE < size)
