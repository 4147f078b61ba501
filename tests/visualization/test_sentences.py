"""Sentences that compare numbers are true: ties, negative differences, one, none, equal to the last digit shown."""

import math
from typing import Any

import pytest

from dsct_detrex.visualization.sentences import (
    best_and_worst,
    compared,
    joined,
    most_frequent_mistake,
    ranking,
    signed,
)

NAN = math.nan


@pytest.mark.parametrize(
    ("value", "other", "said"),
    [
        (0.713, 0.690, "2.3 points more than DSCT"),
        (0.690, 0.713, "2.3 points less than DSCT"),
        (0.5, 0.5, "as much as DSCT"),
        (0.50004, 0.49996, "as much as DSCT"),  # 50.0 % both
        (0.50052, 0.50048, "0.1 points more than DSCT"),  # 50.1 and 50.0 % stand there
        (0.61, 0.6, "1.0 point more than DSCT"),
        (1.0, 0.0, "100.0 points more than DSCT"),
        (0.0, 0.0, "as much as DSCT"),
        (NAN, 0.5, ""),
        (0.5, None, ""),
    ],
)
def test_compared(value: float | None, other: float | None, said: str) -> None:
    assert compared(value, other, "DSCT") == said


@pytest.mark.parametrize(
    ("number", "digits", "text"),
    [
        (0.41, 2, "+0.41"),
        (-3.0, 2, "-3.00"),
        (0.0, 2, "±0.00"),
        (-0.0, 2, "±0.00"),
        (-0.004, 2, "±0.00"),
        (0.004, 2, "±0.00"),
        (0.4, 0, "±0"),
        (-100.0, 0, "-100"),
    ],
)
def test_signed(number: float, digits: int, text: str) -> None:
    assert signed(number, digits) == text


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ("", ""),
        ("a", "a"),
        ("ab", "a and b"),
        ("abc", "a, b and c"),
        ("abcd", "a, b, c and d"),
        ("abcde", "a, b, c and 2 more"),
    ],
)
def test_joined(names: str, text: str) -> None:
    assert joined(names) == text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "Nobody shows any of the emotions."),
        ({"Joy": None, "Fear": NAN}, "Nobody shows any of the emotions."),
        ({"Joy": 0.5, "Fear": None}, "Only Joy occurs: 50.0 %."),
        ({"Joy": 0.5, "Fear": 0.25}, "Best: Joy (50.0 %); worst: Fear (25.0 %)."),
        ({"Joy": 0.5, "Fear": 0.25, "Calm": 0.5}, "Best: Joy and Calm (50.0 % each); worst: Fear (25.0 %)."),
        ({"Joy": 0.5, "Fear": 0.0, "Calm": 0.0}, "Best: Joy (50.0 %); worst: Fear and Calm (0.0 % each)."),
        ({"Joy": 0.5, "Fear": 0.5}, "All 2 emotions that occur reach 50.0 %."),
        ({"Joy": 0.50004, "Fear": 0.49996, "Calm": None}, "All 2 emotions that occur reach 50.0 %."),
    ],
)
def test_best_and_worst(values: dict[str, float | None], said: str) -> None:
    assert best_and_worst(values, "emotions") == said


def rows(**values: float) -> list[tuple[str, float, str]]:
    return [(name, value, f"{100 * value:.1f} ± 0.4 %") for name, value in values.items()]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, ""),
        ({"a": NAN}, ""),
        ({"a": 0.5}, "a: 50.0 ± 0.4 % accuracy on drawn data."),
        ({"a": 0.5, "b": NAN}, "a: 50.0 ± 0.4 % accuracy on drawn data."),
        ({"a": 0.5, "b": 0.4}, "Best of 2: a with 50.0 ± 0.4 % accuracy on drawn data. Last: b with 40.0 ± 0.4 %."),
        (
            {"a": 0.5, "b": 0.5, "c": 0.4},
            "Best of 3: a and b with 50.0 % accuracy each on drawn data. Last: c with 40.0 ± 0.4 %.",
        ),
        (
            {"a": 0.4, "b": 0.5, "c": 0.40001},
            "Best of 3: b with 50.0 ± 0.4 % accuracy on drawn data. Last: a and c with 40.0 % each.",
        ),
        ({"a": 0.5, "b": 0.50001}, "All 2 reach 50.0 % accuracy on drawn data."),
    ],
)
def test_ranking(given: dict[str, float], said: str) -> None:
    assert ranking(rows(**given), "accuracy", "drawn data") == said


def report(matrix: list[list[int]], missed: list[int]) -> dict[str, Any]:
    return {"emotions": {"labels": ["Joy", "Fear", "Calm"]}, "confusion": {"matrix": matrix, "missed": missed}}


@pytest.mark.parametrize(
    ("matrix", "missed", "said"),
    [
        ([[0] * 3] * 3, [0] * 3, ""),
        ([[4, 0, 0], [0, 2, 0], [0, 0, 0]], [0] * 3, "No mistake."),
        ([[4, 0, 0], [0, 2, 0], [0, 0, 0]], [1, 0, 2], "Nobody who is found is misread; 3 people are missed."),
        ([[4, 0, 0], [0, 2, 0], [0, 0, 0]], [1, 0, 0], "Nobody who is found is misread; 1 person is missed."),
        ([[4, 5, 0], [1, 2, 0], [0, 0, 0]], [0] * 3, "Most frequent mistake: Joy read as Fear, 5 times."),
        ([[4, 2, 0], [1, 2, 0], [0, 0, 0]], [0] * 3, "Most frequent mistake: Joy read as Fear, twice."),
        (
            [[4, 1, 0], [1, 2, 0], [0, 0, 0]],
            [0] * 3,
            "Most frequent mistakes: Joy read as Fear and Fear read as Joy, once each.",
        ),
    ],
)
def test_most_frequent_mistake(matrix: list[list[int]], missed: list[int], said: str) -> None:
    assert most_frequent_mistake(report(matrix, missed)) == said
