"""Multi-scale deformable attention as Triton kernels: forward, and backward for everything.

Shapes: B images, S cells of all levels, H heads, D channels a head, Q queries, L levels, P points, K = L * P samples of
a query and head, in that order in memory. A program works on a block of N queries of one head of one image and walks
through their samples k at a time, so that what it holds is a tile (N, k, D): the threads along D read 16 bytes each of
one cell, those along k read different cells. Softmax and locations are computed on (N, k) in registers, once for all
channels. Everything is accumulated in ``REAL`` (float32, or float64 for float64 arguments) whatever the arguments are.

``REFERENCES`` is the width of the reference points: 2 (xy) or 4 (cxcywh) with raw offsets and logits beside them, as in
``ops.fused``; 0 where ``offsets`` are locations in [0, 1] and ``logits`` are the weights themselves.

Zeros outside and pixel centres at i + 0.5, as ``grid_sample(padding_mode="zeros", align_corners=False)`` has it. Sizes
of levels are read on the device, and nothing waits for it; a level that does not fit into ``value`` can therefore not
be refused, and gives NaN. Places in memory are 64-bit numbers, cells 32-bit ones (S < 2**31).

Source of the operator: Deformable DETR (arXiv:2010.04159), Eq. 3 and appendix A.4.
"""

import triton.language as tl

from dsct_detrex.ops.triton_sampling import compiled, pixels, rows, share, softmax_parts, surroundings


