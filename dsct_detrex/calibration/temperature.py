"""Temperature scaling (Guo et al. 2017, arXiv:1706.04599, section 4.2): one number that class logits are divided by.

It is the one with the highest likelihood of the annotations. Order and sign of logits stay, so the most probable
emotion of a person does, and the ranking of people by one emotion where they show several; only how sure it sounds
changes.

Shapes: F people who are found, K emotion categories.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

HOTTEST = 50.0
"""Temperatures from 1 / HOTTEST to HOTTEST are looked at; a best one at either end means that there is none."""

_AT_THE_END = 1e-3  # in logarithms of temperature


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

    def surprise(log_temperature: float) -> float:
        return negative_log_likelihood(logits, targets, math.exp(log_temperature), multi_label)

    end = math.log(HOTTEST)
    # convex in 1 / temperature, so with one valley over its logarithm
    best = float(minimize_scalar(surprise, bounds=(-end, end), method="bounded", options={"xatol": 1e-7}).x)
    return None if end - abs(best) < _AT_THE_END else math.exp(best)
