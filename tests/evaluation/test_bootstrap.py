"""Intervals hold the truth as often as they say, and a resample has the numbers of its people counted as often."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dsct_detrex.evaluation import metrics
from dsct_detrex.evaluation.bootstrap import Resampled, draws, intervals, resampled_accuracy, resampled_map
from dsct_detrex.evaluation.results import PeopleTable


def interval(metric: Resampled, images: int, resamples: int = 1000, seed: int = 0) -> tuple[float, float]:
    return intervals({"it": metric}, images, resamples, seed)["it"]


def people(right: NDArray[np.bool_]) -> PeopleTable:
    """One of two emotions each, read right or wrong."""
    targets = np.tile([1, 0], (len(right), 1))
    scores = np.where(right[:, None], [0.9, 0.1], [0.1, 0.9]).astype(np.float32)
    return table(scores, targets, np.ones(len(right), bool))


def table(
    scores: NDArray[np.float32], targets: NDArray[np.int64], found: NDArray[np.bool_], lost: bool = False
) -> PeopleTable:
    count = len(scores)
    return PeopleTable(scores, targets, found, np.ones(count, np.float32), np.ones(count, np.int64), lost)


def test_a_95_percent_interval_holds_the_truth_19_times_in_20() -> None:
    dice = np.random.default_rng(3)
    hits = 0
    for seed in range(200):
        right = dice.random(150) < 0.7
        image = np.arange(150)
        low, high = interval(resampled_accuracy(people(right), image, 150), 150, 300, seed)
        hits += low <= 0.7 <= high
    assert 0.90 <= hits / 200 <= 0.985


def test_people_of_one_image_stand_and_fall_together() -> None:
    """Four people who are always read alike are worth one: the interval is twice as wide."""
    right = np.repeat(np.arange(200) % 10 < 6, 4)
    image = np.repeat(np.arange(200), 4)
    together = np.diff(interval(resampled_accuracy(people(right), image, 200), 200))[0]
    apart = np.diff(interval(resampled_accuracy(people(right), np.arange(800), 800), 800))[0]
    assert together / apart == pytest.approx(2, rel=0.15)
    assert together == pytest.approx(2 * 1.96 * np.sqrt(0.6 * 0.4 / 200), rel=0.15)


@pytest.mark.parametrize("lost", [False, True], ids=["ranked_last", "lost"])
def test_a_resample_is_the_metric_of_its_people(lost: bool) -> None:
    dice = np.random.default_rng(0)
    image = np.sort(dice.integers(20, size=60))
    targets = (dice.random((60, 4)) < [0.5, 0.3, 0.05, 0.0]).astype(np.int64)
    found = dice.random(60) < 0.8
    scores = (dice.random((60, 4)) * 8).round().astype(np.float32) / 8 * found[:, None]  # many are equal
    whole = table(scores, targets, found, lost)
    (weights,) = draws(20, 30, seed=1)
    accuracy, precision = (make(whole, image, 20)(weights) for make in (resampled_accuracy, resampled_map))
    for place, drawn in enumerate(weights.T.astype(int)):
        rows = np.repeat(np.arange(60), drawn[image])
        part = table(scores[rows], targets[rows], found[rows], lost)
        assert accuracy[place] == pytest.approx(metrics.accuracy(part))
        assert precision[place] == pytest.approx(np.nanmean(metrics.average_precisions(part)), abs=1e-6)


def test_every_resample_draws_as_many_images_as_there_are() -> None:
    blocks = list(draws(7, 600, seed=0))
    assert sum(block.shape[1] for block in blocks) == 600
    assert all((block.sum(axis=0) == 7).all() for block in blocks)


def test_the_seed_decides() -> None:
    metric = resampled_accuracy(people(np.arange(40) % 3 > 0), np.arange(40), 40)
    assert interval(metric, 40) == interval(metric, 40)
    first, second = (next(draws(40, 5, seed)) for seed in (1, 2))
    assert (first != second).any()


def test_what_nobody_shows_has_no_interval() -> None:
    nobody = table(np.zeros((3, 2), np.float32), np.zeros((3, 2), np.int64), np.ones(3, bool))
    assert np.isnan(interval(resampled_map(nobody, np.arange(3), 3), 3)).all()
