"""Deformable attention from references, offsets and logits as compiled loops: softmax, locations and samples in one
pass, and all gradients in another.

Shapes as in `numba_kernels`, and K = 2 or 4 numbers of a reference. Arrays are flat and of one float dtype. Value,
offsets and logits are read by strides, so that they may be parts of one larger tensor; the others are contiguous:
references (B, Q, L, K), output and its gradient (B, Q, H, D). What the backward pass needs it computes again.

`pitches`: the distances from image to image, head to head and cell to cell of value, then of its gradient; then from
image to image and query to query of offsets, then of logits, and in the backward pass of the gradients of these two.

Source: Deformable DETR (arXiv:2010.04159), section 4.1, Eq. 3 and appendix A.4 (boxes as references).
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
    softmax,
    write_back,
    write_shares,
    zero_unless_a_number,
)
from dsct_detrex.ops.vector_functions import total
from dsct_detrex.ops.vectors import load, load_pairs, spread, store, store_pairs


@compiled
def _read_references(
    references: Floats, row: int, numbers: int, points: int, spread_out: Floats, samples: Lanes
) -> None:
    """Write `spread_out`, K times N numbers: the references of a query (`row` of all), once for every point."""
    count = len(samples)
    for sample in range(count):
        reference = (row * (count // points) + sample // points) * numbers
        for number in range(numbers):
            spread_out[number * count + sample] = references[reference + number]


@compiled
def _steps(spread_out: Floats, extents: Floats, numbers: int, points: int, samples: Lanes) -> Any:
    """What an offset is divided by, and then multiplied with, to be one of a location: in x, and in y.

    Around a point: the size of the level, and 1. Around a box: the number of points, and half the size of the box.
    """
    count = len(samples)
    if numbers == 2:
        ones = spread(extents.dtype.type(1), samples)
        return (load(extents, 0, samples), ones), (load(extents, count, samples), ones)
    half, parts = extents.dtype.type(0.5), spread(extents.dtype.type(points), samples)
    width, height = load(spread_out, 2 * count, samples), load(spread_out, 3 * count, samples)
    return (parts, width * half), (parts, height * half)


@compiled
def fused_forward_block(
    value: Floats,
    references: Floats,
    offsets: Floats,
    logits: Floats,
    extents: Floats,
    places: Integers,
    output: Floats,
    pitches: tuple[int, ...],
    sizes: tuple[int, int, int, int],
    lanes: Lanes,
    samples: Lanes,
    image: int,
    first_query: int,
    end_query: int,
) -> None:
    """Write `output` of one image's queries first_query..end_query-1.

    `sizes` are Q, H, P and K; `lanes` and `samples` are D and N of anything.
    """
    queries, heads, points, numbers = sizes
    channels, count = len(lanes), len(samples)
    half = value.dtype.type(0.5)
    cells, shares = np.empty(4 * count, np.int32), np.empty(4 * count, value.dtype)
    spread_out = np.empty(numbers * count, value.dtype)
    width, height = load(extents, 0, samples), load(extents, count, samples)
    for query in range(first_query, end_query):
        _read_references(references, image * queries + query, numbers, points, spread_out, samples)
        (part_x, step_x), (part_y, step_y) = _steps(spread_out, extents, numbers, points, samples)
        centre_x, centre_y = load(spread_out, 0, samples), load(spread_out, count, samples)
        for head in range(heads):
            offset_x, offset_y = load_pairs(
                offsets, image * pitches[6] + query * pitches[7] + 2 * head * count, samples
            )
            weight = softmax(logits, image * pitches[8] + query * pitches[9] + head * count, samples)
            x = (centre_x + offset_x / part_x * step_x) * width - half
            y = (centre_y + offset_y / part_y * step_y) * height - half
            fraction_x, fraction_y, exist = find_cells(x, y, extents, places, cells, samples)
            write_shares(weight, fraction_x, fraction_y, exist, shares, samples)
            first = image * pitches[0] + head * pitches[1]
            row = read_blended(value, first, pitches[2], cells, shares, lanes, samples)
            store(row, output, ((image * queries + query) * heads + head) * channels)


@compiled
def _add_to_references(
    grad_references: Floats, first: int, numbers: int, points: int, gradients: Floats, samples: Lanes
) -> None:
    """Sum the K times N `gradients` over points into one head's (L, K) from `first` on."""
    count = len(samples)
    for sample in range(count):
        for number in range(numbers):
            grad_references[first + (sample // points) * numbers + number] += gradients[number * count + sample]


@compiled
def fused_backward_block(
    value: Floats,
    references: Floats,
    offsets: Floats,
    logits: Floats,
    extents: Floats,
    places: Integers,
    grad_output: Floats,
    grad_value: Floats,
    grad_references: Floats,
    grad_offsets: Floats,
    grad_logits: Floats,
    pitches: tuple[int, ...],
    sizes: tuple[int, int, int, int],
    lanes: Lanes,
    samples: Lanes,
    image: int,
    first_head: int,
    end_head: int,
) -> None:
    """Gradients of one image's heads first_head..end_head-1 over all queries.

    Adds to `grad_value`; writes `grad_offsets` and `grad_logits`; adds to `grad_references` (B, Q, H, L, K), one for
    every head, unless it is empty. Only this call touches these heads of this image: no atomics.
    """
    queries, heads, points, numbers = sizes
    channels, count = len(lanes), len(samples)
    half = value.dtype.type(0.5)
    cells, shares = np.empty(4 * count, np.int32), np.empty(4 * count, value.dtype)
    products = np.empty(4 * count, value.dtype)
    spread_out = np.empty(numbers * count, value.dtype)
    zeros = spread(value.dtype.type(0), samples)
    width, height = load(extents, 0, samples), load(extents, count, samples)
    for query in range(queries):
        _read_references(references, image * queries + query, numbers, points, spread_out, samples)
        (part_x, step_x), (part_y, step_y) = _steps(spread_out, extents, numbers, points, samples)
        centre_x, centre_y = load(spread_out, 0, samples), load(spread_out, count, samples)
        for head in range(first_head, end_head):
            row = (image * queries + query) * heads + head
            offset_x, offset_y = load_pairs(
                offsets, image * pitches[6] + query * pitches[7] + 2 * head * count, samples
            )
            weight = softmax(logits, image * pitches[8] + query * pitches[9] + head * count, samples)
            x = (centre_x + offset_x / part_x * step_x) * width - half
            y = (centre_y + offset_y / part_y * step_y) * height - half
            fraction_x, fraction_y, exist = find_cells(x, y, extents, places, cells, samples)
            finite_x, finite_y = zero_unless_a_number(fraction_x, zeros), zero_unless_a_number(fraction_y, zeros)
            write_shares(weight, finite_x, finite_y, exist, shares, samples)
            grad = load(grad_output, row * channels, lanes)
            first, grad_first = image * pitches[0] + head * pitches[1], image * pitches[3] + head * pitches[4]
            write_back(value, grad_value, first, grad_first, pitches, cells, shares, grad, products, lanes, samples)
            by_weight, by_x, by_y = slopes(products, fraction_x, fraction_y, exist, samples)
            at = image * pitches[12] + query * pitches[13] + head * count
            store(weight * (by_weight - total(weight * by_weight)), grad_logits, at)
            by_x, by_y = weight * width * by_x, weight * height * by_y
            at = image * pitches[10] + query * pitches[11] + 2 * head * count
            store_pairs(by_x * step_x / part_x, by_y * step_y / part_y, grad_offsets, at)
            if len(grad_references) > 0:
                gradients = shares  # no longer needed
                store(by_x, gradients, 0)
                store(by_y, gradients, count)
                if numbers == 4:
                    store(by_x * offset_x / part_x * half, gradients, 2 * count)
                    store(by_y * offset_y / part_y * half, gradients, 3 * count)
                _add_to_references(
                    grad_references, row * (count // points) * numbers, numbers, points, gradients, samples
                )
