"""Do probabilities mean what they say? Expected calibration error, Brier score, and the bins of a reliability diagram.

Of all people given a probability of 0.7 for an emotion, seven in ten should show it. People fall into ``BINS`` bins of
equal width by their probability; the expected calibration error (ECE) is the mean, over people, of the distance
between a bin's mean probability and the share of it that shows the emotion (Guo et al. 2017, arXiv:1706.04599,
section 2). The Brier score (Brier 1950) is the mean squared distance of probabilities from what is annotated; it also
falls when a model knows more, and is 0 for one that is always sure and right.

Shapes: P people, K emotion categories.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

BINS = 15
"""As in Guo et al.; the n-th has the probabilities above (n - 1) / 15 up to n / 15, the first 0 too."""

Numbers = NDArray[np.floating[Any]]


def tempered(probabilities: Numbers, temperature: float, multi_label: bool) -> Numbers:
    """Probabilities read at temperature 1 -> those of the same logits over ``temperature``; at 1 the very same.

    Args:
        probabilities: (P, K), of independent emotions, or with rows that sum to 1 where people show one; a row of
            zeros, of a person who is not found, stays one where people show one.
    """
    if temperature == 1:
        return probabilities
    exact = probabilities.astype(np.float64)
    if multi_label:
        with np.errstate(divide="ignore"):  # 0 and 1 are infinitely far from 0.5 and stay there
            changed: NDArray[np.float64] = expit(logit(exact) / temperature)
        return changed
    raised: NDArray[np.float64] = exact ** (1 / temperature)
    totals = raised.sum(axis=1, keepdims=True)
    return raised / np.where(totals > 0, totals, 1)


def reliability(
    probabilities: Numbers, targets: NDArray[np.int64], labels: Sequence[str], multi_label: bool
) -> dict[str, Any]:
    """How far probabilities can be trusted, over P people who are found.

    Args:
        probabilities, targets: (P, K); targets are 0/1.

    Returns:
        ``ECE``: where people show one emotion, of the most probable one (is it right?), as in Guo et al.; where they
        show several, of all pairs of a person and an emotion. ``Brier``: where they show one, the sum over emotions, in
        [0, 2], as Brier has it; else their mean. ``per_emotion``: ``label``, ``people`` who show it, ``ECE``,
        ``Brier``. ``bins``: those of ``ECE``, see ``bins``. NaN where there is nobody.
    """
    if multi_label:
        said, happened = probabilities.ravel(), targets.ravel()
    else:
        rows = np.arange(len(probabilities))
        best = probabilities.argmax(axis=1)
        said, happened = probabilities[rows, best], targets[rows, best]
    squares = (probabilities - targets) ** 2
    columns = [(probabilities[:, k], targets[:, k]) for k in range(len(labels))]
    found = bins(said, happened)
    brier = squares.mean(axis=1) if multi_label else squares.sum(axis=1)
    return {
        "ECE": calibration_error(found),
        "Brier": _mean(brier),
        "per_emotion": [
            {
                "label": label,
                "people": int(shown.sum()),
                "ECE": calibration_error(bins(column, shown)),
                "Brier": _mean((column - shown) ** 2),
            }
            for label, (column, shown) in zip(labels, columns, strict=True)
        ],
        "bins": found,
    }


def bins(probabilities: Numbers, happened: NDArray[np.int64]) -> list[dict[str, float]]:
    """The bins that are not empty: ``low`` and ``high`` (its borders), ``count``, ``predicted`` (mean probability) and
    ``observed`` (share that happened)."""
    places = np.clip(np.searchsorted(np.arange(BINS + 1) / BINS, probabilities) - 1, 0, BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    said = np.bincount(places, weights=probabilities, minlength=BINS)
    seen = np.bincount(places, weights=happened, minlength=BINS)
    return [
        {
            "low": n / BINS,
            "high": (n + 1) / BINS,
            "count": int(counts[n]),
            "predicted": float(said[n] / counts[n]),
            "observed": float(seen[n] / counts[n]),
        }
        for n in np.flatnonzero(counts).tolist()
    ]


def calibration_error(found: Sequence[dict[str, float]]) -> float:
    """The ECE of some bins; NaN without any."""
    total = sum(one["count"] for one in found)
    if not total:
        return float("nan")
    return sum(one["count"] * abs(one["observed"] - one["predicted"]) for one in found) / total


def _mean(values: Numbers) -> float:
    return float(values.mean()) if len(values) else float("nan")
