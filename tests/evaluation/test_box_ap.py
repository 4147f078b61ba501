"""COCO's AP of the people's boxes: numbers worked by hand, and the cases without a number."""

import math

import numpy as np
import pytest

from dsct_detrex.evaluation.box_ap import box_average_precision
from dsct_detrex.evaluation.results import ImageResult

BOX = [0.0, 0.0, 100.0, 100.0]


def image(image_id: int, people: list[list[float]], detections: list[list[float]]) -> ImageResult:
    """What an image contributes to the AP: people (x0, y0, x1, y1) and predictions (x0, y0, x1, y1, confidence)."""
    nothing = np.zeros((len(people), 1), np.float32)
    return ImageResult(
        image_id, f"{image_id}.png", nothing, nothing.astype(np.int64), np.zeros(len(people), bool), nothing[:, 0],
        nothing, nothing, np.zeros(len(people), bool), np.array(people, np.float32).reshape(-1, 4),
        np.array(detections, np.float32).reshape(-1, 5),
    )  # fmt: skip


def shifted(pixels: float, confidence: float) -> list[float]:
    return [pixels, 0.0, 100.0 + pixels, 100.0, confidence]


def test_exact_boxes_have_all_of_it() -> None:
    values = box_average_precision([image(1, [BOX], [shifted(0, 0.9)]), image(2, [BOX], [shifted(0, 0.1)])])
    assert values == pytest.approx({"AP": 1.0, "AP50": 1.0, "AP75": 1.0})


def test_a_shift_fails_the_higher_thresholds() -> None:
    """IoU 90 / 110 = 0.82: right at 0.50 to 0.80, seven of ten thresholds."""
    values = box_average_precision([image(1, [BOX], [shifted(10, 0.9)])])
    assert values == pytest.approx({"AP": 0.7, "AP50": 1.0, "AP75": 1.0})


def test_confidence_ranks_over_all_images() -> None:
    """A wrong box above a right one halves the precision at every recall; below it, it changes nothing."""
    for wrong, expected in ((0.95, 0.5), (0.05, 1.0)):
        values = box_average_precision([image(1, [BOX], [shifted(0, 0.9)]), image(2, [], [shifted(0, wrong)])])
        assert values["AP50"] == pytest.approx(expected)


def test_a_second_box_on_the_same_person_is_wrong_and_a_missed_person_costs_recall() -> None:
    values = box_average_precision([image(1, [BOX, [200.0, 0, 300, 100]], [shifted(0, 0.9), shifted(1, 0.8)])])
    assert values["AP50"] == pytest.approx(51 / 101), "precision 1 up to recall 0.5, of COCO's 101 recalls"


def test_without_predictions_it_is_zero_and_without_people_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert box_average_precision([image(1, [BOX], [])]) == {"AP": 0.0, "AP50": 0.0, "AP75": 0.0}
    assert all(math.isnan(value) for value in box_average_precision([image(1, [], [shifted(0, 0.5)])]).values())
    assert capsys.readouterr().out == ""
