"""From which probability an emotion is shown: where its F1 is best, or where a wanted precision is reached.

Of the people of whom an emotion is said, precision is the share that shows it; recall is the share of all who show it
of whom it is said, those who are not found included. A threshold lies halfway between the last person of whom it is
said and the next one, so that rounding moves nobody across it.

Shapes: F people who are found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

NEVER = 1.0
"""The threshold of an emotion that is not said: only a probability that rounds to 1 reaches it."""

_FEW = 10  # people who show an emotion, below which its threshold stands on chance


@dataclass(frozen=True)
class Threshold:
    """The threshold of one emotion and what it does on the split that it was chosen on.

    Attributes:
        value: least probability, in [0, 1].
        said: people of whom the emotion is said.
        precision, recall, f1: fractions; None where nothing is said, or nobody shows it.
        note: what must be known about it, a sentence without a full stop, or empty.
    """

    value: float
    said: int
    precision: float | None
    recall: float | None
    f1: float | None
    note: str = ""


def best_f1(probabilities: NDArray[np.float64], shown: NDArray[np.int64], missed: int, old: float) -> Threshold:
    """The threshold with the best F1, of several the lowest; ``old`` where nobody shows the emotion.

    Args:
        probabilities: (F,) of the emotion.
        shown: (F,) 0/1, who is annotated with it.
        missed: people who show it and are not found.
        old: the threshold until now.
    """
    if not shown.any():
        kept = "nobody who is found shows it, so its threshold is kept"
        return at_threshold(probabilities, shown, missed, old, kept)
    values, precision, recall = _choices(probabilities, shown, missed)
    f1 = 2 * precision * recall / np.maximum(precision + recall, np.finfo(float).tiny)
    return at_threshold(probabilities, shown, missed, float(values[f1.argmax()]), _few(shown))


def of_precision(
    probabilities: NDArray[np.float64], shown: NDArray[np.int64], missed: int, precision: float
) -> Threshold:
    """The threshold with the largest recall among those that reach a precision; ``NEVER`` where none does.

    Args:
        probabilities, shown, missed: as above.
        precision: wanted, above 0, at most 1.
    """
    values, reached, recall = _choices(probabilities, shown, missed)
    good = (reached >= precision) & (recall > 0)
    if not good.any():
        best = f", the best is {100 * reached.max():.0f} %" if shown.any() else ", nobody who is found shows it"
        never = f"a precision of {100 * precision:g} % is not reached{best}: it is not said"
        return at_threshold(probabilities, shown, missed, NEVER, never)
    return at_threshold(probabilities, shown, missed, float(values[np.where(good, recall, -1.0).argmax()]), _few(shown))


def at_threshold(
    probabilities: NDArray[np.float64], shown: NDArray[np.int64], missed: int, value: float, note: str = ""
) -> Threshold:
    """What a threshold does; arguments as above."""
    said = probabilities >= value
    right, everybody = int(shown[said].sum()), int(shown.sum()) + missed
    return Threshold(
        value,
        int(said.sum()),
        right / int(said.sum()) if said.any() else None,
        right / everybody if everybody else None,
        2 * right / (int(said.sum()) + everybody) if everybody else None,
        note,
    )


def _choices(
    probabilities: NDArray[np.float64], shown: NDArray[np.int64], missed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """All thresholds that differ in whom they take, ascending, with their precision and recall; at least one."""
    if not shown.any():  # scikit-learn warns of a recall without anybody
        return np.array([NEVER]), np.zeros(1), np.zeros(1)
    precision, recall, scores = precision_recall_curve(shown, probabilities)
    values = (scores + np.concatenate([[0.0], scores[:-1]])) / 2
    return values, precision[:-1], recall[:-1] * (shown.sum() / (shown.sum() + missed))


def _few(shown: NDArray[np.int64]) -> str:
    people = int(shown.sum())
    return (
        f"only {people} who {'is' if people == 1 else 'are'} found show{'s' * (people == 1)} it"
        if people < _FEW
        else ""
    )
