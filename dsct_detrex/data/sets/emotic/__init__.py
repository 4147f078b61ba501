"""EMOTIC (Kosti et al., 2017; 2019): people in context, 26 categories, several per person.

Two annotation releases exist and are *not* the same test set, so results always carry ``description``:

* ``Annotations.mat`` of today's download has **body** boxes (test: 7,203 people).
* The official DSCT files ``emotic_{train,val,test}_bi.json`` have **head** boxes from the 2017 release and the union of
  all annotators' labels (test: 3,682 images, 5,369 people). The paper's Table 4 counts these images.

Any other COCO-style JSON is read as far as it says what its labels are: see ``coco_labels.py`` for names and
categories, ``labels.py`` for the official bit masks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dsct_detrex.data.box_formats import check_box_format
from dsct_detrex.data.card import DataSetCard, StandIn
from dsct_detrex.data.checks import DataReport, check_on_error
from dsct_detrex.data.coco import Reading, read_coco
from dsct_detrex.data.disk import DiskDataset, Listing
from dsct_detrex.data.places import check_split, existing_root
from dsct_detrex.data.sets.coco.beside import Files, with_things
from dsct_detrex.data.sets.emotic.files import (
    DATABASES,
    EmoticPictures,
    Source,
    asked_boxes,
    find_source,
    has_pictures,
    image_root,
    kind_in_words,
    settled_kind,
)
from dsct_detrex.data.sets.emotic.labels import EMOTIC_NAMES, LABEL_ALIASES, bit_masks, decode_bits
from dsct_detrex.data.sets.emotic.mat import read_mat
from dsct_detrex.data.synthetic.write_emotic import write_emotic
from dsct_detrex.structures import EMOTIC, ObjectClasses

__all__ = ["CARD", "DATABASES", "LABEL_ALIASES", "EmoticDataset", "decode_bits", "image_root", "label_indices"]


class EmoticDataset(DiskDataset):
    """One split of EMOTIC on the user's disk.

    Args:
        root: the folder with ``Annotations/`` and ``emotic/{mscoco,framesdb,emodb_small,ade20k}/images``; the folder of
            the four sources itself, and an ``images/`` in front of them (as in DSCT's README), are found as well.
        split: ``train``, ``val`` or ``test``.
        boxes: ``"body"``, ``"head"``, or ``"auto"``: the official head boxes where their files are there, else the
            body boxes; or a mapping with one of them for ``train`` and one for ``test`` (val goes with test). Which
            were taken is in ``boxes`` and ``description``.
        annotations: the annotation file itself (``{split}`` is filled in), instead of looking for one.
        on_error: ``"raise"`` or ``"skip"`` for pictures that are not there or whose size cannot be read.
        box_format: ``"xywh"`` or ``"xyxy"`` for a file whose form is known; null takes ``xywh``, COCO's own, for JSON
            and ``xyxy`` for ``Annotations.mat``, and refuses a file that contradicts it.
        objects: COCO-style files of the things in some of the pictures (``sets/coco/beside.py``); None: there are none.
        object_classes: what those things may be; None takes the categories of the files.

    Raises:
        UserError: nothing found (says what was looked for and how to get it), the annotations cannot be used, or head
            and body boxes would be mixed.
    """

    def __init__(
        self,
        root: str,
        split: str,
        boxes: str | Mapping[str, str] = "auto",
        annotations: str | None = None,
        on_error: str = "raise",
        box_format: str | None = None,
        objects: Files = None,
        object_classes: ObjectClasses | None = None,
    ) -> None:
        owner = type(self).__name__
        policy = check_on_error(on_error, owner)
        stated = check_box_format(box_format, owner)
        check_split(split, owner)
        asked = asked_boxes(boxes, split, owner)
        folder = existing_root(root, "emotic")
        source = find_source(folder, split, asked, annotations)
        report = DataReport(f"emotic_{split}")
        listing, said = _read(source, split, image_root(folder), asked, report)
        kind = settled_kind(source, said, asked)
        super().__init__(
            f"emotic_{split}",
            EMOTIC,
            listing.prepared(report, policy, stated),
            report,
            source.path,
            f"{kind_in_words(kind)} from {source.path.name}",
            split=split,
            boxes=kind,
            boxes_stated=asked != "auto",
        )
        self.add_things(*with_things(self.records, root, objects, object_classes))


def label_indices(names: Sequence[str]) -> list[int]:
    """The class indices of label names, ascending, without repeats; known misspellings are understood.

    Raises:
        ValueError: a name nobody knows; the message lists the known ones.
    """
    found = {name: EMOTIC_NAMES.find(name) for name in names}
    for name, index in found.items():
        if index is None:
            EMOTIC.index(name)
    return sorted({index for index in found.values() if index is not None})


def _read(source: Source, split: str, images: Path, asked: str, report: DataReport) -> tuple[Listing, str | None]:
    """The records of the file, and the kind of boxes that its content says."""
    pictures = EmoticPictures(images, report)
    places = [images / base / below for base in ("", *DATABASES) for below in ("", "images")]
    if source.path.suffix.lower() == ".mat":
        records = read_mat(source.path, split, pictures.locate, label_indices)
        return Listing(records, source.path, "xyxy", places), "body"
    reading = Reading(
        EMOTIC_NAMES,
        bit_masks,
        pictures.locate,
        boxes=None if asked == "auto" else asked,
        several=True,
    )
    content = read_coco(source.path, reading, report)
    return Listing(content.records, source.path, "xywh", places), content.boxes


CARD = DataSetCard(
    name="emotic",
    title="EMOTIC",
    reader=EmoticDataset,
    emotions=EMOTIC,
    access=(
        "EMOTIC is given out by its authors for non-commercial research: ask through the form linked from "
        "github.com/rkosti/emotic, unpack emotic.zip and Annotations.zip into one folder and pass it as root"
    ),
    layout=f"folders {', '.join(DATABASES)}",
    recognises=has_pictures,
    options=("annotations", "boxes", "box_format"),
    num_subjects=4,
    terms=("EMOTIC is given out for non-commercial research and education only, and so is what is trained on it."),
    official_counts={
        # Of the annotation files in the official DSCT repository, commit 8b0fe36.
        "emotic_val_bi.json": (1705, 2397),
        "emotic_test_bi.json": (3682, 5369),
    },
    stand_in=StandIn(("mat", "json"), write_emotic),
)
