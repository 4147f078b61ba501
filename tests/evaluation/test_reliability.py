"""ECE and Brier score by hand, and probabilities at a temperature as the label sets read logits at it."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from dsct_detrex.evaluation.reliability import bins, calibration_error, reliability, tempered
from dsct_detrex.structures import CAER_S, EMOTIC, Emotions, MultiLabelEmotions


def test_bins_and_their_error_by_hand() -> None:
    found = bins(np.array([0.9, 0.9, 0.9, 0.9, 0.1]), np.array([1, 1, 1, 0, 0]))
    assert [(round(one["low"] * 15), one["count"]) for one in found] == [(1, 1), (13, 4)]
    assert [one["predicted"] for one in found] == pytest.approx([0.1, 0.9])
    assert [one["observed"] for one in found] == pytest.approx([0.0, 0.75])
    assert calibration_error(found) == pytest.approx(4 / 5 * 0.15 + 1 / 5 * 0.1)


def test_borders_belong_to_the_bin_below_and_nothing_falls_outside() -> None:
    found = bins(np.array([0.0, 1 / 15, 2 / 15, 1.0]), np.array([0, 0, 0, 1]))
    assert [(one["low"], one["count"]) for one in found] == [(0, 2), (1 / 15, 1), (14 / 15, 1)]


def test_one_emotion_a_person_by_hand() -> None:
    """Said 0.9 and right, said 0.6 and wrong."""
    made = reliability(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([[1, 0], [0, 1]]), ["a", "b"], False)
    assert made["ECE"] == pytest.approx((0.1 + 0.6) / 2)
    assert made["Brier"] == pytest.approx((0.01 + 0.01 + 0.36 + 0.36) / 2)
    assert sum(one["count"] for one in made["bins"]) == 2
    first = made["per_emotion"][0]
    assert (first["label"], first["people"]) == ("a", 1)
    assert first["ECE"] == pytest.approx((0.1 + 0.6) / 2)
    assert first["Brier"] == pytest.approx((0.01 + 0.36) / 2)


def test_several_emotions_a_person_by_hand() -> None:
    """Every pair of person and emotion counts: 0.9 and 0.4 happened, 0.1 and 0.6 did not."""
    made = reliability(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([[1, 0], [0, 1]]), ["a", "b"], True)
    assert made["ECE"] == pytest.approx((0.1 + 0.1 + 0.6 + 0.6) / 4)
    assert made["Brier"] == pytest.approx((0.01 + 0.01 + 0.36 + 0.36) / 4)
    assert sum(one["count"] for one in made["bins"]) == 4


@pytest.mark.parametrize("several", [True, False])
def test_nobody_has_no_numbers(several: bool) -> None:
    made = reliability(np.zeros((0, 2)), np.zeros((0, 2), np.int64), ["a", "b"], several)
    assert made["bins"] == []
    assert all(math.isnan(made[name]) for name in ("ECE", "Brier"))


@pytest.mark.parametrize("emotions", [EMOTIC, CAER_S], ids=["several", "one"])
@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_tempered_probabilities_are_those_of_tempered_logits(emotions: Emotions, temperature: float) -> None:
    logits = 3 * torch.randn(50, emotions.num_logits)
    several = isinstance(emotions, MultiLabelEmotions)
    expected = replace(emotions, temperature=temperature).probabilities(logits).numpy()
    found = tempered(emotions.probabilities(logits).numpy(), temperature, several)
    np.testing.assert_allclose(found, expected, atol=5e-5)  # float32 knows little of what is near 1


def test_those_who_are_not_found_stay_without_probabilities() -> None:
    nobody = np.zeros((1, 3), np.float32)
    for several in (True, False):
        assert tempered(nobody, 2.0, several).tolist() == [[0.0, 0.0, 0.0]]
    certain = np.array([[1.0, 0.0]])
    assert tempered(certain, 2.0, True).tolist() == tempered(certain, 2.0, False).tolist() == [[1.0, 0.0]]
