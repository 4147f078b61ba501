"""Data sets whose pictures are files: records in a list, pixels read when asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from dsct_detrex.data.checks import DataReport, OnError, usable_records
from dsct_detrex.data.dataset import Record
from dsct_detrex.data.images import SKIP_IN_PYTHON, MissingImageError, read_rgb
from dsct_detrex.structures import Emotions


class DiskDataset:
    """An ``EmotionDataset`` over picture files; EMOTIC and CAER-S differ in how they get their records.

    Args:
        name: data set and split.
        emotions: what the labels index.
        records: boxes unchecked; the policy of ``data/checks.py`` is applied here.
        report: where the reader already counted; is completed here.
        source: the annotation file, for messages.
        description: which boxes from which file, for whoever reads a result.

    Attributes:
        report: what was mended and dropped.

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
    ) -> None:
        self.name = name
        self.emotions = emotions
        self.description = description
        self.report = report
        self._records = usable_records(records, report, str(source))

    def __len__(self) -> int:
        return len(self._records)

    def record(self, index: int) -> Record:
        return self._records[index]

    def load_image(self, index: int) -> Image.Image:
        record = self._records[index]
        return read_rgb(record["file_name"], (record["width"], record["height"]))


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
    folders = {str(Path(record["file_name"]).parent) for record in records}
    files = {os.path.join(folder, name) for folder in folders if os.path.isdir(folder) for name in os.listdir(folder)}
    missing = [record["file_name"] for record in records if record["file_name"] not in files]
    if missing and on_error == "raise":
        raise MissingImageError(
            f"{len(missing)} of the {len(records)} images that {source} names are not there, the first is "
            f"{missing[0]}. Complete the images, or name the folder that has them.",
            SKIP_IN_PYTHON,
        )
    for file_name in missing:
        report.count("missing_images", file_name)
    return [record for record in records if record["file_name"] in files]
