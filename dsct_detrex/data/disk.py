"""Data sets whose pictures are files: records in a list, pixels read when asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from dsct_detrex.data.box_formats import BoxFormat, boxes_as_xyxy
from dsct_detrex.data.checks import DataReport, OnError, usable_records
from dsct_detrex.data.dataset import Record
from dsct_detrex.data.images import SKIP_IN_PYTHON, MissingImageError, read_rgb
from dsct_detrex.data.inside import without_images_outside
from dsct_detrex.data.picture_sizes import check_sizes, measured
from dsct_detrex.errors import UserError
from dsct_detrex.structures import Emotions
from dsct_detrex.suggestions import did_you_mean


class DiskDataset:
    """An ``EmotionDataset`` over picture files; EMOTIC and CAER-S differ in how they get their records.

    Args:
        name: data set and split.
        emotions: what the labels index.
        records: boxes unchecked; the policy of ``data/checks.py`` is applied here.
        report: where the reader already counted; is completed here.
        source: the annotation file, for messages.
        description: which boxes from which file, for whoever reads a result.
        split: ``train``, ``val`` or ``test``.
        boxes: what the boxes are around: ``head``, ``body``, ``face``, or ``unstated``.
        boxes_stated: whether the user asked for that kind.
        made_by: what made the boxes, where the file says that no person did.

    Attributes:
        report: what was mended and dropped.
        source: the annotation file.
        split, boxes, boxes_stated, made_by, description: as given.

    Raises:
        UserError: nothing usable is left.
    """

    def __init__(
        self,
        name: str,
        emotions: Emotions,
        records: Sequence[Record],
        report: DataReport,
        source: Path,
        description: str,
        split: str,
        boxes: str,
        boxes_stated: bool = False,
        made_by: str | None = None,
    ) -> None:
        self.name = name
        self.split = split
        self.boxes = boxes
        self.boxes_stated = boxes_stated
        self.made_by = made_by
        self.source = source
        self.emotions = emotions
        self.description = description
        self.report = report
        self._records = usable_records(records, report, str(source))

    @property
    def records(self) -> Sequence[Record]:
        """All of them."""
        return self._records

    def add_things(self, records: Sequence[Record], words: str) -> None:
        """Put the same records with ``objects`` in place, and say in ``description`` where those are from."""
        self._records = list(records)
        self.description += f", {words}" if words else ""

    def __len__(self) -> int:
        return len(self._records)

    def record(self, index: int) -> Record:
        return self._records[index]

    def load_image(self, index: int) -> Image.Image:
        return self.load_reduced(index, None)

    def load_reduced(self, index: int, least: tuple[int, int] | None) -> Image.Image:
        """The picture, or a smaller one of at least this (width, height) where that is faster to read."""
        record = self._records[index]
        return read_rgb(record["file_name"], (record["width"], record["height"]), least)


@dataclass(frozen=True)
class Listing:
    """What an annotation file lists, on the way to a data set.

    Attributes:
        records: sizes 0 where the file does not know them, boxes as the file has them.
        source: the file, for messages.
        usual: the form of boxes in files of this kind.
        places: the folders that its pictures lie in, with all below; a picture elsewhere is refused (``inside.py``).
    """

    records: Sequence[Record]
    source: Path
    usual: BoxFormat
    places: Sequence[Path]

    def prepared(self, report: DataReport, on_error: OnError, box_format: BoxFormat | None) -> list[Record]:
        """One record per picture with its size, and boxes as ``xyxy``; boxes are not checked one by one yet.

        Args:
            report: what is left out is counted here.
            on_error: what to do about pictures that are missing or have no readable header.
            box_format: what the user says the boxes are.

        Raises:
            UserError: pictures are missing or lie elsewhere, sizes are those of other pictures, one picture has two
                sizes, or boxes are in another form.
        """
        records = one_per_picture(self.records, self.source, report)
        records = without_missing_images(records, self.source, report, on_error)
        records = without_images_outside(records, self.places, self.source, report, on_error)
        known = [record for record in records if record["width"] and record["height"]]
        check_sizes(known, self.source)
        if len(known) < len(records):
            records = measured(records, report, on_error)
        return boxes_as_xyxy(records, self.source, self.usual, box_format)


def one_per_picture(records: Iterable[Record], source: Path, report: DataReport) -> list[Record]:
    """Entries of one picture joined: exporters that write an image per person give it several ids.

    Raises:
        UserError: they have different sizes.
    """
    by_name: dict[str, Record] = {}
    for record in records:
        first = by_name.setdefault(record["file_name"], record)
        if first is record:
            continue
        sizes = [(each["width"], each["height"]) for each in (first, record)]
        if sizes[0] != sizes[1]:
            raise UserError(
                f"{source} lists the picture {record['file_name']} twice with different sizes, {sizes[0][0]} x "
                f"{sizes[0][1]} and {sizes[1][0]} x {sizes[1][1]}. Remove one of the two images."
            )
        report.count("repeated_images", record["file_name"])
        first["annotations"].extend(record["annotations"])
    return list(by_name.values())


def without_missing_images(
    records: Sequence[Record], source: Path, report: DataReport, on_error: OnError
) -> list[Record]:
    """Leave out the records whose picture is not on disk; every folder is listed once, no picture is opened.

    What the file lists is noted in ``report`` first.

    Raises:
        MissingImageError: pictures are missing and ``on_error`` is ``"raise"``; says how many, and names the first.
    """
    report.listed_images = len(records)
    report.listed_people = sum(len(record["annotations"]) for record in records)
    folders = {os.path.dirname(record["file_name"]) for record in records}
    files = {
        os.path.join(folder, entry.name)
        for folder in folders
        if os.path.isdir(folder or ".")
        for entry in os.scandir(folder or ".")
        if entry.is_file()
    }
    missing = [record["file_name"] for record in records if record["file_name"] not in files]
    if missing and on_error == "raise":
        raise MissingImageError(
            f"{len(missing)} of the {len(records)} images that {source} names are not there, the first is "
            f"{missing[0]}.{_hint(missing[0], files)} Complete the images, or name the folder that has them.",
            SKIP_IN_PYTHON,
        )
    for file_name in missing:
        report.count("missing_images", file_name)
    return [record for record in records if record["file_name"] in files]


def _hint(missing: str, files: set[str]) -> str:
    """The file in the same folder that may be meant, as a sentence."""
    folder, name = os.path.split(missing)
    return did_you_mean(name, sorted(os.path.basename(path) for path in files if os.path.dirname(path) == folder))
