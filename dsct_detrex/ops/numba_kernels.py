"""Multi-scale deformable attention as compiled loops: forward and backward over a block of queries or heads.

Shapes: B images, S cells of all levels, H heads, D channels a head, Q queries, L levels, P points. All arrays are
C-contiguous and of one float dtype: value (B, S, H, D), locations (B, Q, H, L, P, 2) xy in [0, 1] of the level, weights
(B, Q, H, L, P), output and its gradient (B, Q, H, D); shapes (L, 2) int64 (h, w) and starts (L,) int64.

Each sample reads four cells: pixel centres lie at i + 0.5 and cells outside the map count as zero, the rule of
`grid_sample(padding_mode="zeros", align_corners=False)`. Queries are the outer loop and heads the inner one, so that
locations and weights stream through memory in order and the heads of a query share the cached cells around it. The
kernels release the GIL, start no threads, and check no bounds: `numba_backend` validates and divides the work.

Source of the operator: Deformable DETR (arXiv:2010.04159), Eq. 3.
"""

from collections.abc import Callable
from math import isfinite, nan
from typing import Any, TypeVar

from numba import njit
from numpy.typing import NDArray

from dsct_detrex.ops.row_intrinsics import add_blended_rows, add_to_rows, dot_rows

Floats = NDArray[Any]
Integers = NDArray[Any]
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _compiled(function: _Function) -> _Function:
    """numba compilation at the first call, kept on disk for the next process wherever a folder can be written."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}
    try:
        made: _Function = njit(cache=True, **options)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache folder can be written
        made = njit(**options)(function)
    return made


@_compiled
def _surroundings(x: Any, y: Any, height: int, width: int, first: int, pitch: int) -> Any:
    """The four cells around pixel (x, y): their element indices, the fractions of x and y, and which exist.

    A missing cell is given the index of its existing neighbour and a flag 0, which every use multiplies in.
    Needs -1 < x < width and -1 < y < height. Order of the cells: top left, top right, bottom left, bottom right.
    """
    real = type(x)
    column, row = int(x), int(y)
    if x < column:
        column -= 1
    if y < row:
        row -= 1
    above = first + max(row, 0) * width * pitch
    below = first + min(row + 1, height - 1) * width * pitch
    left, right = max(column, 0) * pitch, min(column + 1, width - 1) * pitch
    exists = (real(column >= 0), real(column + 1 < width), real(row >= 0), real(row + 1 < height))
    return (above + left, above + right, below + left, below + right), x - real(column), y - real(row), exists


@_compiled
def forward_block(
    value: Floats,
    shapes: Integers,
    starts: Integers,
    locations: Floats,
    weights: Floats,
    output: Floats,
    image: int,
    first_query: int,
    end_query: int,
    lanes: tuple[int, ...],
) -> None:
    """Write `output` of one image's queries first_query..end_query-1; `lanes` is any tuple of D integers."""
    real = value.dtype.type
    one, half = real(1), real(0.5)
    channels = len(lanes)
    _, queries, heads, levels, points = weights.shape
    flat_value, flat_output = value.reshape(-1), output.reshape(-1)
    flat_locations, flat_weights = locations.reshape(-1), weights.reshape(-1)
    pitch = heads * channels
    image_start = image * value.shape[1] * pitch
    for query in range(first_query, end_query):
        for head in range(heads):
            row = (image * queries + query) * heads + head
            sample = row * levels * points
            out = row * channels
            for channel in range(channels):
                flat_output[out + channel] = 0
            for level in range(levels):
                height, width = shapes[level, 0], shapes[level, 1]
                first = image_start + starts[level] * pitch + head * channels
                for _ in range(points):
                    x = flat_locations[2 * sample] * real(width) - half
                    y = flat_locations[2 * sample + 1] * real(height) - half
                    weight = flat_weights[sample]
                    sample += 1
                    if x > -one and y > -one and x < real(width) and y < real(height):
                        cells, fx, fy, (left, right, top, bottom) = _surroundings(x, y, height, width, first, pitch)
                        left, right = left * (one - fx), right * fx
                        top, bottom = top * (one - fy) * weight, bottom * fy * weight
                        shares = (top * left, top * right, bottom * left, bottom * right)
                        add_blended_rows(flat_output, out, flat_value, cells, shares, lanes)
                    elif not (isfinite(x) and isfinite(y)):  # a diverged model must show, as it does in grid_sample
                        for channel in range(channels):
                            flat_output[out + channel] = nan


@_compiled
def backward_block(
    value: Floats,
    shapes: Integers,
    starts: Integers,
    locations: Floats,
    weights: Floats,
    grad_output: Floats,
    grad_value: Floats,
    grad_locations: Floats,
    grad_weights: Floats,
    image: int,
    first_head: int,
    end_head: int,
    lanes: tuple[int, ...],
) -> None:
    """Gradients of one image's heads first_head..end_head-1 over all queries.

    Adds to `grad_value` and writes the two others. Only this call touches these heads of this image: no atomics.
    """
    real = value.dtype.type
    one, half = real(1), real(0.5)
    channels = len(lanes)
    _, queries, heads, levels, points = weights.shape
    flat_value, flat_grad_value, flat_grad_output = value.reshape(-1), grad_value.reshape(-1), grad_output.reshape(-1)
    flat_locations, flat_weights = locations.reshape(-1), weights.reshape(-1)
    flat_grad_locations, flat_grad_weights = grad_locations.reshape(-1), grad_weights.reshape(-1)
    pitch = heads * channels
    image_start = image * value.shape[1] * pitch
    for query in range(queries):
        for head in range(first_head, end_head):
            row = (image * queries + query) * heads + head
            out = row * channels
            for level in range(levels):
                height, width = shapes[level, 0], shapes[level, 1]
                first = image_start + starts[level] * pitch + head * channels
                for point in range(points):
                    sample = (row * levels + level) * points + point
                    x = flat_locations[2 * sample] * real(width) - half
                    y = flat_locations[2 * sample + 1] * real(height) - half
                    weight = flat_weights[sample]
                    if x > -one and y > -one and x < real(width) and y < real(height):
                        cells, fx, fy, (left, right, top, bottom) = _surroundings(x, y, height, width, first, pitch)
                        tl, tr, bl, br = dot_rows(flat_value, cells, flat_grad_output, out, lanes)
                        tl, tr, bl, br = tl * top * left, tr * top * right, bl * bottom * left, br * bottom * right
                        flat_grad_weights[sample] = (one - fy) * ((one - fx) * tl + fx * tr) + fy * (
                            (one - fx) * bl + fx * br
                        )
                        slope_x = (one - fy) * (tr - tl) + fy * (br - bl)
                        slope_y = (one - fx) * (bl - tl) + fx * (br - tr)
                        flat_grad_locations[2 * sample] = weight * real(width) * slope_x
                        flat_grad_locations[2 * sample + 1] = weight * real(height) * slope_y
                        left, right = left * (one - fx), right * fx
                        top, bottom = top * (one - fy) * weight, bottom * fy * weight
                        shares = (top * left, top * right, bottom * left, bottom * right)
                        add_to_rows(flat_grad_value, cells, shares, flat_grad_output, out, lanes)
                    else:
                        nothing = real(0) if isfinite(x) and isfinite(y) else real(nan)
                        flat_grad_weights[sample] = nothing
                        flat_grad_locations[2 * sample] = nothing
                        flat_grad_locations[2 * sample + 1] = nothing
