"""COCO-style annotation files, as the official DSCT code keeps EMOTIC and CAER-S.

Both differ from plain COCO only in what ``category_id`` means, so that is an argument. As in the official loader,
``iscrowd`` annotations are dropped, and ``bbox`` is ``x, y, width, height`` in pixels of the original image.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dsct_detrex.data.checks import DataReport
from dsct_detrex.data.dataset import Annotation, Record
from dsct_detrex.errors import UserError


def read_coco(
    path: Path,
    labels_of: Callable[[dict[str, Any]], list[int]],
    locate: Callable[[str], Path],
    report: DataReport,
) -> list[Record]:
    """Read one annotation file; boxes are not checked yet (``checks.usable_records`` does).

    Args:
        path: the JSON file.
        labels_of: an entry of ``annotations`` -> its class indices; raises ``ValueError`` saying what is wrong with it.
        locate: ``file_name`` of the file -> where the picture is.
        report: counts dropped crowd boxes.

    Returns:
        One record per entry of ``images``, in the order of the file, with the file's own image ids.

    Raises:
        UserError: not JSON, not COCO-style, a box for an unknown image, or a label ``labels_of`` refuses.
    """
    content = _load(path)
    records: dict[int, Record] = {}
    for entry in _entries(content, "images", path):
        with _naming(path, "image", entry):
            records[int(entry["id"])] = {
                "file_name": str(locate(str(entry["file_name"]))),
                "image_id": int(entry["id"]),
                "height": int(entry["height"]),
                "width": int(entry["width"]),
                "annotations": [],
            }
    for entry in _entries(content, "annotations", path):
        with _naming(path, "annotation", entry):
            record = records.get(int(entry["image_id"]))
            if record is None:
                raise ValueError(f"image_id {entry['image_id']} is not among the images of the file")
            if entry.get("iscrowd", 0):
                report.count("crowd_boxes", record["file_name"])
            else:
                record["annotations"].append(_annotation(entry, labels_of))
    return list(records.values())


def _annotation(entry: dict[str, Any], labels_of: Callable[[dict[str, Any]], list[int]]) -> Annotation:
    x, y, width, height = (float(side) for side in entry["bbox"])
    return {"bbox": [x, y, x + width, y + height], "labels": labels_of(entry)}


def _load(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a complete JSON file ({error}). Copy or download it again.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} expects a COCO-style object with 'images' and 'annotations'. Got a list.")
    return content


def _entries(content: dict[str, Any], key: str, path: Path) -> list[dict[str, Any]]:
    entries = content.get(key)
    if not isinstance(entries, list):
        found = ", ".join(content) or "nothing"
        raise UserError(f"{path} expects a COCO-style list under {key!r}. Its keys are: {found}.")
    return entries


@contextmanager
def _naming(path: Path, kind: str, entry: dict[str, Any]) -> Iterator[None]:
    """Turn whatever is wrong with one entry into a sentence that names the file and the entry."""
    where = f"{path}, {kind} {entry.get('id', '?') if isinstance(entry, dict) else '?'}"
    try:
        yield
    except KeyError as error:
        raise UserError(f"{where} has no {error.args[0]!r}. Expected a COCO-style entry.") from error
    except (ValueError, TypeError) as error:
        raise UserError(f"{where}: {error}.") from error
