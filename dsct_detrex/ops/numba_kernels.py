"""Multi-scale deformable attention as compiled loops: forward and backward over a block of queries or heads.

Shapes: B images, S cells of all levels, H heads, D channels a head, Q queries, L levels, P points, N = L * P. Arrays
are flat and of one float dtype. `value` (B, S, H, D) is read by strides: `pitches` holds the distances from image to
image, head to head and cell to cell of value, then of its gradient. All others are contiguous: locations
(B, Q, H, L, P, 2) xy in [0, 1] of the level, weights (B, Q, H, L, P), output and its gradient (B, Q, H, D). `extents`
and `places` are what `find_cells` wants.

Queries are the outer loop and heads the inner one, so that locations and weights stream through memory in order and the
heads of a query share the cached cells around it. The kernels release the GIL, start no threads, and check no bounds:
`numba_backend` validates, `numba_calls` divides the work.

Source of the operator: Deformable DETR (arXiv:2010.04159), Eq. 3.
"""

from typing import Any

import numpy as np

from dsct_detrex.ops.numba_sampling import (
    Floats,
    Integers,
    Lanes,
    compiled,
    find_cells,
    read_blended,
    slopes,
    write_back,
    write_shares,
    zero_unless_a_number,
)
from dsct_detrex.ops.vectors import load, load_pairs, spread, store, store_pairs


@compiled
def _pixels(locations: Floats, sample: int, extents: Floats, samples: Lanes) -> Any:
    """x and y of the samples from `sample` on, in pixels of their levels."""
    half, count = locations.dtype.type(0.5), len(samples)
    x, y = load_pairs(locations, 2 * sample, samples)
    return x * load(extents, 0, samples) - half, y * load(extents, count, samples) - half


@compiled
def forward_block(
    value: Floats,
    locations: Floats,
    weights: Floats,
    extents: Floats,
    places: Integers,
    output: Floats,
    pitches: tuple[int, ...],
    queries: int,
    heads: int,
    lanes: Lanes,
    samples: Lanes,
    image: int,
    first_query: int,
    end_query: int,
) -> None:
    """Write `output` of one image's queries first_query..end_query-1; `lanes` and `samples` are D and N of anything."""
    channels, count = len(lanes), len(samples)
    cells, shares = np.empty(4 * count, np.int32), np.empty(4 * count, value.dtype)
    for query in range(first_query, end_query):
        for head in range(heads):
            row = (image * queries + query) * heads + head
            x, y = _pixels(locations, row * count, extents, samples)
            weight = load(weights, row * count, samples)
            fraction_x, fraction_y, exist = find_cells(x, y, extents, places, cells, samples)
            write_shares(weight, fraction_x, fraction_y, exist, shares, samples)
            first = image * pitches[0] + head * pitches[1]
            store(read_blended(value, first, pitches[2], cells, shares, lanes, samples), output, row * channels)


@compiled
def backward_block(
    value: Floats,
    locations: Floats,
    weights: Floats,
    extents: Floats,
    places: Integers,
    grad_output: Floats,
    grad_value: Floats,
    grad_locations: Floats,
    grad_weights: Floats,
    pitches: tuple[int, ...],
    queries: int,
    heads: int,
    lanes: Lanes,
    samples: Lanes,
    image: int,
    first_head: int,
    end_head: int,
) -> None:
    """Gradients of one image's heads first_head..end_head-1 over all queries.

    Adds to `grad_value` and writes the two others. Only this call touches these heads of this image: no atomics.
    """
    channels, count = len(lanes), len(samples)
    cells, shares = np.empty(4 * count, np.int32), np.empty(4 * count, value.dtype)
    products = np.empty(4 * count, value.dtype)
    width, height = load(extents, 0, samples), load(extents, count, samples)
    zeros = spread(value.dtype.type(0), samples)
    for query in range(queries):
        for head in range(first_head, end_head):
            row = (image * queries + query) * heads + head
            x, y = _pixels(locations, row * count, extents, samples)
            weight = load(weights, row * count, samples)
            fraction_x, fraction_y, exist = find_cells(x, y, extents, places, cells, samples)
            finite_x, finite_y = zero_unless_a_number(fraction_x, zeros), zero_unless_a_number(fraction_y, zeros)
            write_shares(weight, finite_x, finite_y, exist, shares, samples)
            grad = load(grad_output, row * channels, lanes)
            first, grad_first = image * pitches[0] + head * pitches[1], image * pitches[3] + head * pitches[4]
            write_back(value, grad_value, first, grad_first, pitches, cells, shares, grad, products, lanes, samples)
            by_weight, by_x, by_y = slopes(products, fraction_x, fraction_y, exist, samples)
            store(by_weight, grad_weights, row * count)
            store_pairs(weight * width * by_x, weight * height * by_y, grad_locations, 2 * row * count)
