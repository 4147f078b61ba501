"""Pixels of any kind as 8-bit RGB, upright: the one place for modes, bit depths and EXIF turns.

Gray is repeated, alpha is dropped (not blended, as in the official loader), palettes are looked up, 16-bit values keep
their upper byte, floats count from 0 to 1 or, where any is larger, from 0 to 255. Arrays of floats that end between 1
and 2 could be either (0 to 1 after an interpolation, or 0 to 255 of a black picture) and are refused.
"""

from __future__ import annotations

import struct
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsct_detrex.errors import UserError

ChannelOrder = Literal["rgb", "bgr"]
"""Of arrays and tensors with three or four channels; files and PIL images know their own."""

QUARTER_TURNS = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""

BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    OverflowError,
    MemoryError,
    NotImplementedError,
    TypeError,
    KeyError,
    AttributeError,
    ZeroDivisionError,
    struct.error,
    Image.DecompressionBombError,
)
"""What Pillow's decoders raise on broken files."""

_EXIF_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what brings the stored picture upright; 1 is upright already."""


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none that can be read."""
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except BROKEN:  # unreadable EXIF says nothing about the pixels
        return 1


def upright(image: Image.Image, size: tuple[int, int] | None = None) -> Image.Image:
    """The picture turned as its EXIF says, or as stored where only that has the annotated (width, height)."""
    turn = _TURNS.get(orientation(image))
    turned = image if turn is None else image.transpose(turn)
    return image if turned.size != size and image.size == size else turned


def to_rgb(image: Image.Image) -> Image.Image:
    """A PIL image of any mode as a new one of mode RGB, not turned."""
    if image.mode.startswith("I") or image.mode == "F":
        image = _to_8_bit(image)
    if image.mode in ("P", "PA") and "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode == "La":
        image = image.convert("LA")
    return image.convert("RGB")


def rgb_of_array(array: NDArray[Any], channel_order: ChannelOrder = "rgb") -> Image.Image:
    """An array as a PIL image of mode RGB.

    Args:
        array: (H, W) gray, or (H, W, C) with C = 1 gray, 2 gray and alpha, 3 colours, 4 colours and alpha; uint8,
            uint16, or floats from 0 to 1 or from 0 to 255.
        channel_order: of the three colours; OpenCV's is ``bgr``.

    Raises:
        UserError: another shape, type or range; the message says which came.
    """
    array = np.asarray(array)
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 2, 3, 4) or array.size == 0:
        hint = (
            " Channels come last: array.transpose(1, 2, 0)." if array.ndim == 3 and array.shape[0] in (1, 3, 4) else ""
        )
        raise UserError(f"A picture as an array is (H, W), or (H, W, C) with 1 to 4 channels. Got {array.shape}.{hint}")
    pixels = _bytes_of(array).reshape(*array.shape[:2], channels)
    colors = pixels[..., :3] if channels > 2 else pixels[..., :1].repeat(3, axis=2)
    if channel_order == "bgr":
        colors = colors[..., ::-1]
    return Image.fromarray(np.ascontiguousarray(colors))


def _bytes_of(array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return np.asarray(array, dtype=np.uint8)
    if array.dtype == np.uint16:
        return (array >> 8).astype(np.uint8)
    if array.dtype.kind != "f":
        hint = "that is a mask, not a picture" if array.dtype == np.bool_ else "make it uint8 (values from 0 to 255)"
        raise UserError(f"A picture as an array or tensor is uint8, uint16 or float. Got {array.dtype}; {hint}.")
    low, high = float(array.min()), float(array.max())
    if not (low >= 0 and high <= 255):  # NaN fails too
        raise UserError(
            f"A picture of floats has values from 0 to 1, or from 0 to 255. Got {low:.3g} to {high:.3g}; give the "
            "picture as it was before it was normalised."
        )
    if 1 < high <= 2:
        raise UserError(
            f"A picture of floats has values from 0 to 1, or from 0 to 255. Got {low:.3g} to {high:.6g}, which could "
            "be either; clip it to 1, or make it uint8."
        )
    return _scaled(array.astype(np.float64))


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Modes I;16 (16-bit), I and F (16 bits where any value needs them) to 8-bit gray."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    if image.mode.startswith("I;16") or values.max(initial=0.0) > 255:
        values = values / 256
    elif image.mode == "F":
        return Image.fromarray(_scaled(values))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def _scaled(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Floats from 0 to 1 or from 0 to 255."""
    if values.max(initial=0.0) <= 1:
        values = values * 255
    return values.clip(0, 255).astype(np.uint8)
