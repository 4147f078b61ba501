"""Which emotions go together, in the annotations and in what is read: the confusion of people who show several.

A person annotated with n emotions is read as showing the n most probable ones, so that the table needs no threshold and
the model names as many emotions as the annotators did.

Shapes: P people, K emotion categories.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsct_detrex.evaluation.results import PeopleTable


def read_emotions(table: PeopleTable) -> NDArray[np.int64]:
    """(P, K) 0/1: of each person as many of the most probable emotions as are annotated; none of a missed person."""
    ranks = (-table.scores).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    chosen = ranks < table.targets.sum(axis=1, keepdims=True)
    read: NDArray[np.int64] = (chosen & table.found[:, None]).astype(np.int64)
    return read


def together(table: PeopleTable) -> dict[str, list[list[int]]]:
    """Numbers of people.

    Returns:
        ``annotated`` (K, K): with the row's and the column's emotion annotated, the diagonal is all who show the row's;
        ``read`` (K, K): with the row's emotion annotated and the column's read.
    """
    targets = table.targets
    return {"annotated": (targets.T @ targets).tolist(), "read": (targets.T @ read_emotions(table)).tolist()}
