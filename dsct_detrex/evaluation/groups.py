"""The same numbers by what a data set says of people themselves: by gender, by age.

A score of a few people is chance to a large part, so every one has an interval (``bootstrap.py``, over the images that
show somebody of the group); a group of fewer than ``FEWEST`` people or images has none, which its ``note`` says.

mAP is over the emotions that somebody of the group shows. (Elsewhere an emotion that nobody shows counts as 0, as in
the official code; a small group would then look worse for being small.) A blind guess reaches about the share of people
who show an emotion, which differs from group to group: ``chance`` says it beside.

Shapes: P people, K emotion categories.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsct_detrex.evaluation import bootstrap, metrics
from dsct_detrex.evaluation.results import ImageResult, PeopleTable

FEWEST = 10
"""People, and images, below which a group gets no interval."""

_ORDER = ("Kid", "Teenager", "Adult")  # EMOTIC's ages; whatever else there is follows by its name

Names = NDArray[np.str_]


def by_groups(images: Sequence[ImageResult], table: PeopleTable) -> list[dict[str, Any]]:
    """One table for each attribute that the data set names of somebody, in the order of their names.

    Args:
        images: as ``table`` was stacked from.

    Returns:
        dicts of ``attribute``, ``unnamed`` (people of whom it is not said) and ``rows``: ``group``, ``images``,
        ``people``, ``classes`` (emotions that occur), ``acc``, ``mAP`` (over these), ``chance`` (their mean share of
        people), ``acc_interval`` and ``mAP_interval`` (low and high, or None), ``note`` (why there is none; else
        empty).
    """
    place = np.repeat(np.arange(len(images)), [len(image.targets) for image in images])
    tables = []
    for attribute in sorted({name for image in images for name in image.groups}):
        names = np.array([name for image in images for name in _names(image, attribute)], dtype=np.str_)
        groups = sorted(set(names.tolist()) - {""}, key=_in_order)
        if groups:
            rows = [_row(group, table.rows(names == group), place[names == group]) for group in groups]
            tables.append({"attribute": attribute, "unnamed": int((names == "").sum()), "rows": rows})
    return tables


def attributes_of(image: Mapping[str, Any], people: int) -> dict[str, tuple[str, ...]]:
    """What an evaluation input says of its people.

    Raises:
        ValueError: an attribute has not one text for each person.
    """
    attributes = {name: tuple(values) for name, values in image.get("attributes", {}).items()}
    for name, values in attributes.items():
        if len(values) != people:
            raise ValueError(
                f"EmotionEvaluator.process(inputs=) expects attributes[{name!r}] for each of {people} people of "
                f"{image['file_name']}. Got {len(values)}."
            )
    return attributes


def _names(image: ImageResult, attribute: str) -> tuple[str, ...]:
    return image.groups.get(attribute, ("",) * len(image.targets))


def _in_order(group: str) -> tuple[int, str]:
    return (_ORDER.index(group) if group in _ORDER else len(_ORDER)), group


def _row(group: str, part: PeopleTable, place: NDArray[np.int64]) -> dict[str, Any]:
    found, image = np.unique(place, return_inverse=True)
    precisions = metrics.average_precisions(part)
    shown = ~np.isnan(precisions)
    note = _note(len(part), len(found))
    makers = {"acc": bootstrap.resampled_accuracy, "mAP": bootstrap.resampled_map}
    resampled = {} if note else {name: make(part, image, len(found)) for name, make in makers.items()}
    intervals = bootstrap.intervals(resampled, len(found))
    return {
        "group": group,
        "images": len(found),
        "people": len(part),
        "classes": int(shown.sum()),
        "acc": metrics.accuracy(part),
        "mAP": float(precisions[shown].mean()) if shown.any() else float("nan"),
        "chance": float(part.targets[:, shown].mean()) if shown.any() else float("nan"),
        **{f"{name}_interval": list(intervals[name]) if name in intervals else None for name in makers},
        "note": note,
    }


def _note(people: int, images: int) -> str:
    if people < FEWEST:
        return f"no interval: fewer than {FEWEST} people"
    return f"no interval: in fewer than {FEWEST} images" if images < FEWEST else ""
