"""The picture draws what the JSON says: the same people, in the same order, with the same emotions and numbers."""

from typing import Any

import pytest
from PIL import Image

from dsct_detrex.structures import CAER_S, EMOTIC, Emotions
from dsct_detrex.visualization import draw
from tests.prediction.finds import finder

Chip = tuple[list[str], int]


@pytest.fixture
def chips(monkeypatch: pytest.MonkeyPatch) -> list[Chip]:
    """The lines of every chip that is drawn, in order, and how many emotions it says have none."""
    drawn: list[Chip] = []
    bars, label = draw.bars_chip, draw.label_chip

    def bars_chip(rows: list[tuple[str, float]], color: str, font: Any, more: int = 0) -> Image.Image:
        drawn.append(([f"{name} {100 * value:.0f} %" for name, value in rows], more))
        return bars(rows, color, font, more)

    def label_chip(text: str, color: str, font: Any) -> Image.Image:
        drawn.append(([text], 0))
        return label(text, color, font)

    monkeypatch.setattr(draw, "bars_chip", bars_chip)
    monkeypatch.setattr(draw, "label_chip", label_chip)
    return drawn


@pytest.mark.parametrize("emotions", [CAER_S, EMOTIC])
@pytest.mark.parametrize("people", [0, 1, 2, 5, 9])
@pytest.mark.parametrize("max_emotions", [1, 3, 26])
@pytest.mark.parametrize("emotion_threshold", [0.05, 0.5, 0.99])
def test_every_person_of_the_row_is_drawn_with_its_emotions(
    emotions: Emotions, people: int, max_emotions: int, emotion_threshold: float, chips: list[Chip]
) -> None:
    result = finder(emotions, people, emotion_threshold)(Image.new("RGB", (80, 60)))
    result.plot(max_emotions)
    row = result.to_dict()["people"]
    assert len(chips) == len(row) == len(result) == people
    for (lines, more), person in zip(chips, row, strict=True):
        said = [f"{name} {100 * person['probabilities'][name]:.0f} %" for name in person["emotions"]]
        assert said[: len(lines)] == lines
        assert 1 <= len(lines) <= max_emotions
        assert len(lines) + more == len(said)


def test_few_people_get_all_the_lines_asked_for(chips: list[Chip]) -> None:
    finder(EMOTIC, 2, 0.0)(Image.new("RGB", (80, 60))).plot(3)
    assert [(len(lines), more) for lines, more in chips] == [(3, 23), (3, 23)]
