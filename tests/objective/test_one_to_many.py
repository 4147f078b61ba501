"""One-to-many matching: copies of people, counted back to the people they are."""

from collections import Counter

import pytest
import torch

from dsct_detrex.objective import (
    DSCTCriterion,
    HungarianMatcher,
    IoUAssigner,
    MultiClassFocal,
    OneToMany,
    RepeatedAssigner,
    Target,
)

LAYERS, QUERIES = 2, 10


def people(count: int) -> Target:
    return Target(torch.rand(count, 4) * 0.4 + 0.3, torch.arange(count) % 7)


def predictions(images: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(LAYERS, images, QUERIES, 8), torch.rand(LAYERS, images, QUERIES, 4) * 0.4 + 0.3


@pytest.mark.parametrize(("counts", "repeats"), [((2, 1), 3), ((0, 3), 2), ((0, 0), 4), ((3, 1), 6), ((12, 6), 2)])
def test_every_person_is_answered_for_so_many_times(counts: tuple[int, int], repeats: int) -> None:
    targets = [people(n) for n in counts]
    assignment = RepeatedAssigner(HungarianMatcher(MultiClassFocal()), repeats)(*predictions(2), targets)
    for layer in range(LAYERS):
        for image, count in enumerate(counts):
            query, person = assignment.of(layer, image)
            assert len(set(query.tolist())) == len(query)
            each = max(1, min(repeats, QUERIES // max(count, 1)))  # nobody is crowded out while there are queries
            answers = Counter(person.tolist())
            assert len(answers) == min(count, QUERIES)
            assert set(answers.values()) <= {each}


def test_once_is_the_rule_itself() -> None:
    matcher, given, targets = HungarianMatcher(MultiClassFocal()), predictions(2), [people(3), people(1)]
    assert torch.equal(RepeatedAssigner(matcher, 1)(*given, targets).pairs, matcher(*given, targets).pairs)


def test_another_rule_may_assign_the_copies() -> None:
    pairs = RepeatedAssigner(IoUAssigner(), 2)(*predictions(1), [people(2)]).pairs
    assert Counter(pairs[3].tolist()).keys() == {0, 1}


def test_losses_are_divided_by_the_copies() -> None:
    focal, targets = MultiClassFocal(), [people(1)]
    criterion = DSCTCriterion(HungarianMatcher(focal), focal, weight_bbox=5.0)
    logits, boxes = predictions(1)
    task = OneToMany(QUERIES, repeats=QUERIES, weight=0.5).task(criterion.matcher, targets)
    losses = criterion.extra_losses({"pred_logits": logits, "pred_boxes": boxes}, targets, task)
    assert set(losses) == {f"loss_{term}_o2m{layer}" for term in ("class", "bbox", "giou") for layer in ("", "_0")}
    mean = (boxes[-1, 0] - targets[0].boxes).abs().sum(-1).mean()  # every query answers for the one person
    torch.testing.assert_close(losses["loss_bbox_o2m"], 0.5 * 5.0 * mean)


@pytest.mark.parametrize("arguments", [{"num_queries": 0}, {"repeats": 0}, {"weight": -1.0}])
def test_wrong_arguments(arguments: dict[str, float]) -> None:
    (name,) = arguments
    with pytest.raises(ValueError, match=rf"OneToMany\({name}=\) expects"):
        OneToMany(**arguments)
