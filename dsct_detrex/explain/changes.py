"""How much the probability of the predicted emotion changes when a cause is painted out, beside how much it should.

"Should" is the change of the exact posterior (``data.synthetic.posterior``): what a reader who knows the table and
reads every cue would change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dsct_detrex.explain.bootstrap import interval, mean_over_people

CAUSES = ("own object", "own face", "place", "weather", "light", "others' objects", "others' faces")
"""Somebody else's object and face are no causes: where these change much, a model mixes people up."""


@dataclass(frozen=True)
class Change:
    """One person, before and after.

    Attributes:
        image: index of the picture.
        cause: of ``CAUSES``.
        read: probability that the model gives to its emotion after, less before; None where nobody is found after.
        ideal: the same of the exact posterior.
    """

    image: int
    cause: str
    read: float | None
    ideal: float


def summary(changes: Sequence[Change], images: int) -> list[dict[str, Any]]:
    """A row for each cause that was painted out.

    Args:
        images: how many pictures there are.

    Returns:
        dicts with ``cause``, ``people`` (pairs of a person and a picture), ``lost`` (of these, not found after),
        ``change`` with ``low`` and ``high`` (95 % interval over images), ``ideal``, and ``agreement``: the correlation
        of the two changes over people. None where there is no value.
    """
    return [_row(cause, of_cause, images) for cause in CAUSES if (of_cause := [c for c in changes if c.cause == cause])]


def _row(cause: str, changes: Sequence[Change], images: int) -> dict[str, Any]:
    pairs = [(change.image, change.read, change.ideal) for change in changes if change.read is not None]
    row: dict[str, Any] = {"cause": cause, "people": len(changes), "lost": len(changes) - len(pairs)}
    if not pairs:
        return row | dict.fromkeys(("change", "low", "high", "ideal", "agreement"))
    sums, people = np.zeros((images, 2)), np.zeros(images)
    for image, read, ideal in pairs:
        sums[image] += read, ideal
        people[image] += 1
    change, ideal_change = mean_over_people(sums, people).tolist()
    low, high = interval(sums[:, 0], people)
    read_and_ideal = np.array([pair[1:] for pair in pairs])
    return row | {
        "change": change,
        "low": float(low),
        "high": float(high),
        "ideal": ideal_change,
        "agreement": _correlation(read_and_ideal[:, 0], read_and_ideal[:, 1]),
    }


def _correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    """Pearson's; None where one of them does not vary."""
    if len(a) < 2 or np.ptp(a) < 1e-12 or np.ptp(b) < 1e-12:
        return None
    return float(np.corrcoef(a, b)[0, 1])
