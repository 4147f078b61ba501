"""The two named protocols: whom a prediction speaks for, and how a wrong name is answered."""

import pytest
import torch

from dsct_detrex.errors import UserError
from dsct_detrex.evaluation import get_protocol
from dsct_detrex.evaluation.protocols import DEFAULT_NMS_THRESHOLD, MISSED, PaperProtocol

BOXES = torch.tensor([[10, 10, 30, 30], [11, 11, 31, 31], [60, 60, 80, 80]]).float()
SCORES = torch.tensor([0.3, 0.9, 0.5])  # the second box suppresses the first
PERSON_ON_THE_FIRST = torch.tensor([[10, 10, 30, 30], [58, 60, 80, 80]]).float()


def test_official_takes_the_largest_overlap_of_all() -> None:
    assert get_protocol("official").match(BOXES, SCORES, PERSON_ON_THE_FIRST).tolist() == [0, 2]


def test_paper_takes_the_largest_overlap_after_suppression() -> None:
    assert get_protocol("paper").match(BOXES, SCORES, PERSON_ON_THE_FIRST).tolist() == [1, 2]
    assert get_protocol("paper", nms_threshold=0.95).match(BOXES, SCORES, PERSON_ON_THE_FIRST).tolist() == [0, 2]


@pytest.mark.parametrize("name", ["paper", "official"])
def test_no_least_overlap_and_ties_go_to_the_lowest_index(name: str) -> None:
    nowhere = torch.tensor([[200, 200, 220, 220]]).float()
    boxes = torch.tensor([[60, 60, 80, 80], [10, 10, 30, 30]]).float()
    assert get_protocol(name).match(boxes, torch.tensor([0.1, 0.9]), nowhere).tolist() == [0]


@pytest.mark.parametrize("name", ["paper", "official", "strict"])
def test_without_predictions_everyone_is_missed(name: str) -> None:
    query = get_protocol(name).match(torch.zeros(0, 4), torch.zeros(0), PERSON_ON_THE_FIRST)
    assert query.tolist() == [MISSED, MISSED]


@pytest.mark.parametrize("name", ["paper", "official", "strict"])
def test_an_image_without_people_matches_nobody(name: str) -> None:
    assert get_protocol(name).match(BOXES, SCORES, torch.zeros(0, 4)).tolist() == []


def _shifted(*pixels: float) -> torch.Tensor:
    """(n, 4) boxes of 100 x 100 pixels, each so many pixels to the right."""
    return torch.tensor([[shift, 0.0, shift + 100.0, 100.0] for shift in pixels])


@pytest.mark.parametrize(
    ("people", "boxes", "chosen"),
    [
        # IoU of a box shifted by s of its 100 pixels: (100 - s) / (100 + s); 1/2 at a third.
        ([0], [33], [0]),
        ([0], [34], [MISSED]),
        ([0, 200], [0], [0, MISSED]),
        ([0, 10], [10], [MISSED, 0]),  # the closest person has it, whoever comes first
        ([10, 0], [10], [0, MISSED]),
        ([0, 40], [25, 500], [MISSED, 0]),  # both overlap enough: 0.6 and 0.74
        ([0, 0], [0], [0, MISSED]),  # equal people: the first
        ([0], [300, 600, 5], [2]),
        ([0, 200, 400], [410, 195, 900], [MISSED, 1, 0]),
    ],
)
def test_strict_gives_one_person_one_prediction_that_overlaps(
    people: list[float], boxes: list[float], chosen: list[int]
) -> None:
    scores = torch.linspace(0.1, 0.9, len(boxes))
    assert get_protocol("strict").match(_shifted(*boxes), scores, _shifted(*people)).tolist() == chosen


def test_strict_chooses_after_suppression() -> None:
    """Two boxes on one person: the one of lower mean probability is gone, however well it fits."""
    boxes, person = _shifted(0, 10), _shifted(0)
    assert get_protocol("strict").match(boxes, torch.tensor([0.2, 0.9]), person).tolist() == [1]
    assert get_protocol("strict", 0.9).match(boxes, torch.tensor([0.2, 0.9]), person).tolist() == [0]


def test_strict_does_not_count_boxes_without_area() -> None:
    point = torch.tensor([[5.0, 5, 5, 5]])
    assert get_protocol("strict").match(point, torch.ones(1), point).tolist() == [MISSED]


def test_the_sentence_names_the_protocol_and_its_threshold() -> None:
    assert get_protocol("paper", 0.3).sentence.startswith("paper protocol: NMS (IoU > 0.3)")
    assert get_protocol("official").sentence.startswith("official protocol: no NMS")


def test_default_threshold() -> None:
    protocol = get_protocol("paper")
    assert isinstance(protocol, PaperProtocol)
    assert protocol.nms_threshold == DEFAULT_NMS_THRESHOLD == 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("coco",), "get_protocol(name=) expects one of paper, official, strict. Got 'coco'."),
        (("paper", 1.5), "PaperProtocol(nms_threshold=) expects a number in [0, 1]. Got 1.5."),
        (("strict", -1.0), "StrictProtocol(nms_threshold=) expects a number in [0, 1]. Got -1.0."),
        (
            ("official", 0.5),
            "get_protocol('official', nms_threshold=) expects None, because this protocol has no NMS. Got 0.5. "
            "Use protocol 'paper' or 'strict', or drop the threshold.",
        ),
    ],
)
def test_wrong_requests_are_the_users_and_say_so(arguments: tuple[str, float], message: str) -> None:
    with pytest.raises(UserError) as error:
        get_protocol(*arguments)
    assert str(error.value) == message
