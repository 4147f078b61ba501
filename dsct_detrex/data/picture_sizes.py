"""Sizes of pictures: read where an annotation file does not know them, compared where it does."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dsct_detrex.data.checks import DataReport, OnError
from dsct_detrex.data.dataset import Record
from dsct_detrex.data.images import SKIP_IN_PYTHON, ImageError, frame_size, read_rgb
from dsct_detrex.errors import UserError

_READERS = 16
_COMPARED = 16
"""Pictures whose size is compared with the file's before anything else; all others are compared when they are read."""


def measured(records: Sequence[Record], report: DataReport, on_error: OnError) -> list[Record]:
    """Fill in unknown sizes (0) from the headers of the pictures, many at a time (the time goes into waiting).

    Raises:
        ImageError: a header cannot be read and ``on_error`` is ``"raise"``.
    """

    def measure(record: Record) -> Record | ImageError:
        if record["width"] and record["height"]:
            return record
        try:
            width, height = frame_size(record["file_name"])
        except ImageError as error:
            return error
        return {**record, "height": height, "width": width}

    found: list[Record] = []
    with ThreadPoolExecutor(_READERS) as pool:
        for record, result in zip(records, pool.map(measure, records)):
            if not isinstance(result, ImageError):
                found.append(result)
            elif on_error == "raise":
                raise result.with_skip(SKIP_IN_PYTHON)
            else:
                report.count("unreadable_images", record["file_name"])
    return found


def check_sizes(records: Sequence[Record], source: Path) -> None:
    """Compare some of the annotated sizes with the pictures: an export of resized pictures differs in all of them.

    Raises:
        UserError: most of them differ; says how.
    """
    sample = records[:: max(1, len(records) // _COMPARED)][:_COMPARED]
    compared = [(record, size) for record in sample if (size := _stored_size(record)) is not None]
    others = [(record, size) for record, size in compared if size != (record["width"], record["height"])]
    if len(others) * 2 <= len(compared):
        return
    record, (width, height) = others[0]
    said = (record["width"], record["height"])
    raise UserError(
        f"{source}: the annotated sizes are not those of the pictures, e.g. {said[0]} x {said[1]} for "
        f"{record['file_name']}, which is {width} x {height} pixels. {_remedy(said, (width, height))}"
    )


def _remedy(said: tuple[int, int], size: tuple[int, int]) -> str:
    if said == size[::-1]:
        return "Width and height are swapped: exchange them in the file."
    if abs(said[0] / size[0] - said[1] / size[1]) < 0.02 * said[0] / size[0]:
        scale = f"{said[0] / size[0]:.3g}"
        return f"The file describes pictures resized by {scale}: use those, or divide its sizes and boxes by that."
    return "Use the pictures that were annotated, or the file of these pictures."


def _stored_size(record: Record) -> tuple[int, int] | None:
    """The size of a picture in the orientation that fits its annotation best; None where it cannot be read."""
    annotated = (record["width"], record["height"])
    try:
        size = frame_size(record["file_name"])
    except ImageError:
        return None
    return annotated if size == annotated[::-1] and _fits_turned(record) else size


def _fits_turned(record: Record) -> bool:
    """Whether the picture has the annotated size once its EXIF orientation is heeded, or left alone."""
    try:
        read_rgb(record["file_name"], (record["width"], record["height"]))
    except ImageError:
        return False
    return True
