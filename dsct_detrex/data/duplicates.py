"""Near-duplicate pictures across two sets, by a perceptual hash.

The hash is the difference hash: the picture as 9 x 8 gray pixels, one bit per horizontal neighbour pair, set where it
gets brighter to the right. Pictures that differ by little (the next frame of a film, another compression) differ in few
of the 64 bits; unrelated ones in about 32.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

Hashes = npt.NDArray[np.uint64]

_BLOCK = 256


class NearDuplicate(NamedTuple):
    """Two pictures that look alike: their numbers in the two sets, and in how many of 64 bits they differ."""

    query: int
    reference: int
    distance: int


def difference_hash(image: Image.Image) -> int:
    """64 bits that describe the picture's coarse brightness."""
    gray = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.BILINEAR), dtype=np.int16)
    bits = (gray[:, 1:] > gray[:, :-1]).flatten()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def near_duplicates(queries: Hashes, references: Hashes, max_distance: int) -> list[NearDuplicate]:
    """For every query the closest reference, where it is within ``max_distance`` bits; the first one on a tie.

    Args:
        queries: (q,) hashes, e.g. of the test pictures.
        references: (r,) hashes, e.g. of the training pictures.
        max_distance: 0 finds equal hashes only.
    """
    found: list[NearDuplicate] = []
    if not len(references):
        return found
    for first in range(0, len(queries), _BLOCK):
        distances = _count_bits(queries[first : first + _BLOCK, None] ^ references[None])
        closest = distances.argmin(axis=1)
        for row, reference in enumerate(closest):
            distance = int(distances[row, reference])
            if distance <= max_distance:
                found.append(NearDuplicate(first + row, int(reference), distance))
    return found


def _count_bits(values: Hashes) -> npt.NDArray[np.uint8]:
    """Set bits per number, by adding neighbouring fields of 1, 2 and 4 bits, then the eight bytes."""
    values = values - ((values >> np.uint64(1)) & np.uint64(0x5555555555555555))
    values = (values & np.uint64(0x3333333333333333)) + ((values >> np.uint64(2)) & np.uint64(0x3333333333333333))
    values = (values + (values >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    counts: npt.NDArray[np.uint8] = ((values * np.uint64(0x0101010101010101)) >> np.uint64(56)).astype(np.uint8)
    return counts
