"""The loss on proposals, by hand and at its edges."""

import math

import pytest
import torch

from dsct_detrex.objective import ProposalLoss, Proposals, Target
from dsct_detrex.objective.proposals import AmongCandidates

BOX = [0.5, 0.5, 0.2, 0.4]


def target(*boxes: list[float]) -> Target:
    return Target(torch.tensor(boxes).reshape(-1, 4), torch.zeros(len(boxes), 26))


def proposals(scores: list[float], boxes: list[list[float]], candidates: list[bool] | None = None) -> Proposals:
    """One image."""
    return Proposals(
        torch.tensor([scores], requires_grad=True),
        torch.tensor([boxes], requires_grad=True),
        torch.tensor([candidates or [True] * len(scores)]),
    )


def focal(logit: float, goal: int) -> float:
    p = 1 / (1 + math.exp(-logit))
    return 0.25 * (1 - p) ** 2 * -math.log(p) if goal else 0.75 * p**2 * -math.log(1 - p)


def test_a_worked_example() -> None:
    """Token 1 fits the person exactly, token 0 is off by 0.1 in x; token 2 is far and silent."""
    given = proposals([0.0, 1.0, -2.0], [[0.6, 0.5, 0.2, 0.4], BOX, [0.1, 0.1, 0.1, 0.1]])
    losses = ProposalLoss(weight=0.5)(given, [target(BOX)])
    expected = focal(0.0, 0) + focal(1.0, 1) + focal(-2.0, 0)
    assert losses["loss_class_enc"].item() == pytest.approx(0.5 * 2 * expected, rel=1e-5)
    assert losses["loss_bbox_enc"].item() == pytest.approx(0, abs=1e-6)
    assert losses["loss_giou_enc"].item() == pytest.approx(0, abs=1e-6)
    off = ProposalLoss()(proposals([0.0], [[0.6, 0.5, 0.2, 0.4]]), [target(BOX)])
    assert off["loss_bbox_enc"].item() == pytest.approx(5 * 0.1, rel=1e-5)
    # overlap 0.1 of width 0.3 in the union, which is the hull: IoU 1/3
    assert off["loss_giou_enc"].item() == pytest.approx(2 * (1 - 1 / 3), rel=1e-5)


def test_the_sum_is_divided_by_the_people_of_the_batch() -> None:
    one = ProposalLoss()(proposals([0.0, 0.0], [BOX, [0.2, 0.2, 0.1, 0.1]]), [target(BOX)])
    two = ProposalLoss()(proposals([0.0, 0.0], [BOX, [0.2, 0.2, 0.1, 0.1]]), [target(BOX, [0.2, 0.2, 0.1, 0.1])])
    assert one["loss_class_enc"].item() == pytest.approx(2 * (focal(0, 0) + focal(0, 1)), rel=1e-5)
    assert two["loss_class_enc"].item() == pytest.approx(2 * focal(0, 1), rel=1e-5)


def test_what_is_no_candidate_is_neither_matched_nor_judged() -> None:
    given = proposals([9.0, -3.0], [BOX, [0.1, 0.1, 0.1, 0.1]], [False, True])
    losses = ProposalLoss()(given, [target(BOX)])
    assert losses["loss_class_enc"].item() == pytest.approx(2 * focal(-3.0, 1), rel=1e-5)
    assert losses["loss_bbox_enc"].item() == pytest.approx(5 * (0.4 + 0.4 + 0.1 + 0.3), rel=1e-5)
    sum(losses.values()).backward()
    assert given.scores.grad is not None
    assert given.boxes.grad is not None
    assert given.scores.grad[0, 0] == 0
    assert not given.boxes.grad[0, 0].any()
    assert given.scores.grad[0, 1] != 0


def test_more_people_than_candidates_leave_people_out() -> None:
    given = proposals([0.0, 0.0, 0.0], [BOX, BOX, BOX], [False, True, False])
    losses = ProposalLoss()(given, [target(BOX, [0.2, 0.2, 0.1, 0.1])])
    assert losses["loss_bbox_enc"].item() == pytest.approx(0, abs=1e-6)
    assert losses["loss_class_enc"].item() == pytest.approx(2 * focal(0, 1) / 2, rel=1e-5)


def test_the_filter_keeps_the_pairs_of_candidates() -> None:
    rule = AmongCandidates(ProposalLoss().matcher, torch.tensor([[True, False, True]]))
    logits, boxes = torch.zeros(1, 1, 3, 2), torch.tensor([[[BOX, BOX, [0.2, 0.2, 0.1, 0.1]]]])
    people = Target(torch.tensor([BOX, [0.2, 0.2, 0.1, 0.1]]), torch.zeros(2, dtype=torch.long))
    boxes[0, 0, 1] = 10.0
    assert rule(logits, boxes, [people]).pairs.tolist() == [[0, 0], [0, 0], [0, 2], [0, 1]]


def test_no_people_train_silence_only() -> None:
    given = proposals([2.0], [BOX])
    losses = ProposalLoss()(given, [target()])
    assert losses["loss_class_enc"].item() == pytest.approx(2 * focal(2.0, 0), rel=1e-5)
    assert losses["loss_bbox_enc"] == losses["loss_giou_enc"] == 0


def test_numbers_that_are_not_finite_are_told() -> None:
    with pytest.raises(FloatingPointError):
        ProposalLoss()(proposals([math.nan], [BOX]), [target(BOX)])


def test_bad_factors_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"ProposalLoss\(weight=\) expects a positive number. Got 0; model.proposal_loss=null"
    ):
        ProposalLoss(weight=0)
    with pytest.raises(ValueError, match="expects a weight that is not negative"):
        ProposalLoss(weight_giou=-1)
