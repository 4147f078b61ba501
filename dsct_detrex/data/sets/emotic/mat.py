"""``Annotations.mat``, the EMOTIC annotations handed out since 2019: body boxes, every annotator's labels.

Variables ``train``, ``val`` and ``test`` are struct arrays: ``filename``, ``folder`` (``"mscoco/images"``),
``image_size`` (``n_col``, ``n_row``) and ``person``. A training person has one annotator; a validation or test person
has several, and ``combined_categories`` is their union: that is what training and evaluation use.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from dsct_detrex.data.dataset import Annotation, Record
from dsct_detrex.data.fields import whole_number
from dsct_detrex.data.sets.emotic import mat_variable
from dsct_detrex.errors import UserError, reason_of

Encode = Callable[[list[str]], list[int]]
Locate = Callable[[str], Path]


def read_mat(path: Path, split: str, locate: Locate, encode: Encode) -> list[Record]:
    """Read one split; boxes are not checked yet (``checks.usable_records`` does).

    Args:
        path: the ``.mat`` file.
        split: ``train``, ``val`` or ``test``.
        locate: ``folder/filename`` of the file -> where the picture is; raises ``ValueError`` saying what is wrong.
        encode: label names -> class indices; raises ``ValueError`` for a name nobody knows.

    Returns:
        One record per image, ids counted from 1. ``extra`` of a person: ``gender``, ``age``, ``continuous``
        (``[valence, arousal, dominance]`` from 1 to 10, None when missing) and ``annotators``, a list of
        ``{"labels", "continuous"}``.

    Raises:
        UserError: not such a file, no such split, or an entry that cannot be read; names the entry.
    """
    entries = _many(_load(path, split))
    records: list[Record] = []
    for number, entry in enumerate(entries, start=1):
        try:
            records.append(_record(entry, number, locate, encode))
        except KeyError as error:
            raise UserError(f"{path}, {split} image {number} has no field {error}.") from error
        except ValueError as error:
            raise UserError(f"{path}, {split} image {number} cannot be read: {error}.") from error
        except (TypeError, IndexError) as error:
            expected = "Expected a struct with filename, folder, image_size and person"
            raise UserError(f"{path}, {split} image {number} cannot be read. {expected}.") from error
    return records


def _load(path: Path, split: str) -> Any:
    try:
        variables = mat_variable.read(path, split)
    except NotImplementedError as error:
        raise UserError(
            f"{path} is in MATLAB's format 7.3, which is not read. Save it in MATLAB with save(..., '-v7')."
        ) from error
    except Exception as error:  # scipy raises a dozen kinds on broken files, among them zlib.error and TypeError
        raise UserError(
            f"{path} is not a readable MATLAB file ({reason_of(error)}). Copy or unpack it again."
        ) from error
    if split not in variables:
        raise UserError(f"{path} has no variable {split!r}. Expected the EMOTIC Annotations.mat of 2019 or later.")
    return variables[split]


def _record(entry: dict[str, Any], number: int, locate: Locate, encode: Encode) -> Record:
    size = entry["image_size"]
    return {
        "file_name": str(locate(f"{entry['folder']}/{entry['filename']}")),
        "image_id": number,
        "height": _side(size, "n_row"),
        "width": _side(size, "n_col"),
        "annotations": [_person(person, encode) for person in _many(entry["person"])],
    }


def _side(size: dict[str, Any], name: str) -> int:
    """A side of the picture; 0 where the file does not know it."""
    values = np.ravel(size[name])
    pixels = whole_number(values[0].item()) if values.size else 0
    if pixels is None or pixels < 0:
        raise ValueError(f"image_size.{name} is {size[name]}, expected whole pixels")
    return pixels


def _person(person: dict[str, Any], encode: Encode) -> Annotation:
    box = [float(side) for side in np.ravel(person["body_bbox"])]
    if len(box) != 4:
        raise ValueError(f"body_bbox has {len(box)} numbers, expected x1, y1, x2, y2")
    annotators = [encode(_names(each["categories"])) for each in _many(person["annotations_categories"])]
    combined = person.get("combined_categories")
    labels = sorted({index for labels in annotators for index in labels})
    return {
        "bbox": box,
        "labels": labels if combined is None else encode(_names(combined)),
        "extra": _extra(person, annotators),
    }


def _extra(person: dict[str, Any], annotators: list[list[int]]) -> dict[str, Any]:
    """What training never reads; gaps in it are no reason to refuse a person."""
    opinions = [_continuous(each) for each in _many(person.get("annotations_continuous", []))]
    combined = [_continuous(each) for each in _many(person.get("combined_continuous", []))]
    return {
        "gender": " ".join(_names(person.get("gender", []))),
        "age": " ".join(_names(person.get("age", []))),
        "continuous": next(iter(combined + opinions), [None, None, None]),
        "annotators": [{"labels": a, "continuous": c} for a, c in zip_longest(annotators, opinions)],
    }


def _continuous(opinion: dict[str, Any]) -> list[float | None]:
    values = [np.ravel(np.asarray(opinion[name], dtype=float)) for name in ("valence", "arousal", "dominance")]
    return [float(value[0]) if value.size and not np.isnan(value[0]) else None for value in values]


def _many(value: Any) -> list[Any]:
    """MATLAB's 1 x n arrays, which ``simplify_cells`` hands over as a single item when n is 1."""
    return list(value) if isinstance(value, np.ndarray | list) else [value]


def _names(value: Any) -> list[str]:
    return [str(name).strip() for name in _many(value)]
