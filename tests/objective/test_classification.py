"""Focal cost and loss, worked by hand."""

import math

import pytest
import torch

from dsct_detrex.objective import MultiClassFocal, MultiLabelFocal

LN2 = math.log(2)
PRESENT, ABSENT = 0.25 * 0.25 * LN2, 0.75 * 0.25 * LN2  # focal terms of a logit 0
NOBODY = tuple(torch.zeros(0, dtype=torch.int64) for _ in range(3))
FIRST = tuple(torch.zeros(1, dtype=torch.int64) for _ in range(3))


def test_multi_label_loss_of_undecided_logits() -> None:
    logits = torch.zeros(1, 1, 2, 4)  # two queries, three categories and "subject"
    loss = MultiLabelFocal().loss(logits, FIRST, torch.tensor([[1.0, 0.0, 1.0]]))
    # the matched query: two categories and "subject" present, one absent; the other query: four absent
    assert loss.tolist() == pytest.approx([3 * PRESENT + 5 * ABSENT])


def test_multi_class_loss_of_undecided_logits() -> None:
    logits = torch.zeros(1, 1, 2, 4)  # two queries, three categories and an unused logit
    loss = MultiClassFocal().loss(logits, FIRST, torch.tensor([2]))
    assert loss.tolist() == pytest.approx([PRESENT + 5 * ABSENT])


def test_costs_count_the_categories_a_person_has() -> None:
    logits = torch.tensor([[0.0, 9.0, 9.0, -3.0]])
    difference = PRESENT - ABSENT
    labels = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert MultiLabelFocal().cost(logits, labels).tolist()[0] == pytest.approx([difference / 3, 0.0], abs=1e-7)
    assert MultiClassFocal().cost(logits, torch.tensor([0])).tolist()[0] == pytest.approx([difference], abs=1e-7)


def test_a_confident_right_answer_is_the_cheapest() -> None:
    logits = torch.tensor([[4.0, -4.0, -4.0, 0.0], [-4.0, 4.0, -4.0, 0.0]])
    cost = MultiClassFocal().cost(logits, torch.tensor([0, 1]))
    assert (cost.argmin(0) == torch.tensor([0, 1])).all()


@pytest.mark.parametrize("kind", [MultiLabelFocal, MultiClassFocal])
def test_saturated_logits_stay_finite(kind: type[MultiLabelFocal] | type[MultiClassFocal]) -> None:
    logits = torch.tensor([[[[1e4, -1e4, 0.0, 1e4]]]], requires_grad=True)
    targets = torch.tensor([[0.0, 1.0, 1.0]]) if kind is MultiLabelFocal else torch.tensor([1])
    focal = kind()
    assert focal.cost(logits, targets).isfinite().all()
    loss = focal.loss(logits, FIRST, targets)
    loss.sum().backward()
    assert loss.isfinite().all()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_nobody_matched_means_everything_is_denied() -> None:
    loss = MultiLabelFocal().loss(torch.zeros(2, 1, 3, 4), NOBODY, torch.zeros(0, 3))
    assert loss.tolist() == pytest.approx([12 * ABSENT, 12 * ABSENT])


def test_targets_of_the_other_kind_are_refused() -> None:
    logits = torch.zeros(1, 4)
    with pytest.raises(ValueError, match=r"MultiLabelFocal\(targets=\) expects \(n, 3\) 0/1 categories"):
        MultiLabelFocal().cost(logits, torch.tensor([2]))
    with pytest.raises(ValueError, match=r"MultiClassFocal\(targets=\) expects int64 class indices"):
        MultiClassFocal().cost(logits, torch.zeros(1, 3))


def test_arguments_outside_their_range() -> None:
    with pytest.raises(ValueError, match=r"MultiLabelFocal\(alpha=\) expects a number in \(0, 1\). Got 1.0."):
        MultiLabelFocal(alpha=1.0)
    with pytest.raises(ValueError, match=r"MultiClassFocal\(gamma=\) expects a number that is not negative. Got -1.0."):
        MultiClassFocal(gamma=-1.0)
