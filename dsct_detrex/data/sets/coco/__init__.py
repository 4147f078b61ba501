"""Anybody's COCO-style files: people with boxes and emotions, exported by a labelling tool or written by hand.

The label set comes from the files (``emotions.py``), or is stated; labels, boxes and ids are read as everywhere
(``data/coco.py``). ``places.py`` has the layouts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dsct_detrex.data.box_formats import check_box_format
from dsct_detrex.data.card import DataSetCard
from dsct_detrex.data.checks import DataReport, check_on_error
from dsct_detrex.data.coco import Reading, read_coco
from dsct_detrex.data.coco_labels import Categories
from dsct_detrex.data.disk import DiskDataset, Listing
from dsct_detrex.data.fields import Entry
from dsct_detrex.data.label_names import LabelNames
from dsct_detrex.data.places import check_split, existing_root
from dsct_detrex.data.sets.coco.beside import Files, with_things
from dsct_detrex.data.sets.coco.emotions import emotions_of_files
from dsct_detrex.data.sets.coco.file_labels import PERSONS
from dsct_detrex.data.sets.coco.held_out import check_share, part_of
from dsct_detrex.data.sets.coco.places import (
    Annotations,
    CocoPictures,
    annotation_file,
    files_there,
    has_files,
    picture_folders,
)
from dsct_detrex.errors import UserError
from dsct_detrex.structures import Emotions, MultiLabelEmotions, ObjectClasses

__all__ = ["CARD", "CocoDataset", "emotions_of_files"]


class CocoDataset(DiskDataset):
    """One split of a user's own data.

    Args:
        root: the folder of annotations and pictures.
        split: ``train``, ``val`` or ``test``.
        emotions: the label set; None takes that of the files.
        annotations: the annotation file (``{split}`` is filled in), or a mapping with one for each split; None looks
            for one.
        images: the folder of the pictures (``{split}`` is filled in); None looks for them.
        on_error: ``"raise"`` or ``"skip"`` for pictures that are not there or whose size cannot be read.
        box_format: ``"xywh"`` or ``"xyxy"`` for a file whose form is known; null takes COCO's own ``xywh``, and refuses
            a file that contradicts it.
        held_out: the share of the training file's pictures that is ``val``, where that has no file; see
            ``held_out.py``.
        objects: COCO-style files of the things in some of the pictures (``beside.py``); None: there are none.
        object_classes: what those things may be; None takes the categories of the files.

    Raises:
        UserError: nothing found (says what was looked for), or the annotations cannot be used.
    """

    labels_of_files: Callable[..., Emotions] = staticmethod(emotions_of_files)
    """The label set of a folder."""
    framed: str = "unstated"
    """What boxes are around, where the file does not say."""

    def __init__(
        self,
        root: str,
        split: str,
        emotions: Emotions | None = None,
        annotations: Annotations = None,
        images: str | None = None,
        on_error: str = "raise",
        box_format: str | None = None,
        held_out: float | None = None,
        objects: Files = None,
        object_classes: ObjectClasses | None = None,
    ) -> None:
        owner = type(self).__name__
        policy = check_on_error(on_error, owner)
        stated = check_box_format(box_format, owner)
        check_split(split, owner)
        folder = existing_root(root, "coco")
        share = check_share(held_out, owner) if split != "test" else None
        if share is not None and "val" in files_there(folder, annotations):
            raise UserError(
                f"{owner}(held_out={share:g}) keeps pictures of train for val, but {folder} has annotations for val. "
                "Leave one of the two out."
            )
        source = annotation_file(folder, split if share is None else "train", annotations)
        labels = self.labels_of_files(root, annotations) if emotions is None else emotions
        report = DataReport(f"{labels.name}_{split}")
        places = picture_folders(folder, split if share is None else "train", source, images)
        pictures = CocoPictures(places, report)
        several = isinstance(labels, MultiLabelEmotions)
        reading = Reading(LabelNames(labels, {}, PERSONS), _unnamed, pictures.locate, several=several)
        content = read_coco(source, reading, report)
        records = content.records if share is None else part_of(content.records, split, share, source)
        part = (
            ""
            if share is None
            else f" ({'without ' if split == 'train' else ''}the {share:.0%} of it held out for val)"
        )
        super().__init__(
            report.title,
            labels,
            Listing(records, source, "xywh", [folder, *places]).prepared(report, policy, stated),
            report,
            source,
            f"{f'{content.boxes} boxes' if content.boxes else 'boxes'} from {source.name}{part}",
            split=split,
            boxes=content.boxes or self.framed,
        )
        self.add_things(*with_things(self.records, root, objects, object_classes))


def _unnamed(people: Sequence[Entry], categories: Categories, path: Path) -> None:
    """Numbers mean what ``categories`` say, and nothing without them (``coco_labels.BareNumbers``)."""
    if not categories:
        raise UserError(
            f"{path} has no 'categories' that say what its label numbers mean, and names no emotions in its "
            "annotations. List the emotions with their ids under 'categories', or name them in a list 'emotions' of "
            "every annotation."
        )


CARD = DataSetCard(
    name="coco",
    title="COCO-style files",
    reader=CocoDataset,
    emotions=None,
    access=(
        "Pass the folder of your own pictures and COCO-style annotations, as Roboflow, CVAT, Label Studio or FiftyOne "
        "export them, as root"
    ),
    layout="annotations/train.json or train/_annotations.coco.json and the like",
    recognises=has_files,
    terms="The data are a user's own files; their terms are those of whoever took and labelled the pictures.",
)
