"""EMOTIC (Kosti et al., 2017; 2019): people in context, 26 categories, several per person.

Two annotation releases exist and are *not* the same test set, so results always carry ``description``:

* ``Annotations.mat`` of today's download has **body** boxes (test: 7,203 people).
* The official DSCT files ``emotic_{train,val,test}_bi.json`` have **head** boxes from the 2017 release and the union of
  all annotators' labels (test: 3,682 images, 5,369 people). The paper's Table 4 counts these images.

The official files pack a person's labels into ``category_id``: a 26-bit number whose most significant bit is the first
category (Affection) and whose least significant bit is the last (Yearning).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dsct_detrex.data.checks import DataReport, check_on_error
from dsct_detrex.data.coco import read_coco
from dsct_detrex.data.disk import DiskDataset, without_missing_images
from dsct_detrex.data.emotic_mat import read_mat
from dsct_detrex.data.places import check_split, existing_root, first_file, how_to_get, named_file
from dsct_detrex.errors import UserError
from dsct_detrex.structures import EMOTIC

DATABASES = ("mscoco", "framesdb", "emodb_small", "ade20k")
"""The four sources of pictures, folders of the image root."""

LABEL_ALIASES = {"Disquitement": "Disquietment"}
"""Spellings met in EMOTIC's own files."""

_ANNOTATION_FOLDERS = ("", "Annotations", "annotations")
_IMAGE_FOLDERS = ("", "emotic", "images", "images/emotic", "emotic/images")


class EmoticDataset(DiskDataset):
    """One split of EMOTIC on the user's disk.

    Args:
        root: the folder with ``Annotations/`` and ``emotic/{mscoco,framesdb,emodb_small,ade20k}/images``; the folder of
            the four sources itself, and an ``images/`` in front of them (as in DSCT's README), are found as well.
        split: ``train``, ``val`` or ``test``.
        boxes: ``"body"``, ``"head"``, or ``"auto"``: the official head boxes where their file is there, else the body
            boxes. Which were taken is in ``description``.
        annotations: the annotation file itself (``{split}`` is filled in), instead of looking for one.
        on_error: ``"raise"`` or ``"skip"`` for pictures that are not there.

    Raises:
        UserError: nothing found (says what was looked for and how to get it), or the annotations cannot be used.
    """

    def __init__(
        self,
        root: str,
        split: str,
        boxes: str = "auto",
        annotations: str | None = None,
        on_error: str = "raise",
    ) -> None:
        owner = type(self).__name__
        policy = check_on_error(on_error, owner)
        check_split(split, owner)
        if boxes not in ("auto", "body", "head"):
            raise UserError(f"{owner}(boxes=) expects 'auto', 'body' or 'head'. Got {boxes!r}.")
        folder = existing_root(root, "emotic")
        source, kind = _annotation_file(folder, split, boxes, annotations)
        images = image_root(folder)
        report = DataReport(f"emotic_{split}")
        if source.suffix == ".mat":
            records = read_mat(source, split, images, label_indices)
        else:
            records = read_coco(source, _labels_of, lambda name: images / name, report)
        records = without_missing_images(records, source, report, policy)
        super().__init__(f"emotic_{split}", EMOTIC, records, report, source, f"{kind} boxes from {source.name}")


def decode_bits(category_id: int) -> list[int]:
    """The class indices packed into an official ``category_id``, ascending.

    Raises:
        ValueError: not a number of at most 26 bits.
    """
    count = EMOTIC.num_emotions
    if not 0 <= category_id < 2**count:
        raise ValueError(f"category_id {category_id} is not a {count}-bit number, one bit per category")
    return [index for index in range(count) if category_id >> (count - 1 - index) & 1]


def label_indices(names: Sequence[str]) -> list[int]:
    """The class indices of label names, ascending, without repeats; known misspellings are understood.

    Raises:
        ValueError: a name nobody knows; the message lists the known ones.
    """
    return sorted({EMOTIC.index(LABEL_ALIASES.get(name, name)) for name in names})


def _labels_of(entry: dict[str, Any]) -> list[int]:
    return decode_bits(int(entry["category_id"]))


def _annotation_file(root: Path, split: str, boxes: str, annotations: str | None) -> tuple[Path, str]:
    """The file to read and the kind of its boxes."""
    if annotations is not None:
        source = named_file(annotations, split, root, "emotic")
        if source.suffix == ".mat" and boxes == "head":
            raise UserError(f"EmoticDataset: {source} has body boxes only. Set boxes=body, or name a DSCT JSON file.")
        by_suffix = "body" if source.suffix == ".mat" else "head"
        return source, by_suffix if boxes == "auto" else boxes
    folders = [base / name for base in (root, root.parent) for name in _ANNOTATION_FOLDERS]
    wanted = {"head": f"emotic_{split}_bi.json", "body": "Annotations.mat"}
    for kind in ("head", "body"):
        source_found = first_file(folders, [wanted[kind]]) if boxes in ("auto", kind) else None
        if source_found is not None:
            return source_found, kind
    names = " or ".join(f"{name} ({kind} boxes)" for kind, name in wanted.items() if boxes in ("auto", kind))
    raise UserError(
        f"EMOTIC: no annotations for split {split!r}. Looked for {names} in {root}, in its folders Annotations/ and "
        f"annotations/, and beside it. {how_to_get('emotic')}"
    )


def image_root(root: Path) -> Path:
    """The folder that holds ``mscoco/`` and its like.

    Raises:
        UserError: there is none at or under ``root``.
    """
    for name in _IMAGE_FOLDERS:
        if any((root / name / database).is_dir() for database in DATABASES):
            return root / name
    looked = ", ".join(str(Path(name or ".")) for name in _IMAGE_FOLDERS)
    raise UserError(
        f"EMOTIC: no images under {root}. Looked for one of the folders {', '.join(DATABASES)} in: {looked}. "
        f"{how_to_get('emotic')}"
    )
