"""From a file to an RGB picture in the frame its boxes were drawn in.

Any still picture Pillow can decode becomes 8-bit RGB (``data/pixels.py``); HEIC where ``pillow-heif`` is installed.
Of a moving picture the first frame is read.

EXIF orientation: cameras may store a picture lying on its side and note that in EXIF. The annotated size says in which
of the two frames the boxes are: whichever orientation has that size is used. Where both have (half turns, square
pictures), and where no size is annotated, the picture is taken upright, as viewers and annotation tools show it.

Size: above twice ``PIL.Image.MAX_IMAGE_PIXELS`` (179 megapixels, half a GiB of RGB) ``read_photo`` decodes a JPEG at
1/2, 1/4 or 1/8 of its size; what cannot be read so is refused.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import IMAGELENGTH, IMAGEWIDTH, TiffImageFile

from dsct_detrex.data.draft import reduce_below, reduce_towards
from dsct_detrex.data.pixels import BROKEN, QUARTER_TURNS, orientation, to_rgb, upright
from dsct_detrex.errors import UserError


class ImageError(UserError):
    """A picture cannot be used: it is missing, broken, too large, or not of the annotated size.

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


SKIP_IN_PYTHON = 'on_error="skip"'
"""How data sets and loaders, called from Python, go on without pictures that cannot be used."""

_COPY_AGAIN = "Copy the file again."
_NO_DECODER = frozenset(("BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"))
"""Formats of Pillow without a decoder, or with one that runs another program; what claims to be one is no picture."""
_HEIF_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))
_OPENING = threading.Lock()


@dataclass(frozen=True)
class Photo:
    """A picture as models need it, and the frame that its boxes are given in.

    Attributes:
        pixels: mode RGB, upright; smaller than the frame where the file was read at reduced size.
        width, height: of the upright picture, in pixels of the file.
        moving: the file has further frames, which were not read.
    """

    pixels: Image.Image
    width: int
    height: int
    moving: bool = False

    @property
    def reduced(self) -> bool:
        return self.pixels.size != (self.width, self.height)


def read_photo(path: str) -> Photo:
    """Read one picture upright; a JPEG above the limit at reduced size.

    Raises:
        ImageError: the file is missing, broken, truncated, or above the limit.
    """
    with _reading(path) as (image, limit):
        stored_size = image.size
        reduced = reduce_below(image, limit)
        _check_pixels(path, image, limit, "Make it smaller, or save it as JPEG, which is read at reduced size.")
        return photo_of(image, stored_size if reduced else None)


def photo_of(image: Image.Image, stored_size: tuple[int, int] | None = None) -> Photo:
    """An open PIL image of any mode, upright in the way of ``read_photo``.

    Args:
        image: is decoded where it is not yet.
        stored_size: (width, height) before it was reduced and turned; None where it was not reduced.
    """
    _load(image)
    pixels = to_rgb(upright(image))
    width, height = stored_size or pixels.size
    if stored_size and orientation(image) in QUARTER_TURNS:
        width, height = height, width
    return Photo(pixels, width, height, _is_moving(image))


def read_rgb(path: str, size: tuple[int, int] | None = None, least: tuple[int, int] | None = None) -> Image.Image:
    """Read one picture as 8-bit RGB, in the frame of its annotation.

    Args:
        path: any format Pillow reads.
        size: annotated (width, height); decides the orientation and is checked. None accepts any.
        least: (width, height) that will do: a JPEG may come at 1/2, 1/4 or 1/8 of its size, down to this.

    Raises:
        ImageError: the file is missing, broken, truncated, above the limit, or has another size.
    """
    with _reading(path) as (image, limit):
        _check_pixels(path, image, limit, "Make it smaller, and its boxes with it.")
        reduced = size is not None and least is not None and reduce_towards(image, size, least)
        _load(image)
        picture = upright(image, size)
        if reduced or size is None or picture.size == size:
            return to_rgb(picture)
    raise ImageError(
        f"The image {path} is {picture.width} x {picture.height} pixels, but its annotation says {size[0]} x "
        f"{size[1]}, so its boxes do not fit. Use the original image."
    )


def frame_size(path: str) -> tuple[int, int]:
    """(width, height) of the frame that boxes without an annotated size are in, from the file's header only.

    It is the upright frame, except that the EXIF of a PNG (which would cost decoding it) is not looked at.

    Raises:
        ImageError: the file is missing or its header is broken, or it is above the limit.
    """
    with _reading(path) as (image, limit):
        _check_pixels(path, image, limit, "Make it smaller, and its boxes with it.")
        width, height = _stored_size(image)
        turned = image.format != "PNG" and orientation(image) in QUARTER_TURNS
        return (height, width) if turned else (width, height)


