"""Between torch and the numba kernels: flat views of tensors, tables of levels, work divided over threads."""

from collections.abc import Callable
from functools import cache, lru_cache, partial
from math import ceil, gcd
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dsct_detrex.ops.backends import BackendError
from dsct_detrex.ops.threads import run_tasks

# Blocks of queries handed out per thread, so that a thread that was held up by something else takes fewer.
_BLOCKS_PER_THREAD = 4
LARGEST_TUPLE = 1000
"""Elements that numba's tuples can count, so channels of a head and samples of a query there."""

Levels = tuple[tuple[int, int, int], ...]
Block = Callable[..., None]


def flat(tensor: Tensor) -> Any:
    """The memory from a tensor's first element to its last, as a flat array; strides say where its elements are."""
    if tensor.numel() == 0:
        return tensor.detach().reshape(-1).numpy()
    reach = 1 + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride()))
    return tensor.detach().as_strided((reach,), (1,)).numpy()


def value_pitches(value: Tensor) -> tuple[int, int, int]:
    """From image to image, head to head and cell to cell of a (B, S, H, D) tensor."""
    image, cell, head, _ = value.stride()
    return image, head, cell


def dense_from(dimension: int, tensor: Tensor) -> Tensor:
    """The tensor, copied only if its dimensions from this one on are not one piece of memory in their order."""
    wanted = 1
    for size, stride in zip(reversed(tensor.shape[dimension:]), reversed(tensor.stride()[dimension:])):
        if size != 1 and stride != wanted:
            return tensor.contiguous()
        wanted *= size
    return tensor


@lru_cache(maxsize=256)
def tables(levels: Levels, points: int, dtype: torch.dtype) -> tuple[Any, Any]:
    """``extents`` and ``places`` as `numba_sampling.find_cells` wants them."""
    heights, widths, starts = (torch.tensor(column).repeat_interleave(points) for column in zip(*levels))
    return torch.cat([widths, heights]).to(dtype).numpy(), torch.cat([widths, starts]).numpy().astype(np.int32)


@cache
def lanes(count: int) -> tuple[int, ...]:
    """A tuple whose length tells the compiler how many lanes there are.

    Raises:
        BackendError: numba cannot count so many.
    """
    if count > LARGEST_TUPLE:
        raise BackendError(
            f"The deformable-attention backend 'numba' takes at most {LARGEST_TUPLE} samples (levels x points) a query "
            f"and head. Got {count}; ask for the backend 'pytorch'."
        )
    return (0,) * count


def over_queries(block: Block, images: int, queries: int) -> None:
    """Call the block for all images and ranges of their queries, on torch's number of threads."""
    threads = torch.get_num_threads()
    _call(block, images, _divide(queries, ceil(_BLOCKS_PER_THREAD * threads / max(images, 1))), threads)


def over_heads(block: Block, images: int, heads: int) -> None:
    """Call the block for all images and ranges of heads.

    Few, wide ranges are fastest (they share cached cells), as long as every thread gets the same number.
    """
    threads = torch.get_num_threads()
    _call(block, images, _divide(heads, threads // gcd(max(images, 1), threads)), threads)


def _call(block: Block, images: int, ranges: list[tuple[int, int]], threads: int) -> None:
    block(0, 0, 0)  # an empty block: compiles here, not in a helper thread
    run_tasks([partial(block, image, *range_) for image in range(images) for range_ in ranges], threads)


def _divide(count: int, parts: int) -> list[tuple[int, int]]:
    """0..count-1 as at most `parts` ranges (first, end) whose lengths differ by one at most; none for count 0."""
    parts = min(count, parts)
    return [(i * count // parts, (i + 1) * count // parts) for i in range(parts)]


def register(name: str, signature: str, cpu: Callable[..., object], fake: Callable[..., object]) -> None:
    """Make a torch operator, with its shape rule for the meta device and for torch.compile.

    Not by `torch.library.custom_op`, whose first call imports the whole of torch.compile: a second at every start.
    """
    torch.library.define(name, signature)
    torch.library.impl(name, "CPU", cpu)
    torch.library.register_fake(name, fake)
