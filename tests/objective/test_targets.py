"""From annotated people to criterion targets."""

import pytest
import torch

from dsct_detrex.objective import Target, pad_targets, target_from_instances, targets_from_instances
from dsct_detrex.structures import CAER_S, EMOTIC, Boxes, Instances


def caer_people(*boxes: list[float]) -> Instances:
    people = Instances((50, 200), gt_boxes=Boxes(torch.tensor(boxes).reshape(-1, 4)))
    people.gt_classes = torch.arange(len(boxes))
    return people


def test_boxes_are_normalised_to_the_image_and_centred() -> None:
    target = target_from_instances(caer_people([20.0, 10.0, 60.0, 30.0]), CAER_S)
    torch.testing.assert_close(target.boxes, torch.tensor([[0.2, 0.4, 0.2, 0.4]]))
    assert target.emotions.tolist() == [0]


def test_every_image_of_a_batch_empty_ones_too() -> None:
    targets = targets_from_instances([caer_people(), caer_people([0.0, 0.0, 200.0, 50.0])], CAER_S)
    assert [len(t) for t in targets] == [0, 1]
    assert targets[0].boxes.shape == (0, 4)
    torch.testing.assert_close(targets[1].boxes, torch.tensor([[0.5, 0.5, 1.0, 1.0]]))


def test_the_other_kind_of_emotions_is_refused_by_name() -> None:
    message = (
        r"target_from_instances\(instances=\) expects the field 'gt_multilabels' \(emotic\). "
        r"Got fields: gt_boxes, gt_classes."
    )
    with pytest.raises(ValueError, match=message):
        target_from_instances(caer_people([0.0, 0.0, 1.0, 1.0]), EMOTIC)


def test_a_target_checks_its_shapes() -> None:
    with pytest.raises(ValueError, match=r"Target\(boxes=\) expects shape \(n, 4\). Got \(2, 5\)."):
        Target(torch.zeros(2, 5), torch.zeros(2))
    with pytest.raises(ValueError, match=r"Target\(emotions=\) expects one entry for each of 2 boxes. Got 3."):
        Target(torch.zeros(2, 4), torch.zeros(3))


def test_padding_keeps_the_people_and_their_order() -> None:
    one = Target(torch.rand(1, 4), torch.rand(1, 26))
    three = Target(torch.rand(3, 4), torch.rand(3, 26))
    boxes, emotions = pad_targets([one, three])
    assert boxes.shape == (2, 3, 4)
    assert emotions.shape == (2, 3, 26)
    torch.testing.assert_close(boxes[0, :1], one.boxes)
    torch.testing.assert_close(emotions[1], three.emotions)


def test_no_image_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"pad_targets\(targets=\) expects one Target for each image"):
        pad_targets([])
