"""Results as files of their own: whole or not at all, and in the place of nothing unless that is asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Final

from PIL import Image

from dsct_detrex.errors import UserError
from dsct_detrex.files import replacing
from dsct_detrex.paths import user_path

WRITABLE: Final[Mapping[str, str]] = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
"""Suffix -> format of drawn pictures."""

ROWS: Final = ".json"
PICTURES_AND_ROWS: Final = (*WRITABLE, ROWS)

_OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 90},
}
"""How drawn pictures are saved; the text on them would blur with fewer colours."""


def encode_picture(picture: Image.Image, place: Path, form: str) -> None:
    """Write a drawn picture in a format of ``WRITABLE``."""
    picture.save(place, form, **_OPTIONS.get(form, {}))


def free_place(path: str | PathLike[str], suffixes: Iterable[str], overwrite: bool) -> Path:
    """The place that a user named, if it can be written to.

    Raises:
        UserError: another suffix, a folder, or a file that is not to be replaced.
    """
    place = user_path(os.fspath(path))
    if place.suffix.lower() not in suffixes:
        raise UserError(f"save(path=) expects a name that ends in {', '.join(suffixes)}. Got {str(path)!r}.")
    if place.is_dir():
        raise UserError(f"save(path=) expects the name of a file. {place} is a folder.")
    if os.path.lexists(place) and not overwrite:
        raise UserError(f"save: {place} exists and is not replaced; choose another name, or pass overwrite=True.")
    return place


def write_picture(picture: Image.Image, place: Path) -> None:
    """Write a drawn picture; its suffix decides the format."""
    form = WRITABLE[place.suffix.lower()]
    _write(place, lambda unfinished: encode_picture(picture, unfinished, form))


def write_rows(rows: Iterable[Mapping[str, Any]], place: Path) -> None:
    """Write rows as a ``predictions.json``, one a line."""
    text = "[\n " + ",\n ".join(json.dumps(row) for row in rows) + "\n]\n"  # ASCII, so that names of any bytes are JSON
    _write(place, lambda unfinished: unfinished.write_text(text, encoding="ascii"))


def _write(place: Path, write: Callable[[Path], object]) -> None:
    try:
        with replacing(place, flush=False) as unfinished:
            write(unfinished)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(f"save: writing {place} failed ({reason}); free some space or choose another name.") from error
