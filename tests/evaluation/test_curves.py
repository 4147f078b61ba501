"""Precision over recall: worked by hand, agreeing with AP, ending where nobody further is found."""

import numpy as np
import pytest

from dsct_detrex.evaluation.curves import RECALLS, mean_precision_recall, precision_recall
from dsct_detrex.evaluation.metrics import average_precisions
from dsct_detrex.evaluation.results import PeopleTable


def table(scores: list[list[float]], targets: list[list[int]], found: list[bool] | None = None) -> PeopleTable:
    count = len(scores)
    return PeopleTable(
        np.array(scores, dtype=np.float32),
        np.array(targets, dtype=np.int64),
        np.ones(count, bool) if found is None else np.array(found),
        np.ones(count, np.float32),
        np.ones(count, np.int64),
        lost=found is not None,
    )


def test_a_precision_holds_up_to_its_recall() -> None:
    """Right, wrong, right: precision 1 up to half of the two people, then 2/3."""
    curve = precision_recall(table([[0.9], [0.8], [0.7]], [[1], [0], [1]]), 0)
    assert curve["recall"] == RECALLS.round(4).tolist()
    assert curve["precision"] == [1.0] * 51 + [0.6667] * 50


def test_its_steep_beginning_is_kept_among_many_people() -> None:
    """One right person, then 50 wrong ones before the others: only the first hundredth of recall is perfect."""
    targets = [[1], *[[0]] * 50, *[[1]] * 99]
    scores = [[1.0 - row / 200] for row in range(150)]
    precision = precision_recall(table(scores, targets), 0)["precision"]
    assert precision[:3] == [1.0, 1.0, pytest.approx(2 / 52, abs=1e-4)]


def test_the_area_below_the_mean_is_the_map_of_what_occurs() -> None:
    generator = np.random.default_rng(0)
    scores = generator.random((2000, 4)).astype(np.float32)
    targets = (generator.random((2000, 4)) < scores).astype(np.int64)
    targets[:, 3] = 0
    people = table(scores.tolist(), targets.tolist())
    curve = mean_precision_recall(people)
    area = np.diff(curve["recall"]) @ np.array(curve["precision"][1:])
    assert area == pytest.approx(np.nanmean(average_precisions(people)), abs=0.01)


def test_a_curve_ends_with_those_who_are_found() -> None:
    people = table([[0.9], [0.8], [0.0], [0.0]], [[1], [1], [1], [1]], found=[True, True, False, False])
    assert precision_recall(people, 0) == {"recall": RECALLS[:51].round(4).tolist(), "precision": [1.0] * 51}
    assert mean_precision_recall(people)["precision"] == [1.0] * 51 + [0.0] * 50


def test_nobody_has_no_curve() -> None:
    assert mean_precision_recall(table([[0.5]], [[0]])) == {"recall": [], "precision": []}
    lost = table([[0.0]], [[1]], found=[False])
    assert precision_recall(lost, 0) == {"recall": [], "precision": []}


def test_nobody_is_named_at_recall_0_so_it_has_the_precision_of_the_first() -> None:
    """scikit-learn puts a perfect point there, whatever comes next."""
    assert precision_recall(table([[0.9], [0.8]], [[0], [1]]), 0)["precision"] == [0.5] * 101
