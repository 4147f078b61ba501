"""Precision-recall curves: of every emotion, and their mean, whose area is about the mAP of the emotions that occur.

A precision holds for all recalls from the one before up to its own (scikit-learn's definition of average precision, not
interpolated), so a curve is read at fixed recalls without losing its beginning, where few people are named and it is
steep. Where people not found are ``lost``, it ends with those who are found.

Shapes: P people, K emotion categories.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

from dsct_detrex.evaluation.results import PeopleTable

RECALLS = np.linspace(0, 1, 101)
"""Where curves are read; at recall 0, where nobody is named yet, stands what the next one has."""

Curve = dict[str, list[float]]
"""``recall`` and ``precision``, equally long; recalls rise from 0."""

_DIGITS = 4


def precision_recall(table: PeopleTable, k: int) -> Curve:
    """The curve of class k up to the largest recall that it reaches; somebody shows the class."""
    precision = _read(table, k)
    reached = ~np.isnan(precision)
    return _curve(RECALLS[reached], precision[reached])


def mean_precision_recall(table: PeopleTable) -> Curve:
    """The mean of all classes that occur, 0 for one that does not reach so far; empty if none occurs."""
    occurring = np.flatnonzero(table.targets.any(axis=0))
    if not len(occurring):
        return _curve(RECALLS[:0], RECALLS[:0])
    return _curve(RECALLS, np.stack([np.nan_to_num(_read(table, int(k))) for k in occurring]).mean(axis=0))


def _read(table: PeopleTable, k: int) -> NDArray[Any]:
    """(101,) precision of class k at each of ``RECALLS``, NaN beyond the largest that it reaches."""
    reached = table.rows(table.found) if table.lost else table
    targets = reached.targets[:, k]
    if not targets.any():
        return np.full(len(RECALLS), np.nan)
    precision, recall, _ = precision_recall_curve(targets, reached.scores[:, k])
    rising = recall[::-1] * (targets.sum() / table.targets[:, k].sum())
    places = np.searchsorted(rising, RECALLS - 1e-9)  # the first point that goes so far
    values: NDArray[Any] = np.append(precision[::-1], np.nan)[places]
    values[0] = values[1]
    return values


def _curve(recall: NDArray[Any], precision: NDArray[Any]) -> Curve:
    return {"recall": recall.round(_DIGITS).tolist(), "precision": precision.round(_DIGITS).tolist()}
