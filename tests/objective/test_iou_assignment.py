"""Assignment by overlap against a slow account of the same rule, by hand, and at its edges."""

import pytest
import torch
from torch import Tensor

from dsct_detrex.layers.boxes import box_cxcywh_to_xyxy, elementwise_box_iou, elementwise_generalized_box_iou
from dsct_detrex.objective import Assignment, DSCTCriterion, IoUAssigner, MultiClassFocal, Target


def people(boxes: Tensor) -> Target:
    return Target(boxes, torch.arange(len(boxes)) % 7)


def assign(assigner: IoUAssigner, boxes: Tensor, targets: list[Target]) -> Assignment:
    return assigner(torch.zeros(*boxes.shape[:-1], 8), boxes, targets)


def closeness(a: Tensor, b: Tensor) -> float:
    a, b = box_cxcywh_to_xyxy(a), box_cxcywh_to_xyxy(b)
    iou = elementwise_box_iou(a, b, eps=0)[0].item()
    return iou if iou > 0 else elementwise_generalized_box_iou(a, b, eps=0).item()


def slow(boxes: Tensor, persons: Tensor, threshold: float, most: int) -> set[tuple[int, int]]:
    """One layer of one image, pair by pair."""
    table = {(q, p): closeness(boxes[q], persons[p]) for q in range(len(boxes)) for p in range(len(persons))}
    answers: dict[int, list[int]] = {p: [] for p in range(len(persons))}
    left = dict(table)
    while left:
        query, person = max(left, key=lambda pair: (left[pair], -pair[0], -pair[1]))
        answers[person].append(query)
        left = {(q, p): value for (q, p), value in left.items() if q != query and p != person}
    taken = {query for mine in answers.values() for query in mine}
    further: dict[int, list[int]] = {p: [] for p in range(len(persons))}
    for query in set(range(len(boxes))) - taken:
        person = max(range(len(persons)), key=lambda p: (table[query, p], -p), default=None)
        if person is not None and table[query, person] >= threshold:
            further[person].append(query)
    for person, queries in further.items():
        queries.sort(key=lambda q: (-table[q, person], q))
        answers[person] += queries[: most - len(answers[person])]
    return {(query, person) for person, mine in answers.items() for query in mine}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("threshold", "most"), [(0.3, 2), (0.2, 4), (0.6, 1)])
def test_equals_the_slow_account(seed: int, threshold: float, most: int) -> None:
    torch.manual_seed(seed)
    counts = (4, 0, 1, 9)
    boxes = torch.rand(2, len(counts), 7, 4) * 0.4 + 0.3  # seven queries, at most nine people
    targets = [people(torch.rand(n, 4) * 0.4 + 0.3) for n in counts]
    found = assign(IoUAssigner(threshold, most), boxes, targets)
    for layer in range(2):
        for image, target in enumerate(targets):
            query, person = found.of(layer, image)
            pairs = list(zip(query.tolist(), person.tolist()))
            assert len(pairs) == len(set(query.tolist()))
            assert set(pairs) == slow(boxes[layer, image], target.boxes, threshold, most)


def test_by_hand() -> None:
    persons = torch.tensor([[0.2, 0.5, 0.2, 0.4], [0.8, 0.5, 0.2, 0.4]])
    near = persons[0] + torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.01, 0.0, 0.0, 0.0], [0.02, 0.0, 0.0, 0.0]])
    boxes = torch.cat([near, torch.tensor([[0.6, 0.5, 0.1, 0.1], [0.5, 0.1, 0.1, 0.1]])])[None, None]
    two = assign(IoUAssigner(0.6, max_queries_per_person=2), boxes, [people(persons)])
    assert two.pairs.T.tolist() == [[0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 3, 1]]  # nobody covers the second: nearest
    one = assign(IoUAssigner(0.6, max_queries_per_person=1), boxes, [people(persons)])
    assert one.pairs.T.tolist() == [[0, 0, 0, 0], [0, 0, 3, 1]]


def test_two_people_never_share_the_query_that_is_best_for_both() -> None:
    persons = torch.tensor([[0.5, 0.5, 0.4, 0.4], [0.5, 0.5, 0.3, 0.3]])
    boxes = torch.tensor([[0.5, 0.5, 0.31, 0.31], [0.1, 0.1, 0.1, 0.1]])[None, None]
    found = assign(IoUAssigner(0.9), boxes, [people(persons)])
    assert found.pairs[2:].T.tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("counts", [(0, 0), (5, 0)])
def test_without_people_or_with_more_than_queries(counts: tuple[int, int]) -> None:
    targets = [people(torch.rand(n, 4) * 0.3 + 0.3) for n in counts]
    boxes = (torch.rand(2, 2, 3, 4) * 0.3 + 0.3).requires_grad_()
    logits = torch.randn(2, 2, 3, 8, requires_grad=True)
    focal = MultiClassFocal()
    losses = DSCTCriterion(IoUAssigner(), focal)({"pred_logits": logits, "pred_boxes": boxes}, targets)
    torch.stack(list(losses.values())).sum().backward()
    assert boxes.grad is not None
    assert logits.grad is not None
    assert boxes.grad.isfinite().all()
    assert assign(IoUAssigner(), boxes, targets).pairs.shape[1] == 2 * min(counts[0], 3)
    assert assign(IoUAssigner(), boxes[:, :, :0], targets).pairs.shape == (4, 0)


def test_boxes_that_are_not_finite_are_named() -> None:
    boxes = torch.rand(2, 2, 3, 4)
    boxes[1, 0, 2] = torch.nan
    with pytest.raises(FloatingPointError, match=r"IoUAssigner got overlaps that are not finite \(layer 1, image 0"):
        assign(IoUAssigner(), boxes, [people(torch.rand(2, 4)), people(torch.rand(1, 4))])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 4), r"IoUAssigner\(threshold=\) expects a number in \(0, 1\]. Got 0.0."),
        ((0.6, 0), r"IoUAssigner\(max_queries_per_person=\) expects an int >= 1. Got 0."),
    ],
)
def test_wrong_arguments(arguments: tuple[float, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        IoUAssigner(*arguments)
