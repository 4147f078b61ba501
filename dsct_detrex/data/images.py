"""From a file to an RGB picture in the frame its boxes were drawn in.

Any picture Pillow can open becomes 8-bit RGB: gray is repeated, alpha is dropped (not blended, as in the official
loader), palettes are looked up, 16-bit values keep their upper byte.

EXIF orientation: cameras may store a picture lying on its side and note that in EXIF. The annotated size says in which
of the two frames the boxes are: whichever orientation has that size is used. Where both have (half turns, square
pictures), and where no size is annotated, the picture is taken upright, as viewers and annotation tools show it.
"""

from __future__ import annotations

import struct

import numpy as np
from PIL import Image

from dsct_detrex.errors import UserError

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
_QUARTER_TURNS = (5, 6, 7, 8)


class ImageError(UserError):
    """A picture cannot be used: it is missing, broken, or not of the annotated size.

    Args:
        problem: what is wrong, and how to mend it.
        skip: what to set, at the place that was asked, to go on without such pictures: an argument in Python, a key in
            a config, a flag on a command line. Empty where there is no such way.
    """

    def __init__(self, problem: str, skip: str = "") -> None:
        super().__init__(problem, skip)
        self.problem, self.skip = problem, skip

    def __str__(self) -> str:
        return f"{self.problem} Or set {self.skip} to go on without such pictures." if self.skip else self.problem

    def with_skip(self, skip: str) -> ImageError:
        """The same error in the words of another place."""
        return type(self)(self.problem, skip)


class MissingImageError(ImageError):
    """A picture is not where the annotations say."""


_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    OverflowError,
    struct.error,
    Image.DecompressionBombError,
)
"""What Pillow's decoders raise on broken files."""

SKIP_IN_PYTHON = 'on_error="skip"'
"""How data sets and loaders, called from Python, go on without pictures that cannot be used."""

_REMEDY = "Copy the file again."


def read_rgb(path: str, size: tuple[int, int] | None = None) -> Image.Image:
    """Read one picture as 8-bit RGB.

    Args:
        path: any format Pillow reads.
        size: annotated (width, height); decides the orientation and is checked. None accepts any.

    Raises:
        ImageError: the file is missing, broken, truncated, or has another size.
    """
    try:
        with Image.open(path) as image:
            image.load()
            picture = _oriented(image, size)
            if size is None or picture.size == size:
                return _to_rgb(picture)
    except FileNotFoundError as error:
        raise MissingImageError(f"The image {path} is not there. {_REMEDY}") from error
    except _BROKEN as error:
        raise ImageError(f"The image {path} cannot be read ({_reason(error)}). {_REMEDY}") from error
    raise ImageError(
        f"The image {path} is {picture.width} x {picture.height} pixels, but its annotation says {size[0]} x "
        f"{size[1]}, so its boxes do not fit. Use the original image."
    )


def frame_size(path: str) -> tuple[int, int]:
    """(width, height) of the frame that boxes without an annotated size are in, from the file's header only.

    It is the upright frame, except that the EXIF of a PNG (which would cost decoding it) is not looked at.

    Raises:
        ImageError: the file is missing or its header is broken.
    """
    try:
        with Image.open(path) as image:
            turned = image.format != "PNG" and _orientation(image) in _QUARTER_TURNS
            return (image.height, image.width) if turned else image.size
    except FileNotFoundError as error:
        raise MissingImageError(f"The image {path} is not there. {_REMEDY}") from error
    except _BROKEN as error:
        raise ImageError(f"The image {path} cannot be read ({_reason(error)}). {_REMEDY}") from error


def _oriented(image: Image.Image, size: tuple[int, int] | None) -> Image.Image:
    """The picture upright, or as stored where only that has the annotated size."""
    turn = _TURNS.get(_orientation(image))
    upright = image if turn is None else image.transpose(turn)
    return image if upright.size != size and image.size == size else upright


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except (*_BROKEN, TypeError, KeyError):  # unreadable EXIF says nothing about the pixels
        return 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        image = _to_8_bit(image)
    if image.mode in ("P", "PA") and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert("RGB")


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Modes I;16 (16-bit), I and F (16 bits where any value needs them) to 8-bit gray."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    if image.mode.startswith("I;16") or values.max(initial=0.0) > 255:
        values = values / 256
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
