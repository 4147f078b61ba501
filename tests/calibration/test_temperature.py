"""Temperature scaling: by hand, a known one is found again, and none is made up."""

import math

import numpy as np
import pytest
from scipy.special import expit, softmax

from dsct_detrex.calibration import fit_temperature, negative_log_likelihood


def test_one_emotion_by_hand() -> None:
    """Logits (2, 0), right four times of five: said must be 0.8, so 2 / T = ln 4."""
    logits = np.tile([2.0, 0.0], (5, 1))
    targets = np.array([[1, 0]] * 4 + [[0, 1]])
    assert fit_temperature(logits, targets, False) == pytest.approx(2 / math.log(4), rel=1e-4)
    surprise = -(0.8 * math.log(0.8) + 0.2 * math.log(0.2))
    assert negative_log_likelihood(logits, targets, 2 / math.log(4), False) == pytest.approx(surprise)


def test_several_emotions_by_hand() -> None:
    """One logit of 3, shown three times of four: 3 / T = ln 3."""
    logits, targets = np.full((4, 1), 3.0), np.array([[1], [1], [1], [0]])
    assert fit_temperature(logits, targets, True) == pytest.approx(3 / math.log(3), rel=1e-4)
    surprise = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert negative_log_likelihood(logits, targets, 3 / math.log(3), True) == pytest.approx(surprise)


@pytest.mark.parametrize("true", [0.5, 1.0, 2.7])
def test_a_known_temperature_is_found_again(true: float) -> None:
    dice = np.random.default_rng(1)
    honest = dice.normal(0, 2, (20_000, 5))
    one = (dice.random((20_000, 1)) > softmax(honest, axis=1).cumsum(axis=1)[:, :-1]).sum(axis=1)
    assert fit_temperature(true * honest, np.eye(5, dtype=np.int64)[one], False) == pytest.approx(true, rel=0.03)
    several = (dice.random(honest.shape) < expit(honest)).astype(np.int64)
    assert fit_temperature(true * honest, several, True) == pytest.approx(true, rel=0.03)


def test_where_everything_is_right_there_is_none() -> None:
    assert fit_temperature(np.array([[3.0, 0.0], [0.0, 2.0]]), np.eye(2, dtype=np.int64), False) is None


def test_where_nothing_is_known_there_is_none() -> None:
    logits = np.array([[3.0, 0.0], [3.0, 0.0]])
    assert fit_temperature(logits, np.eye(2, dtype=np.int64), False) is None


def test_extreme_logits_do_not_overflow() -> None:
    logits, targets = np.array([[900.0, -900.0], [-900.0, 900.0]]), np.array([[1, 0], [1, 0]])
    for several in (True, False):
        assert math.isfinite(negative_log_likelihood(logits, targets, 1.0, several))


def test_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one person"):
        fit_temperature(np.zeros((0, 3)), np.zeros((0, 3), np.int64), True)
