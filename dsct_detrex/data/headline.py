"""The headline of a data set: what it holds, counted from its records, and what its reader left out or mended."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from dsct_detrex.data.checks import FINDINGS, DataReport
from dsct_detrex.data.dataset import EmotionDataset, Subset
from dsct_detrex.structures import Headline

_MOST_DRAWN = 10_000
"""Scenes that are drawn on demand are counted up to here; a second for each ten thousand is no start-up."""


def headline_of(dataset: Any) -> Headline | None:
    """What a data set holds; foreign ones give what they have.

    Args:
        dataset: ours, or any object with a length; ``name``, ``description``, ``split``, ``source``, ``boxes``,
            ``made_by``, ``report`` and ``warning`` are read where they are there.

    Returns:
        None where not even the length is known.
    """
    if not hasattr(dataset, "__len__"):
        return None
    whole = dataset.whole if isinstance(dataset, Subset) else dataset
    report = getattr(whole, "report", None)
    report = report if isinstance(report, DataReport) else DataReport("")
    source, warning = getattr(whole, "source", None), getattr(whole, "warning", None)
    listed = max(report.listed_images, len(whole) + report.lost_images)
    most = None if report.images else getattr(whole, "most_counted", _MOST_DRAWN)
    people, labels = _count(dataset, most)
    return Headline(
        name=str(getattr(dataset, "name", type(dataset).__name__)),
        split=getattr(whole, "split", None),
        source=None if source is None else Path(source).name,
        boxes=getattr(whole, "boxes", None),
        made_by=getattr(whole, "made_by", None),
        description=str(getattr(dataset, "description", "")),
        images=len(dataset),
        listed_images=listed,
        lost_images=report.lost_images,
        emptied_images=listed - len(whole) - report.lost_images,
        first_of=len(whole) if len(whole) > len(dataset) else None,
        people=people,
        labels=labels,
        findings=tuple(findings(report)),
        warnings=() if warning is None else (str(warning),),
    )


def findings(report: DataReport) -> list[str]:
    """What a report counted, in words, each with the first place it was seen."""
    return [
        f"{report.counts[finding]:,} {wording} (first: {report.examples[finding][0]})"
        for finding, wording in FINDINGS.items()
        if report.counts.get(finding)
    ]


def _count(dataset: Any, most: int | None) -> tuple[int | None, dict[str, int]]:
    """People, and people by emotion; (None, {}) for foreign data and for more than ``most`` images."""
    if not isinstance(dataset, EmotionDataset) or (most is not None and len(dataset) > most):
        return None, {}
    people = [person for index in range(len(dataset)) for person in dataset.record(index)["annotations"]]
    counts = Counter(label for person in people for label in person["labels"])
    return len(people), {name: counts[index] for index, name in enumerate(dataset.emotions.names)}