@cache
def can_read_heif() -> bool:
    """Whether ``pillow-heif`` is installed; from the first call on Pillow opens HEIC with it."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


@contextmanager
def _reading(path: str) -> Iterator[tuple[Image.Image, float]]:
    """Open a picture, and know how many pixels are too many; what is wrong with the file becomes an ``ImageError``."""
    try:
        with open(path, "rb") as file:
            image, limit = _open(file)
            yield image, limit
    except FileNotFoundError as error:
        raise MissingImageError(f"The image {path} is not there. {remedy_for(error)}") from error
    except BROKEN as error:
        reason, remedy = _reason(path, error)
        raise ImageError(f"The image {path} cannot be read ({reason}). {remedy}") from error


def _open(file: BinaryIO) -> tuple[Image.Image, float]:
    """The picture in a file, its header read, and the limit.

    Pillow's own limit is lifted meanwhile: it would stop large pictures before their reduced size can be asked for,
    and warn about others.
    """
    Image.init()
    with _OPENING:
        pillow_limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            return _identified(file), math.inf if pillow_limit is None else 2 * pillow_limit
        finally:
            Image.MAX_IMAGE_PIXELS = pillow_limit


def _identified(file: BinaryIO) -> Image.Image:
    try:
        return Image.open(file, formats=[name for name in Image.ID if name not in _NO_DECODER])
    except UnidentifiedImageError:
        if _is_heif(file) and can_read_heif():
            return Image.open(file, formats=["HEIF"])
        raise


def _is_heif(file: BinaryIO) -> bool:
    file.seek(0)
    head = file.read(12)
    return head[4:8] == b"ftyp" and head[8:] in _HEIF_BRANDS


def _load(image: Image.Image) -> None:
    """Decode; an uncompressed TIFF without its name, by which Pillow maps it into memory and garbles it if turned."""
    if isinstance(image, TiffImageFile):
        name, image.filename = image.filename, ""
        image.load()
        image.filename = name
    else:
        image.load()


def _stored_size(image: Image.Image) -> tuple[int, int]:
    """(width, height) as stored; of a TIFF Pillow gives the upright size instead, in some versions."""
    if isinstance(image, TiffImageFile):
        return int(image.tag_v2[IMAGEWIDTH]), int(image.tag_v2[IMAGELENGTH])
    return image.size


def _check_pixels(path: str, image: Image.Image, limit: float, remedy: str) -> None:
    width, height = image.size
    if width * height > limit:
        raise ImageError(
            f"The image {path} has {_mega(width * height)} megapixels ({width} x {height}), above the limit of "
            f"{_mega(limit)} ({image.format}). {remedy}"
        )


def _mega(pixels: float) -> str:
    return f"{pixels / 1e6:.3g}"


def _is_moving(image: Image.Image) -> bool:
    """Whether there are further frames; the second picture of a camera's MPO is no frame."""
    with suppress(*BROKEN):  # what follows the first frame is not needed
        return image.format not in ("MPO", "HEIF") and bool(getattr(image, "is_animated", False))
    return False


def _reason(path: str, error: Exception) -> tuple[str, str]:
    """Why a file cannot be read, and what to do."""
    if isinstance(error, MemoryError):
        return "there is not enough memory for its pixels", "Make it smaller."
    if isinstance(error, IsADirectoryError):
        return "it is a folder", "Give a file."
    if isinstance(error, UnidentifiedImageError):
        return _unidentified(path)
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__, remedy_for(error)


def remedy_for(error: Exception) -> str:
    """What to do about a file that cannot be opened or read."""
    if isinstance(error, FileNotFoundError):
        return "Check the path, or copy the file there."
    if isinstance(error, PermissionError):
        return "Give yourself the right to read it."
    return _COPY_AGAIN


def _unidentified(path: str) -> tuple[str, str]:
    with open(path, "rb") as file:
        if not file.read(1):
            return "it is empty", _COPY_AGAIN
        needs_heif = _is_heif(file) and not can_read_heif()
    if needs_heif:
        return "it is HEIC, which needs pillow-heif", "Install that: pip install pillow-heif."
    return "it is no picture, or its beginning is broken", _COPY_AGAIN
