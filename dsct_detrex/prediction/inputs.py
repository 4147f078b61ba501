"""What a caller may hand over as a picture, and what a predictor makes of it: the same as of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from dsct_detrex.data.images import ImageError, Photo, photo_of, read_photo
from dsct_detrex.data.pixels import BROKEN, rgb_of_array
from dsct_detrex.errors import UserError
from dsct_detrex.paths import user_path

Picture = str | Path | Image.Image | NDArray[Any] | Tensor | Photo


def as_photo(picture: Picture) -> Photo:
    """Any accepted picture as 8-bit RGB, upright.

    Args:
        picture: the path of a file (``~`` is expanded); a PIL image of any mode, turned as its EXIF says; an array
            (H, W), or (H, W, C) with C in the order RGB, see ``data.pixels.rgb_of_array``; a tensor (C, H, W) of the
            same types; or what ``data.images.read_photo`` returned.

    Raises:
        ImageError: the file or the PIL image cannot be decoded.
        UserError: it is none of these.
    """
    match picture:
        case Photo():
            return picture
        case str() | Path():
            return read_photo(str(user_path(picture)))
        case Image.Image():
            return _decoded(picture)
        case np.ndarray():
            return photo_of(rgb_of_array(picture))
        case Tensor():
            return photo_of(rgb_of_array(_channels_last(picture)))
    hint = " (cv2.imread gives None for a file that it cannot read)" if picture is None else ""
    raise UserError(
        f"Predictor expects a path, a PIL image, an array (H, W, 3) or a tensor (3, H, W). "
        f"Got {type(picture).__name__}{hint}."
    )


def _decoded(image: Image.Image) -> Photo:
    try:
        return photo_of(image)
    except BROKEN as error:
        name = getattr(image, "filename", "") or "given"
        raise ImageError(f"The image {name} cannot be read ({' '.join(str(error).split())}).") from error


def _channels_last(tensor: Tensor) -> NDArray[Any]:
    if tensor.ndim not in (2, 3) or (tensor.ndim == 3 and tensor.shape[0] > 4):
        raise UserError(
            f"A picture as a tensor is (C, H, W) with 1 to 4 channels, or (H, W). Got {tuple(tensor.shape)}."
        )
    array: NDArray[Any] = tensor.detach().cpu().numpy()
    return array.transpose(1, 2, 0) if array.ndim == 3 else array
