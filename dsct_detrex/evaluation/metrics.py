"""The numbers of the paper's tables: mAP, accuracy, confusion, the table by people per image, and box quality.

All values are fractions in [0, 1]; only text and pictures turn them into per cent. A value that has no meaning (no
person in the group, no positive of the class) is NaN.

Shapes: P people, K emotion categories.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_curve

from dsct_detrex.evaluation.protocols import FOUND_IOU, MISSED
from dsct_detrex.evaluation.results import PeopleTable

COUNT_GROUPS: tuple[tuple[str, int, int | None], ...] = (
    ("1", 1, 1),
    ("2", 2, 2),
    ("3", 3, 3),
    ("4", 4, 4),
    ("5plus", 5, None),
)
"""Name, fewest and most people per image of the rows of the paper's Table 4."""


def average_precisions(table: PeopleTable) -> NDArray[np.float64]:
    """(K,) average precision of every class, NaN for a class that nobody shows.

    Not interpolated; equal scores enter at one threshold (scikit-learn's definition, which the official code uses).
    Where people not found are ``lost``, recall ends with those who are found.
    """
    values = np.full(table.targets.shape[1], np.nan)
    reached = table.rows(table.found) if table.lost else table
    for k in np.flatnonzero(table.targets.any(axis=0)):
        share = reached.targets[:, k].sum() / table.targets[:, k].sum()
        values[k] = share and share * average_precision_score(reached.targets[:, k], reached.scores[:, k])
    return values


def mean_average_precision(values: NDArray[np.float64]) -> float:
    """Macro mean over all K classes; a class that nobody shows counts as 0.

    That zero is scikit-learn's convention and therefore the official code's
    (``tests/golden/dsct/eval_caer_missing_class``). It lowers the mean of small groups, so the tables also say how
    many classes occur. NaN if no class occurs.
    """
    return float("nan") if np.isnan(values).all() else float(np.nan_to_num(values).mean())


def annotated_classes(table: PeopleTable) -> NDArray[np.int64]:
    """(P,) the one class that accuracy compares with: the *lowest-index* annotated class, ``MISSED`` without any.

    With one emotion per person (CAER-S) that is the annotation. With several (EMOTIC) it is the definition of the
    official ``test.py``, kept for comparison; ``any_label_accuracy`` is the meaningful number there.
    """
    return np.where(table.targets.any(axis=1), table.targets.argmax(axis=1), MISSED)


def predicted_classes(table: PeopleTable) -> NDArray[np.int64]:
    """(P,) most probable class, the lowest index among equals; ``MISSED`` where no prediction spoke for the person."""
    return np.where(table.found, table.scores.argmax(axis=1), MISSED)


def accuracy(table: PeopleTable) -> float:
    """Share of people whose most probable class is the annotated one (see ``annotated_classes``).

    A person without any prediction counts as wrong.
    """
    annotated, predicted = annotated_classes(table), predicted_classes(table)
    return _mean((annotated == predicted) & (annotated != MISSED))


def any_label_accuracy(table: PeopleTable) -> float:
    """Share of people whose most probable class is among their annotated ones; a missed person counts as wrong."""
    predicted = predicted_classes(table)
    return _mean((table.targets[np.arange(len(table)), predicted] == 1) & (predicted != MISSED))


def confusion(table: PeopleTable) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Counts behind ``accuracy``.

    Returns:
        (K, K) annotated class by predicted class, and (K,) people of each class for whom there was no prediction.
    """
    annotated, predicted = annotated_classes(table), predicted_classes(table)
    num_classes = table.targets.shape[1]
    seen = (annotated != MISSED) & (predicted != MISSED)
    missed = np.bincount(annotated[(annotated != MISSED) & ~table.found], minlength=num_classes)
    if not seen.any():
        return np.zeros((num_classes, num_classes), dtype=np.int64), missed
    return confusion_matrix(annotated[seen], predicted[seen], labels=np.arange(num_classes)), missed


@dataclass(frozen=True)
class CountRow:
    """One row of the table by people per image: images with exactly that many annotated people (``5plus``: or more)."""

    group: str
    images: int
    people: int
    classes: int
    acc: float
    mAP: float


def by_people_count(table: PeopleTable) -> list[CountRow]:
    """The paper's Table 4: the same metrics on images with 1, 2, 3, 4 and at least 5 annotated people."""
    rows = []
    for group, fewest, most in COUNT_GROUPS:
        chosen = (table.people_in_image >= fewest) & (table.people_in_image <= (most or np.inf))
        part = table.rows(chosen)
        values = average_precisions(part)
        rows.append(
            CountRow(
                group=group,
                images=round(float((1.0 / part.people_in_image).sum())),
                people=len(part),
                classes=int((~np.isnan(values)).sum()),
                acc=accuracy(part),
                mAP=mean_average_precision(values),
            )
        )
    return rows


def box_quality(table: PeopleTable) -> dict[str, float]:
    """How well the boxes that speak for the annotated people fit them (continuous IoU).

    Returns:
        ``recall50``: share of people with IoU >= 0.5; ``mean_iou``: mean over all people, 0 for a missed one.
    """
    return {"recall50": _mean(table.iou >= FOUND_IOU), "mean_iou": _mean(table.iou)}


def best_f1_thresholds(table: PeopleTable) -> list[float]:
    """Per class the probability above which saying yes gives the best F1 here; 0.5 for a class nobody shows.

    Multi-label probabilities are trained with focal loss and rarely reach 0.5, so a fixed threshold shows too little.
    """
    thresholds = []
    for k in range(table.targets.shape[1]):
        if not table.targets[:, k].any():
            thresholds.append(0.5)
            continue
        precision, recall, score = precision_recall_curve(table.targets[:, k], table.scores[:, k])
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        thresholds.append(float(score[f1[:-1].argmax()]))
    return thresholds


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else float("nan")
