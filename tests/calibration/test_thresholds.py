"""Thresholds by hand: best F1, a wanted precision, and what is said where there is none."""

import numpy as np
import pytest

from dsct_detrex.calibration import at_threshold, best_f1, of_precision
from dsct_detrex.calibration.thresholds import NEVER

SAID = np.array([0.9, 0.8, 0.6, 0.4, 0.2])
SHOWN = np.array([1, 0, 1, 1, 0])


def test_best_f1_by_hand() -> None:
    """Saying it of the first n: F1 = 2 right / (n + who show it) = 2/5, 2/6, 4/7, 6/8, 6/9 with one who is missed."""
    found = best_f1(SAID, SHOWN, 1, 0.5)
    assert found.value == pytest.approx(0.3), "halfway between the last and the next"
    assert (found.said, found.precision, found.recall, found.f1) == (4, 0.75, 0.75, 0.75)
    assert found.note == "only 3 who are found show it"
    assert best_f1(SAID, SHOWN, 0, 0.5).f1 == pytest.approx(6 / 7), "recall of those who are found alone"


def test_everybody_may_be_said() -> None:
    found = best_f1(np.array([0.9, 0.1]), np.array([0, 1]), 0, 0.5)
    assert found.value == pytest.approx(0.05)
    assert (found.said, found.f1) == (2, pytest.approx(2 / 3))


def test_equal_probabilities_fall_together() -> None:
    found = best_f1(np.array([0.7, 0.7, 0.7, 0.1]), np.array([1, 1, 0, 0]), 0, 0.5)
    assert (found.value, found.said) == (pytest.approx(0.4), 3)


@pytest.mark.parametrize(("wanted", "value", "said"), [(0.75, 0.3, 4), (0.76, 0.85, 1), (1.0, 0.85, 1), (0.5, 0.1, 5)])
def test_a_wanted_precision_with_the_largest_recall(wanted: float, value: float, said: int) -> None:
    """Precision of the first n: 1, 1/2, 2/3, 3/4, 3/5."""
    found = of_precision(SAID, SHOWN, 1, wanted)
    assert (found.value, found.said) == (pytest.approx(value), said)
    assert found.precision is not None
    assert found.precision >= wanted


def test_a_precision_out_of_reach_is_never_said_and_told() -> None:
    found = of_precision(np.array([0.9, 0.8]), np.array([0, 1]), 0, 0.8)
    assert (found.value, found.said, found.precision, found.recall) == (NEVER, 0, None, 0.0)
    assert found.note == "a precision of 80 % is not reached, the best is 50 %: it is not said"


def test_nobody_shows_it() -> None:
    nobody = np.zeros(5, np.int64)
    kept = best_f1(SAID, nobody, 2, 0.5)
    assert (kept.value, kept.said, kept.precision, kept.recall) == (0.5, 3, 0.0, 0.0)
    assert kept.note == "nobody who is found shows it, so its threshold is kept"
    never = of_precision(SAID, nobody, 0, 0.8)
    assert (never.value, never.recall, never.f1) == (NEVER, None, None)
    assert never.note == "a precision of 80 % is not reached, nobody who is found shows it: it is not said"


def test_a_threshold_takes_those_who_reach_it() -> None:
    found = at_threshold(SAID, SHOWN, 0, 0.6)
    assert (found.said, found.precision, found.recall) == (3, pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert at_threshold(SAID, SHOWN, 0, 1.0).precision is None


def test_ten_people_are_no_longer_few() -> None:
    assert best_f1(np.linspace(0.1, 0.9, 10), np.ones(10, np.int64), 0, 0.5).note == ""
