"""One picture, several, or a stream of them: told from what a caller hands over.

* one: a path, a PIL image, an array or tensor of up to three dimensions;
* several: a list or tuple, a folder, an array (N, H, W, C), a tensor (N, C, H, W);
* a stream, read only as far as results are asked for: any other iterable (a generator, a data set, a ``DataLoader``).

Members of a list or stream may be batches and folders in their turn, but no lists.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, TypeGuard

import numpy as np
from PIL import Image
from torch import Tensor

from dsct_detrex.data.images import Photo
from dsct_detrex.errors import UserError
from dsct_detrex.paths import user_path
from dsct_detrex.prediction.inputs import Picture
from dsct_detrex.prediction.pictures import find_pictures

Kind = Literal["one", "several", "stream"]

_SINGLE: Final = (
    str, bytes, bytearray, memoryview, os.PathLike, Image.Image, np.ndarray, Tensor, Photo, Mapping,
)  # fmt: skip
"""Iterable or not, these are no streams; what of them is no picture is refused as one."""


def kind_of(given: object) -> Kind:
    """Which of the three a caller handed over; what is no picture counts as one, and is refused as such."""
    if isinstance(given, list | tuple) or _is_batch(given) or _is_folder(given):
        return "several"
    is_stream = isinstance(given, Iterable) and not isinstance(given, _SINGLE) and not hasattr(given, "read")
    return "stream" if is_stream else "one"


def each_picture(given: Any) -> Iterator[Picture]:
    """The pictures one by one, in order; those of a folder as ``predict.py`` finds them, with a warning of the rest.

    Raises:
        UserError: a folder without pictures, or a list without any or inside another.
    """
    if isinstance(given, list | tuple) and not given:
        raise UserError("Predictor expects at least one picture. Got an empty list.")
    if kind_of(given) == "one" or _is_batch(given) or _is_folder(given):
        yield from _flat(given)
        return
    for number, member in enumerate(given, 1):
        if isinstance(member, list | tuple):
            raise UserError(f"Predictor expects pictures in a list. Got a {type(member).__name__} as number {number}.")
        yield from _flat(member)


def _flat(member: Any) -> Iterator[Picture]:
    if _is_folder(member):
        found, left_out = find_pictures([os.fspath(member)])
        if left_out:
            warnings.warn(f"Predictor: of {os.fspath(member)} were left out: {left_out.sentence()}", stacklevel=2)
        yield from (picture.path for picture in found)
    elif _is_batch(member):
        yield from member
    else:
        yield member


def _is_batch(given: object) -> TypeGuard[Tensor | np.ndarray[Any, Any]]:
    return isinstance(given, Tensor | np.ndarray) and given.ndim == 4


def _is_folder(given: object) -> TypeGuard[str | os.PathLike[str]]:
    path = os.fspath(given) if isinstance(given, str | os.PathLike) else ""
    return isinstance(path, str) and path != "" and os.path.isdir(user_path(path))
