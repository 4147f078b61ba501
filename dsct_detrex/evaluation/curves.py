"""Precision-recall curves: of every emotion, and their mean, whose area is the mAP of the emotions that occur.

A precision holds for all recalls from the one before up to its own (scikit-learn's definition of average precision, not
interpolated). Where people not found are ``lost``, a curve ends with those who are found.

Shapes: P people, K emotion categories.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

from dsct_detrex.evaluation.results import PeopleTable

RECALLS = np.linspace(0, 1, 101)
"""Where the mean curve is read."""


def precision_recall_points(table: PeopleTable, k: int, points: int = 50) -> tuple[list[float], list[float]]:
    """Precision-recall curve of class k from recall 0 on, thinned to at most ``points`` of its points.

    Returns:
        recalls and precisions.
    """
    recall, precision = _curve(table, k)
    keep = np.unique(np.linspace(0, len(recall) - 1, min(points, len(recall))).round().astype(int))
    return recall[keep].tolist(), precision[keep].tolist()


def mean_precision_recall(table: PeopleTable) -> dict[str, list[float]]:
    """The mean of all classes that occur.

    Returns:
        ``recall`` (101 values from 0 to 1) and ``precision``, 0 where no class goes so far; both empty if none occurs.
    """
    occurring = np.flatnonzero(table.targets.any(axis=0))
    if not len(occurring):
        return {"recall": [], "precision": []}
    steps = np.stack([_read(*_curve(table, int(k))) for k in occurring])
    return {"recall": RECALLS.tolist(), "precision": steps.mean(axis=0).tolist()}


def _curve(table: PeopleTable, k: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Recalls, rising from 0, and precisions of class k."""
    reached = table.rows(table.found) if table.lost else table
    targets = reached.targets[:, k]
    if not targets.any():
        return np.zeros(1), np.zeros(1)
    precision, recall, _ = precision_recall_curve(targets, reached.scores[:, k])
    return recall[::-1] * (targets.sum() / table.targets[:, k].sum()), precision[::-1]


def _read(recall: NDArray[Any], precision: NDArray[Any]) -> NDArray[Any]:
    """The precision at each of ``RECALLS``: that of the first point which goes so far, 0 beyond the last."""
    places = np.searchsorted(recall, RECALLS - 1e-9)
    return np.append(precision, 0.0)[places]
