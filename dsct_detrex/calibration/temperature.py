"""Temperature scaling (Guo et al. 2017, arXiv:1706.04599, section 4.2): one number that class logits are divided by.

It is the one with the highest likelihood of the annotations. Order and sign of logits stay, so the most probable
emotion of a person does, and the ranking of people by one emotion where they show several; only how sure it sounds
changes.

Shapes: F people who are found, K emotion categories.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, log_softmax, softmax

HOTTEST = 50.0
"""Temperatures from 1 / HOTTEST to HOTTEST are looked at; where the likelihood still rises at an end there is none."""


def negative_log_likelihood(
    logits: NDArray[np.float64], targets: NDArray[np.int64], temperature: float, multi_label: bool
) -> float:
    """The mean surprise at the annotations, in nats: per person, or per person and emotion where they show several.

    Args:
        logits: (F, K).
        targets: (F, K) 0/1.
        temperature: above 0.
        multi_label: emotions are independent (sigmoid), else people show exactly one (softmax).
    """
    scaled = logits / temperature
    if multi_label:
        return float((np.logaddexp(0, scaled) - targets * scaled).mean())
    return float(-(targets * log_softmax(scaled, axis=1)).sum(axis=1).mean())


def fit_temperature(logits: NDArray[np.float64], targets: NDArray[np.int64], multi_label: bool) -> float | None:
    """The temperature of the highest likelihood; arguments as above.

    Returns:
        None where there is none: everything is said right, and surer would be better still, or what is said has nothing
        to do with what is annotated, and less sure would be.

    Raises:
        ValueError: there is nobody.
    """
    if not len(logits):
        raise ValueError("fit_temperature(logits=) expects at least one person. Got none.")

    def slope(inverse: float) -> float:
        """Of the surprise over 1 / temperature, in which it is convex: the slope rises and is 0 in one place."""
        scaled = inverse * logits
        said = expit(scaled) if multi_label else softmax(scaled, axis=1)
        return float(((said - targets) * logits).sum(axis=1).mean())

    if slope(1 / HOTTEST) >= 0 or slope(HOTTEST) <= 0:
        return None
    return 1 / float(brentq(slope, 1 / HOTTEST, HOTTEST))