@compiled
def forward_kernel(
    value: tl.tensor,
    shapes: tl.tensor,
    starts: tl.tensor,
    references: tl.tensor,
    offsets: tl.tensor,
    logits: tl.tensor,
    output: tl.tensor,
    value_image: tl.tensor,
    value_cell: tl.tensor,
    offsets_image: tl.tensor,
    offsets_query: tl.tensor,
    logits_image: tl.tensor,
    logits_query: tl.tensor,
    queries: tl.tensor,
    blocks: tl.tensor,
    cells: tl.tensor,
    heads: tl.tensor,
    LEVELS: tl.constexpr,
    POINTS: tl.constexpr,
    CHANNELS: tl.constexpr,
    REFERENCES: tl.constexpr,
    QUERIES: tl.constexpr,
    TILE_SAMPLES: tl.constexpr,
    TILE_CHANNELS: tl.constexpr,
    ALL_SAMPLES: tl.constexpr,
    REAL: tl.constexpr,
) -> None:
    """Writes (B, Q, H, D) ``output``; ``*_image``, ``*_cell``, ``*_query`` are steps along a dimension, in elements."""
    SAMPLES: tl.constexpr = LEVELS * POINTS
    image, head, query, exists = rows(queries, blocks, heads, QUERIES)
    row = image * queries + query
    offsets_at = image * offsets_image + query.to(tl.int64) * offsets_query + head * (SAMPLES * 2)
    logits_at = image * logits_image + query.to(tl.int64) * logits_query + head * SAMPLES
    lane = tl.arange(0, TILE_CHANNELS)
    features = value + image * value_image + head * CHANNELS + lane[None, None, :]
    if REFERENCES > 0:
        highest, total = softmax_parts(logits, logits_at, exists, SAMPLES, ALL_SAMPLES, REAL)
    blended = tl.zeros((QUERIES, TILE_SAMPLES, TILE_CHANNELS), REAL)
    for first in range(0, SAMPLES, TILE_SAMPLES):
        sample = first + tl.arange(0, TILE_SAMPLES)
        known = exists[:, None] & (sample < SAMPLES)[None, :]
        x, y, _, _, height, width, start = pixels(
            shapes, starts, references, offsets, row, offsets_at, sample, known, cells, LEVELS, POINTS, REFERENCES, REAL
        )
        left, above, right, below, _, cell = surroundings(x, y, height, width, start)
        weight = tl.load(logits + logits_at[:, None] + sample[None, :], mask=known, other=0.0).to(REAL)
        if REFERENCES > 0:
            weight = tl.where(known, tl.exp(weight - highest[:, None]) / total[:, None], 0.0)
        for corner in tl.static_range(4):
            share_x, column_exists = share(left, right, width, corner % 2)
            share_y, row_exists = share(above, below, height, corner // 2)
            at = (cell + corner // 2 * width + corner % 2).to(tl.int64) * value_cell
            mask = (known & column_exists & row_exists)[:, :, None] & (lane < CHANNELS)[None, None, :]
            read = tl.load(features + at[:, :, None], mask=mask, other=0.0).to(REAL)
            blended += read * (share_x * share_y * weight)[:, :, None]
    to = output + (row * heads + head)[:, None] * CHANNELS + lane[None, :]
    tl.store(to, tl.sum(blended, 1), mask=exists[:, None] & (lane < CHANNELS)[None, :])


@compiled
def backward_kernel(
    grad_output: tl.tensor,
    output: tl.tensor,
    value: tl.tensor,
    shapes: tl.tensor,
    starts: tl.tensor,
    references: tl.tensor,
    offsets: tl.tensor,
    logits: tl.tensor,
    grad_value: tl.tensor,
    grad_offsets: tl.tensor,
    grad_logits: tl.tensor,
    anchors: tl.tensor,
    places: tl.tensor,
    value_image: tl.tensor,
    value_cell: tl.tensor,
    offsets_image: tl.tensor,
    offsets_query: tl.tensor,
    logits_image: tl.tensor,
    logits_query: tl.tensor,
    queries: tl.tensor,
    blocks: tl.tensor,
    cells: tl.tensor,
    heads: tl.tensor,
    nowhere: tl.tensor,
    LEVELS: tl.constexpr,
    POINTS: tl.constexpr,
    CHANNELS: tl.constexpr,
    REFERENCES: tl.constexpr,
    QUERIES: tl.constexpr,
    TILE_SAMPLES: tl.constexpr,
    TILE_CHANNELS: tl.constexpr,
    ALL_SAMPLES: tl.constexpr,
    REAL: tl.constexpr,
    ADD_TO_VALUE: tl.constexpr,
    WRITE_SAMPLES: tl.constexpr,
    OF_LOCATIONS: tl.constexpr,
) -> None:
    """Writes the gradients of offsets (or of the locations they lead to: ``OF_LOCATIONS``) and logits: no atomics.

    The softmax needs the sum over samples of weight times gradient; that is the product of output and its gradient, so
    one walk through the samples is enough. ``ADD_TO_VALUE`` adds, atomically, to ``grad_value`` (B, S, H, D) in
    ``REAL``. ``WRITE_SAMPLES`` writes what ``triton_value_gradient`` makes it of instead: ``anchors`` (B, Q, H, K), the
    first cell of each sample that exists, counted through images and heads (``nowhere`` if none does), and ``places``
    (B, Q, H, K, 3): x, y, weight.
    """
    SAMPLES: tl.constexpr = LEVELS * POINTS
    image, head, query, exists = rows(queries, blocks, heads, QUERIES)
    row = image * queries + query
    offsets_at = image * offsets_image + query.to(tl.int64) * offsets_query + head * (SAMPLES * 2)
    logits_at = image * logits_image + query.to(tl.int64) * logits_query + head * SAMPLES
    written = (row * heads + head) * SAMPLES
    lane = tl.arange(0, TILE_CHANNELS)
    features = value + image * value_image + head * CHANNELS + lane[None, None, :]
    received = grad_value + (image * cells * heads + head) * CHANNELS + lane[None, None, :]
    result = (row * heads + head)[:, None] * CHANNELS + lane[None, :]
    result_exists = exists[:, None] & (lane < CHANNELS)[None, :]
    grad = tl.load(grad_output + result, mask=result_exists, other=0.0).to(REAL)
    if REFERENCES > 0:
        highest, total = softmax_parts(logits, logits_at, exists, SAMPLES, ALL_SAMPLES, REAL)
        mean = tl.sum(grad * tl.load(output + result, mask=result_exists, other=0.0).to(REAL), 1)
    for first in range(0, SAMPLES, TILE_SAMPLES):
        sample = first + tl.arange(0, TILE_SAMPLES)
        known = exists[:, None] & (sample < SAMPLES)[None, :]
        x, y, slope_x, slope_y, height, width, start = pixels(
            shapes, starts, references, offsets, row, offsets_at, sample, known, cells, LEVELS, POINTS, REFERENCES, REAL
        )
        left, above, right, below, near, cell = surroundings(x, y, height, width, start)
        weight = tl.load(logits + logits_at[:, None] + sample[None, :], mask=known, other=0.0).to(REAL)
        if REFERENCES > 0:
            weight = tl.where(known, tl.exp(weight - highest[:, None]) / total[:, None], 0.0)
        grad_weight, grad_x, grad_y = tl.zeros_like(x), tl.zeros_like(x), tl.zeros_like(x)
        for corner in tl.static_range(4):
            share_x, column_exists = share(left, right, width, corner % 2)
            share_y, row_exists = share(above, below, height, corner // 2)
            target = (cell + corner // 2 * width + corner % 2).to(tl.int64)
            mask = (known & column_exists & row_exists)[:, :, None] & (lane < CHANNELS)[None, None, :]
            read = tl.load(features + (target * value_cell)[:, :, None], mask=mask, other=0.0).to(REAL)
            product = tl.sum(read * grad[:, None, :], 2)
            grad_weight += share_x * share_y * product
            grad_x += share_y * product * (corner % 2 * 2 - 1)
            grad_y += share_x * product * (corner // 2 * 2 - 1)
            if ADD_TO_VALUE:
                added = grad[:, None, :] * (share_x * share_y * weight)[:, :, None]
                to = received + (target * (heads * CHANNELS))[:, :, None]
                tl.atomic_add(to, added, mask=mask, sem="relaxed")
        if OF_LOCATIONS:
            slope_x, slope_y = tl.zeros_like(x) + width.to(REAL), tl.zeros_like(y) + height.to(REAL)
        at = written[:, None] + sample[None, :]
        tl.store(grad_offsets + 2 * at, grad_x * weight * slope_x, mask=known)
        tl.store(grad_offsets + 2 * at + 1, grad_y * weight * slope_y, mask=known)
        if WRITE_SAMPLES:
            anchor = cell + tl.where(left < 0, 1, 0) + tl.where(above < 0, width, 0) + (image * heads + head) * cells
            tl.store(anchors + at, tl.where(near, anchor, nowhere), mask=known)
            tl.store(places + 3 * at, x, mask=known)
            tl.store(places + 3 * at + 1, y, mask=known)
            tl.store(places + 3 * at + 2, weight, mask=known)
        if REFERENCES > 0:
            grad_weight = weight * (grad_weight - mean[:, None])
        tl.store(grad_logits + at, grad_weight, mask=known)
