"""COCO-style annotation files, as the official DSCT code keeps EMOTIC and CAER-S, and as other exporters write them.

They differ from plain COCO only in what ``category_id`` means (``coco_labels.py``). As in the official loader,
``iscrowd`` annotations are dropped. Boxes are handed on as the file has them (``box_formats.py`` makes them ``xyxy``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsct_detrex.data.checks import DataReport
from dsct_detrex.data.coco_labels import BareNumbers, LabelsOf, label_reader
from dsct_detrex.data.dataset import Annotation, Record
from dsct_detrex.data.fields import Entry, Identifier, entries, number, shown
from dsct_detrex.data.label_names import LabelNames
from dsct_detrex.data.text_files import read_json
from dsct_detrex.errors import UserError

Images = dict[Identifier, Record]


@dataclass(frozen=True)
class CocoFile:
    """What one file says.

    Attributes:
        records: one per image of the file, in its order; boxes and sizes (0: unknown) as the file has them.
        boxes: ``head`` or ``body`` where the file says which, else None.
        labels: how labels were read, see ``coco_labels.label_reader``.
    """

    records: list[Record]
    boxes: str | None
    labels: str


@dataclass(frozen=True)
class Reading:
    """What a data set lends to the reader of its files.

    Attributes:
        names: of its emotions.
        bare: what a number means where the file names no categories.
        locate: ``file_name`` of the file -> where the picture is; raises ``ValueError`` saying what is wrong.
        boxes: ``head`` or ``body`` where the user asked for one.
        several: whether a person may have several labels, so that annotations of one box with a category each are one.
    """

    names: LabelNames
    bare: BareNumbers
    locate: Callable[[str], Path]
    boxes: str | None = None
    several: bool = False


def read_coco(path: Path, reading: Reading, report: DataReport) -> CocoFile:
    """Read one annotation file; boxes are not checked yet (``checks.usable_records`` does).

    Args:
        path: the JSON file.
        reading: see there.
        report: counts dropped crowd boxes and what was joined.

    Raises:
        UserError: not JSON, not COCO-style, an image id or a picture given twice with different content, a box for an
            unknown image, a label or any field that is not what it should be; names the entry.
    """
    return content_of_coco(read_json(path), path, reading, report)


def content_of_coco(content: Any, path: Path, reading: Reading, report: DataReport) -> CocoFile:
    """``read_coco`` of what stands in a file already read.

    Args:
        content: of the file.
        path: where it is, for messages.
    """
    images = _read_images(entries(content, "images", path, "image"), reading.locate, path)
    people = list(entries(content, "annotations", path, "annotation"))
    wanted = [entry for entry in people if not _crowd(entry, images, report)]
    labels_of, way = label_reader(content, wanted, path, reading.names, reading.bare)
    field, kind = _box_field(content, wanted, reading.boxes, path)
    for entry in wanted:
        _image_of(entry, images)["annotations"].append(_annotation(entry, field, labels_of, reading.several))
    if reading.several and way == "category":
        for record in images.values():
            record["annotations"] = _joined(record["annotations"], report, record["file_name"])
    return CocoFile(list(images.values()), kind, way)


def _read_images(found: Iterable[Entry], locate: Callable[[str], Path], path: Path) -> Images:
    images: Images = {}
    for entry in found:
        id, name = entry.identifier("id"), entry.text("file_name", "the name of a picture")
        if id in images:
            raise UserError(
                f"{path} gives the image id {shown(id)} twice, to {images[id]['file_name']} and to {name}. Give every "
                "image an id of its own: their people cannot be told apart."
            )
        try:
            file_name = str(locate(name))
        except ValueError as error:
            raise UserError(f"{entry.where}: {error}.") from error
        height, width = entry.side("height"), entry.side("width")
        images[id] = Record(file_name=file_name, image_id=0, height=height, width=width, annotations=[])
    _number(images)
    return images


def _number(images: Images) -> None:
    """Whole numbers stay what they are; texts get the numbers after the largest of them, in the order of the file."""
    next_number = max((id for id in images if isinstance(id, int)), default=0) + 1
    for id, record in images.items():
        if isinstance(id, int):
            record["image_id"] = id
        else:
            record["image_id"], record["source_id"] = next_number, id
            next_number += 1


def _image_of(entry: Entry, images: Images) -> Record:
    record = images.get(entry.identifier("image_id"))
    if record is None:
        raise UserError(f"{entry.where}: image_id {shown(entry['image_id'])} is not among the images of the file.")
    return record


def _crowd(entry: Entry, images: Images, report: DataReport) -> bool:
    record = _image_of(entry, images)
    crowd = entry.flag("iscrowd")
    if crowd:
        report.count("crowd_boxes", record["file_name"])
    return crowd


def _box_field(
    content: dict[str, Any], people: Sequence[Entry], wanted: str | None, path: Path
) -> tuple[str, str | None]:
    """The field that holds the boxes, and the kind of boxes that the file says they are."""
    info = content.get("info")
    said = info.get("boxes") if isinstance(info, dict) else None
    if said not in (None, "head", "body"):
        raise UserError(f"{path} says 'boxes' are {shown(said)} in its 'info'. Expected \"head\" or \"body\".")
    kinds = [kind for kind in ("head", "body") if any(f"{kind}_bbox" in entry for entry in people)]
    if wanted in kinds:
        return f"{wanted}_bbox", wanted
    if wanted is None and kinds and not any("bbox" in entry for entry in people):
        if len(kinds) == 2:
            raise UserError(f"{path} has head_bbox and body_bbox. Say which is meant with boxes=head or boxes=body.")
        return f"{kinds[0]}_bbox", kinds[0]
    return "bbox", said


def _annotation(entry: Entry, field: str, labels_of: LabelsOf, several: bool) -> Annotation:
    person: Annotation = {"bbox": entry.box(field), "labels": labels_of(entry)}
    if len(person["labels"]) > 1 and not several:
        raise UserError(f"{entry.where} has {len(person['labels'])} emotions. Expected one per person.")
    area = number(entry["area"])
    return person if area is None else {**person, "area": area}


def _joined(people: Sequence[Annotation], report: DataReport, where: str) -> list[Annotation]:
    """One person per box, with the labels of all annotations of that box."""
    by_box: dict[tuple[float, ...], Annotation] = {}
    for person in people:
        first = by_box.setdefault(tuple(person["bbox"]), person)
        if first is not person:
            known = set(first["labels"]) >= set(person["labels"])
            report.count("repeated_people" if known else "joined_annotations", f"{where} box {person['bbox']}")
            first["labels"] = sorted({*first["labels"], *person["labels"]})
    return list(by_box.values())
