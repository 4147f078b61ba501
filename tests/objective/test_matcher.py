"""Hungarian matching: the cheapest assignment, its edge cases, and one copy to the CPU."""

from itertools import permutations

import pytest
import torch
from torch import Tensor

from dsct_detrex.objective import HungarianMatcher, MultiClassFocal, Target

NUM_LOGITS = 8


def people(*centres: float) -> Target:
    boxes = torch.tensor([[x, 0.5, 0.1, 0.2] for x in centres]).reshape(-1, 4)
    return Target(boxes, torch.arange(len(centres)) % 7)


def predictions(layers: int, images: int, queries: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(layers, images, queries, NUM_LOGITS, generator=generator)
    boxes = torch.rand(layers, images, queries, 4, generator=generator) * 0.4 + 0.2
    return logits, boxes


def test_nobody_anywhere_gives_no_pair() -> None:
    assignment = HungarianMatcher(MultiClassFocal())(*predictions(2, 2, 3), [people(), people()])
    assert assignment.pairs.shape == (4, 0)
    assert assignment.pairs.dtype == torch.int64


def test_boxes_alone_find_their_owners() -> None:
    logits, boxes = predictions(1, 1, 3)
    boxes[0, 0] = people(0.8, 0.2, 0.5).boxes
    matcher = HungarianMatcher(MultiClassFocal(), cost_class=0.0)
    query, person = matcher(logits, boxes, [people(0.2, 0.8)]).of(0, 0)
    assert query.tolist() == [0, 1]
    assert person.tolist() == [1, 0]


def test_classes_alone_find_their_owners() -> None:
    logits, boxes = predictions(1, 1, 2)
    logits[0, 0] = -6.0
    logits[0, 0, 0, 1] = logits[0, 0, 1, 0] = 6.0
    matcher = HungarianMatcher(MultiClassFocal(), cost_bbox=0.0, cost_giou=0.0)
    _, person = matcher(logits, boxes, [people(0.3, 0.6)]).of(0, 0)
    assert person.tolist() == [1, 0]


def test_the_sum_of_costs_is_the_smallest_possible() -> None:
    logits, boxes = predictions(2, 2, 5)
    targets = [people(0.2, 0.4, 0.7), people(0.5)]
    matcher = HungarianMatcher(MultiClassFocal())
    cost, assignment = matcher.cost(logits, boxes, targets), matcher(logits, boxes, targets)
    for layer in range(2):
        for image, target in enumerate(targets):
            block = cost[layer, image]
            best = min(sum(block[q, p].item() for p, q in enumerate(qs)) for qs in permutations(range(5), len(target)))
            query, person = assignment.of(layer, image)
            assert block[query, person].sum().item() == pytest.approx(best, abs=1e-5)
            assert person.sort().values.tolist() == list(range(len(target)))


def test_more_people_than_queries_leaves_the_dearest_out() -> None:
    logits, boxes = predictions(1, 1, 2)
    boxes[0, 0] = people(0.2, 0.6).boxes
    query, person = HungarianMatcher(MultiClassFocal(), cost_class=0.0)(logits, boxes, [people(0.9, 0.6, 0.2)]).of(0, 0)
    assert query.tolist() == [0, 1]
    assert person.tolist() == [2, 1]


def test_an_image_is_matched_alike_alone_and_in_a_batch() -> None:
    logits, boxes = predictions(2, 3, 4)
    targets = [people(0.3), people(), people(0.2, 0.4, 0.6, 0.8, 0.9)]
    matcher = HungarianMatcher(MultiClassFocal())
    together = matcher(logits, boxes, targets)
    for image, target in enumerate(targets):
        alone = matcher(logits[:, image : image + 1], boxes[:, image : image + 1], [target])
        for layer in range(2):
            for mine, batched in zip(alone.of(layer, 0), together.of(layer, image)):
                assert mine.tolist() == batched.tolist()


def test_costs_reach_the_cpu_in_one_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    copies: list[tuple[int, ...]] = []
    original = Tensor.cpu

    def counted(self: Tensor) -> Tensor:
        copies.append(tuple(self.shape))
        return original(self)

    monkeypatch.setattr(Tensor, "cpu", counted)
    HungarianMatcher(MultiClassFocal())(*predictions(6, 3, 4), [people(0.3), people(), people(0.2, 0.7)])
    assert copies == [(6, 3, 4, 2)]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_costs_that_are_not_finite_name_layer_and_image(value: float) -> None:
    logits, boxes = predictions(3, 2, 4)
    boxes[1, 1, 2, 0] = value
    message = r"HungarianMatcher got costs that are not finite \(layer 1, image 1 of the batch\)"
    with pytest.raises(FloatingPointError, match=message):
        HungarianMatcher(MultiClassFocal())(logits, boxes, [people(0.3), people(0.4)])


def test_factors_outside_their_range() -> None:
    with pytest.raises(ValueError, match=r"at least one of them positive. Got 0.0, 0.0, 0.0."):
        HungarianMatcher(MultiClassFocal(), 0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match=r"expects factors that are not negative, .* Got 2.0, -1.0, 2.0."):
        HungarianMatcher(MultiClassFocal(), cost_bbox=-1.0)
