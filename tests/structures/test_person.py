"""What is said about a predicted person."""

import pytest
import torch

from dsct_detrex.structures import CAER_S, EMOTIC, Boxes, Emotions, Instances, described
from dsct_detrex.structures.person import shown_emotions


@pytest.mark.parametrize(
    ("probabilities", "thresholds", "shown"),
    [
        ([0.2] * 24 + [0.6, 0.9], [0.5] * 26, [25, 24]),
        ([0.2] * 24 + [0.6, 0.9], [0.5] * 24 + [0.7, 0.5], [25]),
        ([0.1] * 25 + [0.4], [0.5] * 26, [25]),
        ([0.5] * 2 + [0.1] * 24, [0.5] * 26, [0, 1]),
        ([0.3] * 26, [0.0] * 26, list(range(26))),
        ([0.3] * 26, [1.0] * 26, [0]),
    ],
    ids=["two over", "own thresholds", "none over: the best", "at the threshold", "all, equal ones in order", "none"],
)
def test_several_emotions_are_shown_from_their_thresholds_on(
    probabilities: list[float], thresholds: list[float], shown: list[int]
) -> None:
    assert shown_emotions(torch.tensor(probabilities), EMOTIC, thresholds) == shown


@pytest.mark.parametrize("threshold", [0.0, 0.5, 1.0])
def test_one_emotion_is_the_most_probable_whatever_the_threshold(threshold: float) -> None:
    assert shown_emotions(torch.tensor([0.1, 0.1, 0.5, 0.1, 0.1, 0.05, 0.05]), CAER_S, [threshold] * 7) == [2]


@pytest.mark.parametrize("emotions", [CAER_S, EMOTIC])
def test_numbers_are_rounded_once_and_names_are_in_order(emotions: Emotions) -> None:
    probabilities = torch.full((1, emotions.num_emotions), 0.012344)
    probabilities[0, 3] = 0.123456
    people = Instances(
        (9, 9),
        pred_boxes=Boxes(torch.tensor([[0.126, 1, 2.004, 3]])),
        scores=torch.tensor([0.98766]),
        emotion_probs=probabilities,
    )
    (person,) = described(people, emotions, [0.1] * emotions.num_emotions)
    assert person.box == (0.13, 1.0, 2.0, 3.0)
    assert person.score == 0.9877
    assert person.emotions == (emotions.names[3],)
    assert tuple(person.probabilities) == emotions.names
    assert set(person.probabilities.values()) == {0.0123, 0.1235}
    assert set(person.to_dict()) == {"box", "score", "emotions", "probabilities"}
