"""Dropout on a CPU from a seed: in one pass, and nothing to remember for the way back but the seed.

torch draws its masks as floats from a generator: on two cores that was a sixth of a training step of DSCT. Here the
same probability decides by a hash (``dropout_kernel``), so the zeros are others than torch would draw from the same
generator; the seed itself comes from torch's generator, which therefore decides all, also when a layer is recomputed.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from math import inf

import numpy as np
import torch
from torch import Tensor

from dsct_detrex.ops.multi_scale_deform_attn import numba_is_installed
from dsct_detrex.ops.threads import run_tasks

_AS_INTEGERS = {torch.bfloat16: torch.int16, torch.float16: torch.int16}
"""Types that numpy does not know: their bits are looked at, of which zero is zero everywhere."""
_PIECES_PER_THREAD = 4
_SMALLEST_PIECE = 1 << 16
_32_BITS = 2**32 - 1


def can_drop(x: Tensor) -> bool:
    """Whether ``drop`` can take a tensor: of floats, on a CPU, where numba is installed."""
    known = x.dtype in (torch.float32, torch.float64, *_AS_INTEGERS)
    return x.device.type == "cpu" and known and numba_is_installed()


def draw_seed() -> int:
    """64 random bits of torch's generator for the CPU."""
    return int(torch.empty((), dtype=torch.int64).random_(-(2**63), None)) & (2**64 - 1)


def drop(
    x: Tensor,
    probability: float,
    seed: int,
    scale: float | None = None,
    *,
    rectify: bool = False,
    offset: int = 0,
    out: Tensor | None = None,
) -> Tensor:
    """Zeros with some probability, the others scaled up.

    Args:
        x: any shape; one that ``can_drop``.
        probability: of a zero, in [0, 1).
        seed: of ``draw_seed``; the same seed draws the same zeros.
        scale: of what stays; None: 1 / (1 - probability).
        rectify: negative numbers become 0 first.
        offset: place of the first number in a larger tensor that is computed in pieces.
        out: where the result goes, contiguous, perhaps ``x`` itself; None: a new tensor.
    """
    from dsct_detrex.ops.dropout_kernel import drop_block  # numba takes a while to import

    scale = 1 / (1 - probability) if scale is None else scale
    out = torch.empty_like(x, memory_format=torch.contiguous_format) if out is None else out
    if x.dtype in _AS_INTEGERS:
        torch.mul(x, scale, out=out)
        if rectify:
            out.relu_()
        numbers = out.view(_AS_INTEGERS[x.dtype]).view(-1).numpy()
        floor, factor = np.int16(-(2**15)), np.int16(1)
    else:
        if out is not x:
            out.copy_(x)
        numbers = out.view(-1).numpy()
        floor, factor = numbers.dtype.type(0 if rectify else -inf), numbers.dtype.type(scale)
    keys = (np.uint32(seed & _32_BITS), np.uint32(seed >> 32))
    threshold = np.uint32(round(probability * 2**32))

    def block(first: int, end: int) -> None:
        drop_block(numbers[first:end], np.uint32((offset + first) & _32_BITS), keys, threshold, floor, factor)

    block(0, 0)  # compiles here, not in a helper thread
    threads = torch.get_num_threads()
    pieces = max(1, min(threads * _PIECES_PER_THREAD, len(numbers) // _SMALLEST_PIECE))
    bounds = [len(numbers) * i // pieces for i in range(pieces + 1)]
    run_tasks([partial(block, first, end) for first, end in pairwise(bounds)], threads)
    return out
