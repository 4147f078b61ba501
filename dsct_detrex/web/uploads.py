"""What the page takes: limits on the bytes and the pixels of a picture, and the sentences of what it does not take."""

from __future__ import annotations

import os
from dataclasses import dataclass

from PIL import Image

from dsct_detrex.data.images import ImageError, Photo, frame_size, read_photo
from dsct_detrex.errors import UserError

_LONGEST_KEPT = 1600
"""Long side in pixels of what is held for drawing; the model has seen all pixels by then."""


@dataclass(frozen=True)
class Limits:
    """The largest picture that is taken.

    Attributes:
        megabytes: of its file, in 2^20 bytes, as the browser counts them.
        megapixels: width times height, in 10^6; an upload of few bytes can be a picture of very many pixels.
    """

    megabytes: int = 20
    megapixels: int = 40

    @property
    def bytes(self) -> int:
        return self.megabytes << 20

    @property
    def sentence(self) -> str:
        return f"Up to {self.megabytes} MB and {self.megapixels} megapixels."

    def too_many_bytes(self) -> str:
        """What is said of a file above the limit, wherever that is noticed."""
        return f"This file has more than {self.megabytes} MB, the most that this page takes. Make it smaller."


def read_upload(path: str, name: str, limits: Limits) -> Photo:
    """Read an uploaded file.

    Args:
        path: where it lies for the time being.
        name: how its owner calls it, for messages.
        limits: what is taken.

    Raises:
        UserError: it is above a limit, or no picture; the message names no path of this machine.
    """
    try:
        if os.path.getsize(path) > limits.bytes:
            raise UserError(limits.too_many_bytes())
        width, height = frame_size(path)
        if width * height > 1_000_000 * limits.megapixels:
            raise UserError(
                f"{name} has {width} x {height} pixels, which is more than {limits.megapixels} megapixels, the most "
                "that this page takes. Make it smaller."
            )
        return read_photo(path)
    except ImageError as error:
        raise UserError(error.problem.replace(f"The image {path}", name)) from error


def kept(photo: Photo) -> Photo:
    """The same picture with as many pixels as drawing needs; its frame stays."""
    factor = max(photo.pixels.size) / _LONGEST_KEPT
    if factor <= 1:
        return photo
    size = (max(1, round(photo.pixels.width / factor)), max(1, round(photo.pixels.height / factor)))
    smaller = photo.pixels.resize(size, Image.Resampling.LANCZOS)
    return Photo(smaller, photo.width, photo.height, photo.moving)
