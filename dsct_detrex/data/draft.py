"""Pictures decoded at 1/2, 1/4 or 1/8 of their size, which costs a JPEG a fraction of the time and memory.

The decoder leaves out the higher frequencies of every block of 8 x 8 pixels, which is not what a resize of the whole
picture gives, to the last digit: fit for augmented training pictures, not for numbers that are compared. Only JPEG's
decoder listens; every other format stays whole.
"""

from __future__ import annotations

import math

from PIL import Image

from dsct_detrex.data.pixels import QUARTER_TURNS, orientation

_DIVISORS = (1, 2, 4, 8)
_LISTEN = ("JPEG", "MPO")


def reduce_below(image: Image.Image, limit: float) -> bool:
    """Ask for the largest of the sizes that has no more than ``limit`` pixels; whether it was reduced."""
    width, height = image.size
    for divisor in _DIVISORS:
        if math.ceil(width / divisor) * math.ceil(height / divisor) <= limit:
            break
    return divisor > 1 and _draft(image, width // divisor, height // divisor)


def reduce_towards(image: Image.Image, size: tuple[int, int], least: tuple[int, int]) -> bool:
    """Ask for the smallest of the sizes that is no smaller than ``least`` in either direction.

    Args:
        image: not decoded yet.
        size: (width, height) that the picture must have once it is upright; another one is left as it is, for its
            reader to see to.
        least: (width, height), upright.

    Returns:
        Whether it was reduced.
    """
    turns = orientation(image) in QUARTER_TURNS if image.format in _LISTEN else False
    if image.format not in _LISTEN or (image.size[::-1] if turns else image.size) != size:
        return False
    width, height = least[::-1] if turns else least
    return _draft(image, width, height)


def _draft(image: Image.Image, width: int, height: int) -> bool:
    """Decode at the smallest size that is at least this one; whether that is smaller than the whole."""
    whole = image.size
    if min(width, height) > 0:
        image.draft(None, (width, height))  # None: in its own mode
    return image.size != whole
