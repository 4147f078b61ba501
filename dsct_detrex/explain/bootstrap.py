"""Confidence intervals by bootstrap over images: people of a picture share its scene, so pictures are drawn anew.

Shapes: I images, R resamples; ``...`` any numbers measured.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

RESAMPLES = 1000
CONFIDENCE = 0.95


def mean_over_people(sums: Floats, people: Floats) -> Floats:
    """(...) mean over the people of all images.

    Args:
        sums: (I, ...) sum over the people of each image.
        people: (I,) how many these are; in all at least one.
    """
    return np.asarray(sums.sum(0) / people.sum())


def interval(sums: Floats, people: Floats, seed: int = 0, resamples: int = RESAMPLES) -> tuple[Floats, Floats]:
    """Bounds (...) of the 95 % interval of that mean, by percentiles; as many images are drawn as there are.

    Resamples without anybody are left out.
    """
    images = len(people)
    times = np.random.default_rng(seed).multinomial(images, np.full(images, 1 / images), resamples)  # (R, I)
    counts = times @ people
    totals = np.tensordot(times.astype(np.float64), sums, 1)
    means = totals[counts > 0] / counts[counts > 0].reshape(-1, *[1] * (sums.ndim - 1))
    outside = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, (outside, 1 - outside), axis=0)
    return low, high
