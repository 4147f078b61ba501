"""Dropout as one compiled loop that draws, cuts off, scales and writes in a single pass over the numbers.

Whether number ``i`` stays is a hash of ``i`` and a seed, not the next value of a stream: any piece can be computed on
any thread, and the backward pass asks the hash again where a mask would be stored. The hash is two rounds of
``lowbias32`` (github.com/skeeto/hash-prospector, public domain), 32 bits to 32 bits, with a key before each.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsct_detrex.ops.compiled import compiled


@compiled
def _mixed(x: Any) -> Any:
    """One round."""
    x = np.uint32(x ^ (x >> np.uint32(16)))
    x = np.uint32(x * np.uint32(0x7FEB352D))
    x = np.uint32(x ^ (x >> np.uint32(15)))
    x = np.uint32(x * np.uint32(0x846CA68B))
    return np.uint32(x ^ (x >> np.uint32(16)))


@compiled
def drop_block(numbers: NDArray[Any], offset: Any, keys: Any, threshold: Any, floor: Any, scale: Any) -> None:
    """Each ``x`` becomes ``scale * max(x, floor)``, or 0 where the hash of its place is below ``threshold``.

    One array, read and written at one place, and indices from 0: only so is the loop compiled to vectors.

    Args:
        numbers: (n,).
        offset: uint32, place of the first one.
        keys: two uint32.
        threshold: uint32, 2**32 times the probability of a zero.
        floor, scale: of the type of the numbers; NaN passes the floor.
    """
    nothing = type(scale)(0)
    for i in range(len(numbers)):
        x = numbers[i]
        x = floor if x < floor else x
        place = np.uint32(np.uint32(i) + offset)
        drawn = _mixed(np.uint32(_mixed(np.uint32(place ^ keys[0])) + keys[1]))
        numbers[i] = nothing if drawn < threshold else x * scale
