"""Is the data on this disk what it should be? Counts, histograms, broken pictures, and leaks between train and test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dsct_detrex.data import catalogue
from dsct_detrex.data.card import DataSetCard
from dsct_detrex.data.checks import NEEDS_ATTENTION, DataReport
from dsct_detrex.data.disk import DiskDataset
from dsct_detrex.data.duplicates import Hashes, difference_hash, near_duplicates
from dsct_detrex.data.images import ImageError
from dsct_detrex.data.places import AbsentSplitError
from dsct_detrex.errors import UserError
from dsct_detrex.names import SPLITS
from dsct_detrex.structures import MultiLabelEmotions

Progress = Callable[[str, int, int], None]
"""Told (what, done, of how many) after every picture."""

_SIMILAR = 4
"""Bits of 64 in which near-duplicates may differ."""


@dataclass
class SplitCheckup:
    """What one split holds.

    Attributes:
        description: which boxes from which file.
        report: what was mended, dropped or skipped.
        people_per_image: number of people -> number of images.
        labels: label -> number of people, in the order of the emotions.
        repeated_boxes: people whose box another person of the same image has too.
        release: how the counts compare with the official annotation file of that name; empty where none is known.
    """

    description: str
    report: DataReport
    people_per_image: dict[int, int]
    labels: dict[str, int]
    repeated_boxes: int
    release: str

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON."""
        return {**vars(self), "report": self.report.to_dict()}


@dataclass
class Checkup:
    """What a data set's root holds.

    Attributes:
        format: name of the data set.
        splits: split -> what it holds.
        emotions: which they are and how many a person has, where the files say it; else empty.
        several: whether a person may have several.
        failures: split -> the sentence why it cannot be used.
        absent: split -> the sentence what it would take to have one, where nobody asked for it by name; no failure.
        near_duplicates: test picture, its closest training picture, bits; None when not asked for.
        warnings: lines to show beside any result on this data.
    """

    format: str
    splits: dict[str, SplitCheckup] = field(default_factory=dict)
    emotions: str = ""
    several: bool = True
    failures: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    near_duplicates: list[tuple[str, str, int]] | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def healthy(self) -> bool:
        """Whether every split can be used, every picture is readable, and nothing found asks for attention."""
        reports = [found.report for found in self.splits.values()]
        odd = any(report.counts.get(finding) for report in reports for finding in NEEDS_ATTENTION)
        return not self.failures and not odd and not any(report.lost_images for report in reports)

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON."""
        return {**vars(self), "splits": {split: c.to_dict() for split, c in self.splits.items()}}


def check_root(
    format: str,
    root: str,
    splits: Sequence[str] | None = None,
    read_images: bool = True,
    find_near_duplicates: bool = False,
    threads: int = 8,
    progress: Progress = lambda what, done, total: None,
    **reader: Any,
) -> Checkup:
    """Examine a data set on disk.

    Args:
        format: name of a data set of the catalogue, or ``auto``.
        root: as for its reader.
        splits: to examine; None examines those that are there, of train, val and test.
        read_images: open every picture; without it only annotations and file names are examined.
        find_near_duplicates: compare test with train pictures (opens them all).
        threads: that read pictures.
        progress: told about every picture.
        reader: further arguments of the data set class, e.g. ``boxes``.

    Raises:
        UserError: no split can be used; the sentence of the first.
    """
    card = catalogue.recognise(root) if format == "auto" else catalogue.get(format)
    checkup = Checkup(card.name, warnings=[card.warning] if card.warning else [])
    hashes: dict[str, tuple[list[str], Hashes]] = {}
    for split in splits or SPLITS:
        try:
            dataset = card.reader(root, split, on_error="skip", **reader)
        except AbsentSplitError as error:
            (checkup.absent if splits is None and split != SPLITS[0] else checkup.failures)[split] = str(error)
            continue
        except UserError as error:
            checkup.failures[split] = str(error)
            continue
        if read_images or find_near_duplicates:
            hashes[split] = _look_at_images(dataset, threads, progress)
        checkup.splits[split] = _check_split(dataset, card)
        checkup.emotions = checkup.emotions or dataset.emotions.origin
        checkup.several = isinstance(dataset.emotions, MultiLabelEmotions)
    if not checkup.splits:
        raise UserError(next(iter({**checkup.failures, **checkup.absent}.values()), "No split was asked for."))
    if find_near_duplicates and "train" in hashes and "test" in hashes:
        checkup.near_duplicates = _leaks(*hashes["train"], *hashes["test"])
    return checkup


def _look_at_images(dataset: DiskDataset, threads: int, progress: Progress) -> tuple[list[str], Hashes]:
    """File names and hashes of the readable pictures; the others are counted in the data set's report."""

    def look(index: int) -> int | None:
        try:
            return difference_hash(dataset.load_image(index))
        except ImageError:
            return None

    names: list[str] = []
    hashes: list[int] = []
    with ThreadPoolExecutor(threads) as pool:
        for index, found in enumerate(pool.map(look, range(len(dataset)))):
            name = dataset.record(index)["file_name"]
            if found is None:
                dataset.report.count("unreadable_images", name)
            else:
                names.append(name)
                hashes.append(found)
            progress(dataset.name, index + 1, len(dataset))
    return names, np.array(hashes, dtype=np.uint64)


def _check_split(dataset: DiskDataset, card: DataSetCard) -> SplitCheckup:
    records = [dataset.record(index) for index in range(len(dataset))]
    people = [person for record in records for person in record["annotations"]]
    labels = Counter(label for person in people for label in person["labels"])
    sizes = Counter(len(record["annotations"]) for record in records)
    boxes = [{tuple(person["bbox"]) for person in record["annotations"]} for record in records]
    return SplitCheckup(
        description=dataset.description,
        report=dataset.report,
        people_per_image=dict(sorted(sizes.items())),
        labels={name: labels[index] for index, name in enumerate(dataset.emotions.names)},
        repeated_boxes=len(people) - sum(map(len, boxes)),
        release=_release(dataset, card),
    )


def _release(dataset: DiskDataset, card: DataSetCard) -> str:
    known = card.official_counts.get(dataset.source.name)
    if known is None:
        return ""
    images, people = known
    same = (dataset.report.listed_images, dataset.report.listed_people) == known
    verdict = f"{'' if same else 'not '}the counts of the published file of this name"
    return f"{verdict} ({images} images, {people} people)"


def _leaks(train: list[str], train_hashes: Hashes, test: list[str], test_hashes: Hashes) -> list[tuple[str, str, int]]:
    found = near_duplicates(test_hashes, train_hashes, _SIMILAR)
    return [(test[each.query], train[each.reference], each.distance) for each in found]
