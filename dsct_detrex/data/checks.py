"""The policy for bad data, in one place: what is mended, what is dropped, what stops the program.

================================  ==============================================================================
found                             done
================================  ==============================================================================
box partly outside the image      clamped to the image, counted
box without area (after clamping) person dropped, counted
box with a NaN or infinite side   person dropped, counted
person without labels             person dropped, counted
person listed twice               kept once, counted: same picture, same box, same labels
box listed twice, other labels    both kept as annotated, counted
``iscrowd`` annotation            dropped, counted (as the official loader does)
image left without people         image dropped, counted
label nobody knows                ``UserError`` naming file, entry, label and the known labels
picture missing or broken         ``ImageError`` naming the file, or with ``on_error="skip"`` left out and counted
picture outside of the data set   the same (``inside.py``)
no image left                     ``UserError``
================================  ==============================================================================

Boxes are ``xyxy`` in pixels of the original image throughout, and are kept as the annotators drew them otherwise
(no 1-pixel shift for MATLAB's counting, as in the official and the public converters).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from rich.table import Table

from dsct_detrex.data.dataset import Annotation, Record
from dsct_detrex.errors import UserError

OnError = Literal["raise", "skip"]

FINDINGS: dict[str, str] = {
    "clamped_boxes": "boxes reaching out of the image, clamped",
    "empty_boxes": "people dropped: box without area inside the image",
    "non_finite_boxes": "people dropped: box with NaN or infinite numbers",
    "unlabelled_people": "people dropped: no emotion label",
    "repeated_people": "people listed again with the same box and labels (kept once)",
    "joined_annotations": "annotations joined: one box with one label each is one person with several labels",
    "shared_boxes": "people with the box of another person but other labels (both kept as annotated)",
    "crowd_boxes": "people dropped: marked as a crowd",
    "repeated_images": "images joined: the same picture under another id",
    "respelled_names": "pictures found under another spelling of their name (case, accents, %20, folders)",
    "images_without_people": "images dropped: nobody left in them",
    "label_differs_from_folder": "labels that differ from the class folder of the picture (kept as annotated)",
    "missing_images": "images skipped: the file is not there",
    "outside_images": "images skipped: the name or a link leads out of the data set's folders",
    "unreadable_images": "images skipped: the file is broken or has another size than annotated",
}
"""Everything that can be counted, and how a report words it."""

NEEDS_ATTENTION = ("label_differs_from_folder", "repeated_people", "repeated_images")
"""Findings, besides lost pictures, that somebody should look into before the data is used."""

LOST_PICTURES = ("missing_images", "outside_images", "unreadable_images")
"""Findings after which a result is one of fewer pictures than the file lists."""

_EXAMPLES_KEPT = 5


@dataclass
class DataReport:
    """What was found while a data set was read.

    Attributes:
        title: whose report this is, e.g. ``"emotic_test"``.
        images, people: how many are left to use.
        listed_images, listed_people: how many the annotation file lists, whether or not their pictures are there.
        counts: finding -> how often; keys of ``FINDINGS``, absent when never.
        examples: finding -> where it was seen first, at most five places.
    """

    title: str
    images: int = 0
    people: int = 0
    listed_images: int = 0
    listed_people: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def count(self, finding: str, where: str) -> None:
        """Note one more ``finding`` (a key of ``FINDINGS``) at ``where``."""
        assert finding in FINDINGS, finding
        self.counts[finding] = self.counts.get(finding, 0) + 1
        seen = self.examples.setdefault(finding, [])
        if len(seen) < _EXAMPLES_KEPT and where not in seen:
            seen.append(where)

    @property
    def lost_images(self) -> int:
        """Pictures of the file that are not used because they are missing or broken."""
        return sum(self.counts.get(finding, 0) for finding in LOST_PICTURES)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain types, for JSON."""
        return {
            "title": self.title,
            "images": self.images,
            "people": self.people,
            "listed_images": self.listed_images,
            "listed_people": self.listed_people,
            "counts": dict(self.counts),
            "examples": {finding: list(places) for finding, places in self.examples.items()},
        }

    def table(self) -> Table:
        """The report for a terminal; one row per finding, with the first place it was seen."""
        table = Table()
        table.add_column("found", overflow="fold")
        table.add_column("times", justify="right")
        table.add_column("for example", overflow="fold")
        for finding, wording in FINDINGS.items():
            if finding in self.counts:
                table.add_row(wording, str(self.counts[finding]), self.examples[finding][0])
        return table

    def headline(self) -> str:
        """The report in one line."""
        mended = f"{sum(self.counts.values())} findings" if self.counts else "nothing to mend"
        return f"{self.title}: {self.images} images, {self.people} people, {mended}"


