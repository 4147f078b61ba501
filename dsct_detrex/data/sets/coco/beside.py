"""Annotated things beside people: COCO-style files of objects, joined to pictures whose people another file annotates.

EMOTIC took part of its pictures from COCO, so COCO's own ``instances_*.json`` name the things in those. A picture is
found by the name of its file without folders; COCO's names of 2014 and 2017 are the same picture
(``COCO_val2014_000000562243.jpg``, ``000000562243.jpg``). A picture that no file lists is one that nobody annotated:
its ``objects`` are None, which is not an empty list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from dsct_detrex.counting import counted
from dsct_detrex.data.box_formats import boxes_as_xyxy
from dsct_detrex.data.checks import DataReport, usable_people
from dsct_detrex.data.coco import Reading, content_of_coco
from dsct_detrex.data.coco_labels import Categories, read_categories
from dsct_detrex.data.dataset import Record
from dsct_detrex.data.fields import Entry
from dsct_detrex.data.label_names import LabelNames
from dsct_detrex.data.picture_names import parts_of
from dsct_detrex.data.places import named_file
from dsct_detrex.data.text_files import read_json
from dsct_detrex.errors import UserError
from dsct_detrex.structures import ObjectClasses

Files = str | Sequence[str] | None
"""A file of objects or several, relative to here or to the root; None: there is none."""

_COCO_2014 = re.compile(r"COCO_(?:train|val|test)20\d\d_(?=\d{12}\.)")


def object_classes_of_files(root: str, files: Files) -> ObjectClasses | None:
    """The classes of files of objects, for config files: the categories of the first; None without files.

    Args:
        root: the folder of the data set.
        files: see ``Files``.

    Raises:
        UserError: a file is not there or has no categories.
    """
    found = _paths(root, files)
    return _classes_of(found[0], found[0].stat().st_mtime_ns) if found else None


@lru_cache(maxsize=4)
def _classes_of(path: Path, changed: int) -> ObjectClasses:
    names = tuple(read_categories(read_json(path), path).values())
    if not names:
        raise UserError(
            f"{path} has no 'categories', which say what its numbers mean. List the classes with their ids there."
        )
    return ObjectClasses("objects", names)


def with_things(
    records: Sequence[Record], root: str, files: Files, classes: ObjectClasses | None
) -> tuple[list[Record], str]:
    """Records with ``objects``, and how many have them, in words; unchanged and without a word where there is no file.

    Args:
        records: of pictures with people; not changed.
        root, files: see ``object_classes_of_files``.
        classes: what things may be; None takes those of the files.

    Raises:
        UserError: a file cannot be read, names classes that are none of ``classes``, lists none of the pictures, or
            has a picture of that name in another size.
    """
    found = _paths(root, files)
    known = classes or object_classes_of_files(root, files)
    if known is None or not found:
        return list(records), ""
    wanted = {_key(record["file_name"]) for record in records}
    things: dict[str, Record] = {}
    for path in found:
        things |= {_key(one["file_name"]): one for one in _listed(path, wanted, known)}
    if not things:
        raise UserError(
            f"{', '.join(path.name for path in found)} lists none of the {counted(len(records), 'picture')} "
            f"({Path(records[0]['file_name']).name}, ...): nothing is annotated in them. Name the file of objects in "
            "these pictures with data.objects, or leave it out."
        )
    joined = [_joined(record, things.get(_key(record["file_name"])), known.name) for record in records]
    names = ", ".join(path.name for path in found)
    return joined, f"things of {len(things)} of {counted(len(records), 'picture')} from {names}"


def _joined(record: Record, listed: Record | None, name: str) -> Record:
    if listed is None:
        return {**record, "objects": None}
    size, theirs = (record["width"], record["height"]), (listed["width"], listed["height"])
    if size != theirs:
        raise UserError(
            f"{record['file_name']} has {size[0]} x {size[1]} pixels, and the file of objects says {theirs[0]} x "
            f"{theirs[1]}: it is another picture, or a resized one. Name the file of these pictures with data.objects."
        )
    return {**record, "objects": usable_people(listed["annotations"], *size, DataReport(name), record["file_name"])}


def _listed(path: Path, wanted: set[str], classes: ObjectClasses) -> list[Record]:
    """The pictures of a file that are wanted, boxes ``xyxy``; the others are not even looked at."""
    content = read_json(path)
    if isinstance(content, dict):
        content = _narrowed(content, wanted)
    reading = Reading(LabelNames(classes, {}), _by_categories, Path)
    records = content_of_coco(content, path, reading, DataReport(classes.name)).records
    return boxes_as_xyxy(records, path, "xywh", None)


def _narrowed(content: dict[str, Any], wanted: set[str]) -> dict[str, Any]:
    """Without the images that are not wanted and what is annotated in them; what is no COCO stays to be refused."""
    images, annotations = content.get("images"), content.get("annotations")
    if not isinstance(images, list) or not isinstance(annotations, list):
        return content
    others = {
        str(one.get("id")) for one in images if isinstance(one, dict) and _key(str(one.get("file_name"))) not in wanted
    }  # as text: an id may be anything, a list too, until the reader refuses it
    return {
        **content,
        "images": [one for one in images if not isinstance(one, dict) or str(one.get("id")) not in others],
        "annotations": [
            one for one in annotations if not isinstance(one, dict) or str(one.get("image_id")) not in others
        ],
    }


def _by_categories(people: Sequence[Entry], categories: Categories, path: Path) -> None:
    """Numbers mean what ``categories`` say."""


def _paths(root: str, files: Files) -> list[Path]:
    named = [] if files is None else [files] if isinstance(files, str) else list(files)
    return [named_file(name, "train", Path(root), "data.objects") for name in named]


def _key(file_name: str) -> str:
    """By what a picture is known in any file."""
    return _COCO_2014.sub("", "".join(parts_of(file_name)[-1:]))
