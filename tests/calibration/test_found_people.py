"""Who is collected: pairs of the strict protocol, with everybody else counted."""

import pytest
import torch

from dsct_detrex.calibration import FoundPeople
from dsct_detrex.evaluation import StrictProtocol
from dsct_detrex.structures import CAER_S, EMOTIC
from tests.evaluation.people import confident_logits, image_pair, row_of_boxes


def test_pairs_missed_people_and_predictions_without_a_partner() -> None:
    """Two people; a prediction on the first, none on the second, one where nobody is annotated, and a doubtful one."""
    logits = torch.cat([confident_logits(CAER_S, [3, 5]), torch.full((1, 8), -6.0)])
    predicted = torch.stack(
        [row_of_boxes(1)[0], torch.tensor([150.0, 10, 170, 60]), torch.tensor([150.0, 70, 170, 90])]
    )
    pair = image_pair(CAER_S, 0, row_of_boxes(2), [[3], [4]], logits, predicted)
    people = FoundPeople(CAER_S, StrictProtocol())
    people.process([pair[0]], [pair[1]])
    assert people.found.tolist() == [True, False]
    assert people.logits.shape == (1, 7)
    assert people.logits[0].argmax() == 3
    assert people.targets.argmax(axis=1).tolist() == [3, 4]
    assert (people.images, people.unmatched) == (1, 1)


def test_images_without_predictions_or_people() -> None:
    people = FoundPeople(EMOTIC, StrictProtocol())
    empty = image_pair(EMOTIC, 0, row_of_boxes(1), [[0, 1]], torch.zeros(0, 27), torch.zeros(0, 4))
    nobody = image_pair(EMOTIC, 1, torch.zeros(0, 4), [], torch.zeros(1, 27), row_of_boxes(1))  # a person at 0.5
    people.process([empty[0], nobody[0]], [empty[1], nobody[1]])
    assert people.found.tolist() == [False]
    assert people.logits.shape == (0, 26)
    assert (people.images, people.unmatched) == (2, 1)
    people.reset()
    assert (len(people.found), people.images, people.unmatched) == (0, 0, 0)


def test_a_diverged_model_is_refused() -> None:
    pair = image_pair(CAER_S, 0, row_of_boxes(1), [[3]], torch.full((1, 8), float("nan")), row_of_boxes(1))
    with pytest.raises(ValueError, match="finite logits"):
        FoundPeople(CAER_S, StrictProtocol()).process([pair[0]], [pair[1]])
