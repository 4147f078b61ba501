"""What one query does in one head, as compiled functions on vectors: find the four cells around each sample, read them
blended, and carry gradients back. `numba_kernels` and `numba_fused_kernels` walk over queries and heads with them.

Two kinds of vectors: over the N = L * P *samples* of a query in a head, level by level; and over the D channels of a
*row*, the features of one cell in one head. What the samples found goes through small arrays of 4 N numbers, a number
for each corner of each sample (top left of all samples, then top right, bottom left, bottom right).

Pixel centres lie at i + 0.5 and cells outside the map count as zero, the rule of `grid_sample(padding_mode="zeros",
align_corners=False)`. A location that is not finite gives NaN.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsct_detrex.ops.compiled import compiled_with
from dsct_detrex.ops.vector_functions import exp, floor, four_totals, integers, largest, select, total
from dsct_detrex.ops.vectors import item, load, load_quads, spread, store

Floats = NDArray[Any]
Integers = NDArray[Any]
Lanes = tuple[int, ...]
compiled = compiled_with(forceinline=True, fastmath={"contract", "nsz"})
"""Into whatever calls it, where a product and a sum may become one instruction."""


@compiled
def softmax(logits: Floats, first: int, samples: Lanes) -> Any:
    """Attention weights of the logits from `first` on."""
    raised = load(logits, first, samples)
    powers = exp(raised - largest(raised))
    return powers / total(powers)


@compiled
def find_cells(x: Any, y: Any, extents: Floats, places: Integers, cells: Integers, samples: Lanes) -> Any:
    """Write `cells`, the four cells around pixel positions (x, y).

    Args:
        x, y: vectors over samples, from the outer corner of the first pixel's centre, in cells.
        extents: width of the level of every sample, then all heights.
        places: int32, the same widths, then the number of each level's first cell.
        cells: int32 of 4 N.
        samples: N of anything.

    Returns:
        Fractions of x and y beyond the cells before; and which corners exist: left, right, top, bottom as 0 or 1. A
        corner that does not exist is given the cell of a neighbour.
    """
    count = len(samples)
    (left, right), fraction_x, (has_left, has_right) = _beside(x, load(extents, 0, samples), extents, samples)
    (top, bottom), fraction_y, (has_top, has_bottom) = _beside(y, load(extents, count, samples), extents, samples)
    width, start = load(places, 0, samples), load(places, count, samples)
    above, below = top * width + start, bottom * width + start
    store(above + left, cells, 0)
    store(above + right, cells, count)
    store(below + left, cells, 2 * count)
    store(below + right, cells, 3 * count)
    return fraction_x, fraction_y, (has_left, has_right, has_top, has_bottom)


@compiled
def _beside(position: Any, size: Any, extents: Floats, samples: Lanes) -> Any:
    """Along one axis: the cells before and after each position, its fraction, and which of the two exist."""
    one, zeros = extents.dtype.type(1), spread(extents.dtype.type(0), samples)
    ones, last = zeros + one, size - one
    before = floor(position)
    after = before + one
    exist = (
        select((before >= zeros) & (before <= last), ones, zeros),
        select((after >= zeros) & (after <= last), ones, zeros),
    )
    return (_clamped(before, zeros, last), _clamped(after, zeros, last)), position - before, exist


@compiled
def _clamped(number: Any, low: Any, high: Any) -> Any:
    """As integers within [low, high]; NaN becomes `low`."""
    raised = select(number > low, number, low)
    return integers(select(raised < high, raised, high))


@compiled
def zero_unless_a_number(numbers: Any, zeros: Any) -> Any:
    """The numbers, none of which is negative, with 0 in place of NaN: it keeps a gradient from spreading NaN."""
    return select(numbers >= zeros, numbers, zeros)


@compiled
def write_shares(weight: Any, fraction_x: Any, fraction_y: Any, exist: Any, shares: Floats, samples: Lanes) -> None:
    """Write `shares`: of each corner, how much of it its sample adds to the output; NaN where a fraction is NaN."""
    one, count = shares.dtype.type(1), len(samples)
    left, right, top, bottom = exist
    left, right = left * (one - fraction_x), right * fraction_x
    top, bottom = top * (one - fraction_y) * weight, bottom * fraction_y * weight
    store(top * left, shares, 0)
    store(top * right, shares, count)
    store(bottom * left, shares, 2 * count)
    store(bottom * right, shares, 3 * count)


@compiled
def read_blended(
    value: Floats, first: int, pitch: int, cells: Integers, shares: Floats, lanes: Lanes, samples: Lanes
) -> Any:
    """The row that a query receives: rows of `value` times their shares.

    Args:
        value: flat.
        first: where cell 0 of this image and head begins.
        pitch: from one cell to the next.
        cells, shares: as `find_cells` and `write_shares` wrote them.
        lanes, samples: D and N of anything.
    """
    count = len(samples)
    upper, lower = spread(value.dtype.type(0), lanes), spread(value.dtype.type(0), lanes)  # two sums: they can overlap
    for sample in range(count):
        for corner in range(sample, 2 * count, count):
            at = first + np.int64(item(cells, corner)) * pitch
            upper = upper + load(value, at, lanes) * item(shares, corner)
        for corner in range(sample + 2 * count, 4 * count, count):
            at = first + np.int64(item(cells, corner)) * pitch
            lower = lower + load(value, at, lanes) * item(shares, corner)
    return upper + lower


@compiled
def write_back(
    value: Floats,
    grad_value: Floats,
    first: int,
    grad_first: int,
    pitches: tuple[int, ...],
    cells: Integers,
    shares: Floats,
    grad: Any,
    products: Floats,
    lanes: Lanes,
    samples: Lanes,
) -> None:
    """Add the gradient of a query's row to the rows that it was blended from, and multiply it with these.

    Args:
        value, first, cells, shares, lanes, samples: as in `read_blended`.
        grad_value, grad_first: the same of the gradient of value, which is added to.
        pitches: from image to image, head to head and cell to cell of value; then of its gradient.
        grad: gradient of the row, a vector.
        products: 4 N numbers, written: scalar products of `grad` with the rows of the four corners of each sample.
    """
    count, pitch, grad_pitch = len(samples), pitches[2], pitches[5]
    for sample in range(count):
        a, b = np.int64(item(cells, sample)), np.int64(item(cells, count + sample))
        c, d = np.int64(item(cells, 2 * count + sample)), np.int64(item(cells, 3 * count + sample))
        row_a, row_b = load(value, first + a * pitch, lanes), load(value, first + b * pitch, lanes)
        row_c, row_d = load(value, first + c * pitch, lanes), load(value, first + d * pitch, lanes)
        store(four_totals(row_a * grad, row_b * grad, row_c * grad, row_d * grad), products, 4 * sample)
        for corner, cell in enumerate((a, b, c, d)):  # one after the other: corners may coincide
            at = grad_first + cell * grad_pitch
            added = grad * item(shares, corner * count + sample)
            store(load(grad_value, at, lanes) + added, grad_value, at)


@compiled
def slopes(products: Floats, fraction_x: Any, fraction_y: Any, exist: Any, samples: Lanes) -> Any:
    """What each sample is worth: gradients of its attention weight, and of its x and y in pixels at weight 1.

    NaN, all three, where a fraction is NaN.
    """
    one = products.dtype.type(1)
    left, right, top, bottom = exist
    top_left, top_right, bottom_left, bottom_right = load_quads(products, 0, samples)
    top_left, top_right = top_left * top * left, top_right * top * right
    bottom_left, bottom_right = bottom_left * bottom * left, bottom_right * bottom * right
    above = (one - fraction_x) * top_left + fraction_x * top_right
    below = (one - fraction_x) * bottom_left + fraction_x * bottom_right
    by_x = (one - fraction_y) * (top_right - top_left) + fraction_y * (bottom_right - bottom_left)
    by_y = below - above
    weight = (one - fraction_y) * above + fraction_y * below
    return weight, by_x + (fraction_x - fraction_x), by_y + (fraction_y - fraction_y)
