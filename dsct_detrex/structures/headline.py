"""What a split holds, in a form that stands beside every number measured on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from dsct_detrex.counting import counted


@dataclass(frozen=True)
class Headline:
    """One split of a data set; None stands for what the data set does not say of itself.

    Attributes:
        name: data set and split, e.g. ``"emotic_val"``.
        split: ``train``, ``val`` or ``test``.
        source: name of the annotation file.
        boxes: ``"head"``, ``"body"``, ``"face"`` or ``"unstated"``; ``"thing"`` where things are annotated, not people.
        made_by: what made the boxes, where no person did, e.g. a face detector.
        description: the data set's own line.
        images: that can be used, counted before any picture is opened.
        listed_images: that the annotation file lists.
        lost_images: listed ones whose picture is missing or broken.
        emptied_images: listed ones that are left out because nobody in them can be used.
        first_of: where only the first images are used, how many there are in all.
        people: annotated people (or things) of ``images``; None where counting would mean drawing them.
        labels: emotion -> people who show it, or class -> things.
        findings: what was left out or mended, and why, in words.
        warnings: sentences to be shown beside any result.
    """

    name: str
    images: int
    listed_images: int
    split: str | None = None
    source: str | None = None
    boxes: str | None = None
    made_by: str | None = None
    description: str = ""
    lost_images: int = 0
    emptied_images: int = 0
    first_of: int | None = None
    people: int | None = None
    labels: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def sentence(self) -> str:
        """In one line: name, boxes and file, images, people."""
        people = self.annotated()
        images = self.coverage(self.images) or counted(self.images, "image")
        return f"{self.name}: {', '.join(filter(None, (self.origin(), images, people)))}"

    def annotated(self) -> str:
        """How many people, or things, are annotated."""
        one, several = ("thing", "things") if self.boxes == "thing" else ("person", "people")
        return f"{several} not counted" if self.people is None else counted(self.people, one)

    def lines(self) -> list[str]:
        """The sentence, then the label counts, then what was left out or mended, one line each."""
        shown = [f"{name} {count:,}" for name, count in self.labels.items() if count]
        nobody = [name for name, count in self.labels.items() if not count]
        if nobody:
            shown.append(f"nobody shows {', '.join(nobody)}")
        return [
            self.sentence(),
            *([f"labels: {', '.join(shown)}"] if shown else []),
            *(f"data: {finding}" for finding in self.findings),
        ]

    def coverage(self, evaluated: int, cut_short: bool = False, first: bool = True) -> str | None:
        """``"2 of 4 images"`` where a number stands on fewer images than the file lists, else None.

        Args:
            evaluated: images that it stands on.
            cut_short: the evaluation stopped early on purpose.
            first: what it saw until then are the first images.
        """
        whole = self.first_of is None and not cut_short
        if whole and evaluated == self.listed_images:
            return None
        chosen = not whole and (first or not cut_short)
        return f"{'the first ' if chosen else ''}{evaluated:,} of {counted(self.listed_images, 'image')}"

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON and loggers, with ``sentence``."""
        return {
            **asdict(self),
            "labels": dict(self.labels),
            "findings": list(self.findings),
            "warnings": list(self.warnings),
            "sentence": self.sentence(),
        }

    def origin(self) -> str:
        """Whose boxes from which file, e.g. ``"head boxes from emotic_val_bi.json"``; the description where it says."""
        if self.source is None or self.boxes is None:
            return self.description.removeprefix(f"{self.name}: ")
        kind = "boxes of a kind that the file does not state" if self.boxes == "unstated" else f"{self.boxes} boxes"
        return f"{kind} from {self.source}{f' made by {self.made_by}' if self.made_by else ''}"