def check_on_error(value: str, owner: str) -> OnError:
    """``value`` if it is a known answer to broken images.

    Raises:
        UserError: it is not; the message names ``owner``, whose argument it is.
    """
    if value == "raise":
        return "raise"
    if value == "skip":
        return "skip"
    raise UserError(f"{owner}(on_error=) expects 'raise' or 'skip'. Got {value!r}.")


def usable_people(
    people: Sequence[Annotation], width: int, height: int, report: DataReport, where: str
) -> list[Annotation]:
    """Apply the policy for boxes and labels to the people of one image.

    Args:
        people: as the annotation file has them; boxes ``xyxy``, pixels of the original image.
        width, height: of that image.
        report: counts what is mended or dropped.
        where: the image, for the report.

    Returns:
        The people to keep, in order, each box inside the image with a positive area.
    """
    kept: list[Annotation] = []
    for person in _once(people, report, where):
        if not all(math.isfinite(side) for side in person["bbox"]):
            report.count("non_finite_boxes", where)
            continue
        x0, y0, x1, y1 = person["bbox"]
        inside = [min(max(x0, 0.0), width), min(max(y0, 0.0), height), min(max(x1, 0.0), width)]
        inside.append(min(max(y1, 0.0), height))
        if inside[2] <= inside[0] or inside[3] <= inside[1]:
            report.count("empty_boxes", f"{where} box {person['bbox']}")
        elif not person["labels"]:
            report.count("unlabelled_people", f"{where} box {person['bbox']}")
        else:
            if inside != person["bbox"]:
                report.count("clamped_boxes", f"{where} box {person['bbox']}")
            kept.append({**person, "bbox": [float(side) for side in inside]})
    return kept


def _once(people: Sequence[Annotation], report: DataReport, where: str) -> list[Annotation]:
    """Every person once; people who share a box but not the labels stay and are counted."""
    labels_of: dict[tuple[float, ...], list[list[int]]] = {}
    kept: list[Annotation] = []
    for person in people:
        known = labels_of.setdefault(tuple(person["bbox"]), [])
        if person["labels"] in known:
            report.count("repeated_people", f"{where} box {person['bbox']}")
            continue
        if known:
            report.count("shared_boxes", f"{where} box {person['bbox']}")
        known.append(person["labels"])
        kept.append(person)
    return kept


def usable_records(records: Sequence[Record], report: DataReport, source: str) -> list[Record]:
    """Apply the policy to a whole data set; images without people are left out.

    Args:
        records: as the annotation file has them, boxes unchecked.
        report: counts what is mended or dropped; its ``images`` and ``people`` are set.
        source: the annotation file, for the message.

    Raises:
        UserError: nothing is left; the message says what was dropped.
    """
    kept: list[Record] = []
    for record in records:
        people = usable_people(record["annotations"], record["width"], record["height"], report, record["file_name"])
        if people:
            kept.append({**record, "annotations": people})
        else:
            report.count("images_without_people", record["file_name"])
    report.images = len(kept)
    report.people = sum(len(record["annotations"]) for record in kept)
    if not kept:
        found = ", ".join(f"{FINDINGS[name]}: {times}" for name, times in report.counts.items()) or "it lists none"
        raise UserError(f"{report.title}: no usable image in {source} ({found}). Check that file, or choose another.")
    return kept
