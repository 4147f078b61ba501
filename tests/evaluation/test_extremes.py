"""Best and worst pictures: by hand, in order, never at both ends."""

import math
from typing import Any

import numpy as np
import pytest

from dsct_detrex.evaluation.extremes import best_and_worst, lead
from dsct_detrex.evaluation.results import ImageResult
from dsct_detrex.structures import MultiLabelEmotions

EMOTIONS = MultiLabelEmotions("three", ("a", "b", "c"))


def image(number: int, scores: list[list[float]], targets: list[list[int]], iou: float = 1.0) -> ImageResult:
    people = len(scores)
    rows = np.array(scores, np.float32).reshape(people, 3)
    return ImageResult(
        image_id=number,
        file_name=f"{number}.png",
        scores=rows,
        targets=np.array(targets, np.int64).reshape(people, 3),
        found=np.full(people, iou > 0),
        iou=np.full(people, iou, np.float32),
        boxes=np.full((people, 4), math.nan if iou == 0 else 1.0, np.float32),
        strict_scores=rows,
        strict_found=np.full(people, iou > 0),
        people=np.ones((people, 4), np.float32),
        detections=np.zeros((0, 5), np.float32),
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (image(1, [[0.9, 0.1, 0.3]], [[1, 0, 0]]), 0.7),
        (image(1, [[0.9, 0.1, 0.3]], [[1, 0, 1]]), 0.5),
        (image(1, [[0.9, 0.1, 0.3]], [[0, 1, 0]]), -0.5),
        (image(1, [[0.9, 0.1, 0.3], [0.0, 0.0, 0.0]], [[1, 0, 0], [0, 0, 1]]), 0.35),
        (image(1, [[0.9, 0.1, 0.3]], [[1, 0, 0]], iou=0.49), -1.0),
        (image(1, [[0.0, 0.0, 0.0]], [[1, 0, 0]], iou=0.0), -1.0),
        (image(1, [[0.9, 0.1, 0.3]], [[1, 1, 1]]), 13 / 30),
        (image(1, [[0.9, 0.1, 0.2]], [[0, 0, 0]]), -0.4),
        (image(1, [], []), math.nan),
    ],
)
def test_lead(given: ImageResult, expected: float) -> None:
    assert lead(given) == pytest.approx(expected, nan_ok=True)


def ids(pictures: list[dict[str, Any]]) -> list[int]:
    return [picture["image_id"] for picture in pictures]


def test_the_ends_are_ordered_and_of_equals_the_first_come_first() -> None:
    leads = [0.5, 0.9, 0.1, 0.9, 0.1, 0.3]
    images = [image(number, [[value, 0.0, 0.0]], [[1, 0, 0]]) for number, value in enumerate(leads)]
    images.append(image(9, [], []))
    found = best_and_worst(images, EMOTIONS, 2)
    assert ids(found["best"]) == [1, 3]
    assert ids(found["worst"]) == [2, 4]
    assert found["best"][0]["lead"] == pytest.approx(0.9)


@pytest.mark.parametrize(("pictures", "best", "worst"), [(0, 0, 0), (1, 1, 0), (2, 1, 1), (3, 2, 1), (9, 4, 4)])
def test_no_picture_is_at_both_ends(pictures: int, best: int, worst: int) -> None:
    images = [image(number, [[0.5, 0.0, 0.0]], [[1, 0, 0]]) for number in range(pictures)]
    found = best_and_worst(images, EMOTIONS, 4)
    assert (len(found["best"]), len(found["worst"])) == (best, worst)
    assert not set(ids(found["best"])) & set(ids(found["worst"]))


def test_a_picture_tells_what_is_drawn_of_it() -> None:
    (picture,) = best_and_worst([image(7, [[0.2, 0.9, 0.4]], [[1, 0, 1]])], EMOTIONS, 1)["best"]
    (person,) = picture["people"]
    assert picture["file_name"] == "7.png"
    assert person["truth"] == ["a", "c"]
    assert [one["label"] for one in person["predicted"]] == ["b", "c", "a"]
    assert person["predicted_box"] == person["annotated_box"] == [1.0] * 4
    (missed,) = best_and_worst([image(7, [[0.0, 0.0, 0.0]], [[1, 0, 0]], iou=0.0)], EMOTIONS, 1)["best"]
    assert missed["people"][0]["predicted_box"] is None
    assert missed["people"][0]["predicted"] == []
