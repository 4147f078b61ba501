"""What a caller may hand over as a picture, and what a predictor makes of it: the same as of the file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from dsct_detrex.data.images import ImageError, Photo, photo_of, read_photo
from dsct_detrex.data.pixels import BROKEN, ChannelOrder, rgb_of_array
from dsct_detrex.errors import UserError, reason_of
from dsct_detrex.paths import user_path

Picture = str | os.PathLike[str] | Image.Image | NDArray[Any] | Tensor | Photo

CHANNEL_ORDERS = ("rgb", "bgr")


def as_photo(picture: Picture, channel_order: ChannelOrder = "rgb") -> Photo:
    """Any accepted picture as 8-bit RGB, upright.

    Args:
        picture: the path of a file (``~`` is expanded); a PIL image of any mode, turned as its EXIF says; an array
            (H, W) or (H, W, C), see ``data.pixels.rgb_of_array``; a tensor (C, H, W) or (H, W) of the same types on any
            device; or what ``data.images.read_photo`` returned.
        channel_order: of the colours of arrays and tensors.

    Raises:
        ImageError: the file or the PIL image cannot be decoded.
        UserError: it is none of these.
    """
    match picture:
        case Photo():
            return picture
        case str() | os.PathLike():
            return read_photo(str(_path(picture)))
        case Image.Image():
            return _decoded(picture)
        case np.ndarray():
            return photo_of(rgb_of_array(picture, channel_order))
        case Tensor():
            return photo_of(rgb_of_array(_channels_last(picture), channel_order))
    raise UserError(
        f"Predictor expects a path, a PIL image, an array (H, W, 3) or a tensor (3, H, W). "
        f"Got {type(picture).__name__}{_hint(picture)}."
    )


def name_of(picture: Picture) -> str:
    """How results call a picture: its path as it was given, the file that a PIL image was opened from, or nothing."""
    if isinstance(picture, str | os.PathLike):
        return os.fspath(picture)
    return str(getattr(picture, "filename", "")) if isinstance(picture, Image.Image) else ""


def _path(picture: str | os.PathLike[str]) -> Path:
    text = os.fspath(picture)
    if not isinstance(text, str):
        raise UserError(f"Predictor expects a path as text. Got {text!r}; os.fsdecode makes it text.")
    if not text:
        raise UserError("Predictor expects the path of a picture. Got an empty text.")
    if "://" in text:
        raise UserError(f"Predictor: {text} is an address, and nothing is downloaded here; fetch the picture.")
    return user_path(text)


def _decoded(image: Image.Image) -> Photo:
    name = getattr(image, "filename", "") or "given"
    if 0 in image.size:
        raise UserError(f"The image {name} has no pixels ({image.width} x {image.height}).")
    try:
        return photo_of(image)
    except BROKEN as error:
        raise ImageError(f"The image {name} cannot be read ({' '.join(str(error).split())}).") from error


def _channels_last(tensor: Tensor) -> NDArray[Any]:
    if tensor.ndim not in (2, 3) or (tensor.ndim == 3 and tensor.shape[0] > 4) or tensor.numel() == 0:
        raise UserError(
            f"A picture as a tensor is (C, H, W) with 1 to 4 channels, or (H, W). Got {tuple(tensor.shape)}."
        )
    try:
        values = tensor.detach().cpu()
        array: NDArray[Any] = (values.float() if values.is_floating_point() else values).numpy()
    except (TypeError, NotImplementedError, RuntimeError) as error:
        reason = reason_of(error)
        raise UserError(
            f"A picture as a tensor has its pixels in memory, without gaps. Got one where torch says: {reason}."
        ) from error
    return array.transpose(1, 2, 0) if array.ndim == 3 else array


def _hint(picture: object) -> str:
    if picture is None:
        return " (cv2.imread gives None for a file that it cannot read)"
    if isinstance(picture, bytes | bytearray | memoryview):
        return "; open it first: PIL.Image.open(io.BytesIO(data))"
    return "; open it first: PIL.Image.open(file)" if hasattr(picture, "read") else ""
