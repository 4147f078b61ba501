"""Confidence intervals by bootstrap over images: people of one image stand or fall together, so images are drawn.

A resample draws as many images as there are, with replacement; its numbers are the same metrics with every person
counted as often as the image was drawn. The interval is that between percentiles of the resampled values (Efron 1979).

Everything is computed for a block of resamples at once. Scores keep their order whatever is drawn, so average precision
needs one sort for all resamples, and then sums of weights between one positive and the next: a product of a sparse
matrix and the weights.

Shapes: P people, I images, R resamples, K emotion categories.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from dsct_detrex.evaluation.metrics import annotated_classes, predicted_classes
from dsct_detrex.evaluation.protocols import MISSED
from dsct_detrex.evaluation.results import PeopleTable

RESAMPLES = 1000
LEVEL = 0.95
"""Share of the resampled values inside an interval."""

_SEED = 0
_BLOCK = 250  # resamples at a time: 50 MB of weights for 50,000 images

Weights = NDArray[np.float32]
"""(I, R): how often each image was drawn in each resample."""
Resampled = Callable[[Weights], NDArray[np.float64]]
"""Weights -> the (R,) values of a metric, NaN where it has none."""


def intervals(
    metrics: Mapping[str, Resampled], images: int, resamples: int = RESAMPLES, seed: int = _SEED
) -> dict[str, tuple[float, float]]:
    """The percentile interval of each metric of so many images, all from the same draws and the same for the same seed.

    Returns:
        name -> low and high; NaN where the metric has no value in any resample.
    """
    drawn = [[metric(weights) for metric in metrics.values()] for weights in draws(images, resamples, seed)]
    return {name: _percentiles(np.concatenate(blocks)) for name, blocks in zip(metrics, zip(*drawn), strict=True)}


def _percentiles(values: NDArray[np.float64]) -> tuple[float, float]:
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def draws(images: int, resamples: int, seed: int) -> Iterator[Weights]:
    """The weights of all resamples, in blocks."""
    dice = np.random.default_rng(seed)
    for start in range(0, resamples, _BLOCK):
        count = min(_BLOCK, resamples - start)
        drawn = dice.integers(images, size=(count, images))
        places = drawn * count + np.arange(count)[:, None]
        yield np.bincount(places.ravel(), minlength=images * count).reshape(images, count).astype(np.float32)


def resampled_accuracy(table: PeopleTable, image: NDArray[np.int64], images: int) -> Resampled:
    """``metrics.accuracy`` of resamples.

    Args:
        image: (P,) index in [0, I) of the image of each person.
        images: I.
    """
    annotated = annotated_classes(table)
    right = (annotated == predicted_classes(table)) & (annotated != MISSED)
    sums = np.stack([np.bincount(image, weights=w, minlength=images) for w in (right, np.ones(len(table)))])

    def values(weights: Weights) -> NDArray[np.float64]:
        hits, people = sums.astype(np.float32) @ weights
        return _ratio(hits, people, np.nan)

    return values


def resampled_map(table: PeopleTable, image: NDArray[np.int64], images: int) -> Resampled:
    """The mean average precision, over the emotions that occur, of resamples; arguments as above."""
    classes = [_AveragePrecision(table, k, image, images) for k in np.flatnonzero(table.targets.any(axis=0)).tolist()]

    def values(weights: Weights) -> NDArray[np.float64]:
        total, occurring = np.zeros(weights.shape[1]), np.zeros(weights.shape[1])
        for one in classes:
            found = one(weights)
            total += np.nan_to_num(found)
            occurring += ~np.isnan(found)
        return _ratio(total, occurring, np.nan)

    return values


class _AveragePrecision:
    """Of one class, as ``metrics.average_precisions`` has it: equal scores enter at one threshold."""

    def __init__(self, table: PeopleTable, k: int, image: NDArray[np.int64], images: int) -> None:
        reached = table.found if table.lost else np.ones(len(table), bool)
        scores, positive = table.scores[:, k], table.targets[:, k] == 1
        thresholds = np.unique(scores[reached & positive])  # precision changes what is summed up at these alone
        entering = len(thresholds) - np.searchsorted(thresholds, scores, side="right")
        counted = reached & (entering < len(thresholds))  # whoever scores below the last positive never enters

        def sums(chosen: NDArray[np.bool_]) -> Any:
            """(thresholds, I) people of each image who enter at each threshold, the highest first."""
            ones = np.ones(int(chosen.sum()), np.float32)
            return csr_matrix((ones, (entering[chosen], image[chosen])), shape=(len(thresholds), images))

        self._people, self._positives = sums(counted), sums(counted & positive)
        self._all_positives = np.bincount(image, weights=positive, minlength=images).astype(np.float32)

    def __call__(self, weights: Weights) -> NDArray[np.float64]:
        positives = self._positives @ weights
        precision = _ratio(positives.cumsum(axis=0), (self._people @ weights).cumsum(axis=0), 0.0)
        return _ratio(np.einsum("tr,tr->r", positives, precision), self._all_positives @ weights, np.nan)


def _ratio(above: NDArray[Any], below: NDArray[Any], nothing: float) -> NDArray[Any]:
    """Element by element, in the precision of ``above``; ``nothing`` where there is nothing below."""
    result = np.full_like(above, nothing)
    np.divide(above, below, out=result, where=below > 0)
    return result
