"""The criterion beyond its golden numbers: names, weights, empty batches, processes, waiting, other assigners."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.profiler import profile

from dsct_detrex.objective import (
    Assignment,
    DSCTCriterion,
    HungarianMatcher,
    MultiClassFocal,
    MultiLabelFocal,
    Target,
)
from dsct_detrex.objective.overlap import generalized_iou

LAYERS, QUERIES = 3, 4


def criterion(**overrides: float | bool) -> DSCTCriterion:
    focal = MultiLabelFocal()
    return DSCTCriterion(HungarianMatcher(focal), focal, **overrides)


def predictions(images: int, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(5)
    logits = torch.randn(LAYERS, images, QUERIES, 27, generator=generator).to(dtype)
    boxes = (torch.rand(LAYERS, images, QUERIES, 4, generator=generator) * 0.4 + 0.2).to(dtype)
    return {"pred_logits": logits.requires_grad_(), "pred_boxes": boxes.requires_grad_()}


def people(count: int) -> Target:
    generator = torch.Generator().manual_seed(count)
    boxes = torch.rand(count, 4, generator=generator) * 0.4 + 0.2
    return Target(boxes, (torch.rand(count, 26, generator=generator) < 0.3).float())


def total(losses: dict[str, Tensor]) -> Tensor:
    return torch.stack(list(losses.values())).sum()


@pytest.mark.parametrize("counts", [(0, 0), (0, 2), (9, 0)], ids=["nobody", "one image empty", "more than queries"])
def test_uneven_batches_give_finite_losses_and_gradients_to_every_head(counts: tuple[int, int]) -> None:
    heads = {"pred_logits": torch.nn.Linear(8, 27), "pred_boxes": torch.nn.Linear(8, 4)}
    states = torch.rand(LAYERS, 2, QUERIES, 8)
    outputs = {"pred_logits": heads["pred_logits"](states), "pred_boxes": heads["pred_boxes"](states).sigmoid()}
    losses = criterion()(outputs, [people(n) for n in counts])
    total(losses).backward()
    assert all(loss.isfinite() for loss in losses.values())
    for head in heads.values():
        for parameter in head.parameters():
            assert parameter.grad is not None
            assert parameter.grad.isfinite().all()
    if sum(counts) == 0:
        assert losses["loss_bbox"].item() == losses["loss_giou_0"].item() == 0.0


def test_names_of_all_layers_and_of_the_last_alone() -> None:
    outputs, targets = predictions(1), [people(2)]
    every = criterion()(outputs, targets)
    terms = ("loss_class", "loss_bbox", "loss_giou")
    assert set(every) == {f"{term}{layer}" for term in terms for layer in ("", "_0", "_1")}
    last = criterion(aux_loss=False)(outputs, targets)
    assert {k: v.item() for k, v in last.items()} == {k: every[k].item() for k in terms}


def test_weights_are_read_at_every_call() -> None:
    judge, outputs, targets = criterion(), predictions(1), [people(2)]
    plain = judge.losses(outputs, targets)
    judge.weight_class, judge.weight_bbox, judge.weight_giou = 9.0, 0.0, 3.0
    weighted = judge(outputs, targets)
    assert weighted["loss_class_1"].item() == pytest.approx(9 * plain["class"][1].item())
    assert weighted["loss_bbox"].item() == 0.0
    assert weighted["loss_giou"].item() == pytest.approx(3 * plain["giou"][-1].item())


def test_a_batch_is_the_mean_of_its_people() -> None:
    outputs, targets = predictions(2), [people(1), people(3)]
    batch = criterion().losses(outputs, targets)
    for term, values in batch.items():
        alone = [
            criterion().losses({k: v[:, i : i + 1] for k, v in outputs.items()}, targets[i : i + 1])[term] * len(target)
            for i, target in enumerate(targets)
        ]
        torch.testing.assert_close(values, (alone[0] + alone[1]) / 4)


def test_a_perfect_box_costs_nothing() -> None:
    outputs, target = predictions(1), people(QUERIES)
    boxes = target.boxes.expand(LAYERS, 1, -1, -1)
    losses = criterion().losses({**outputs, "pred_boxes": boxes}, [target])
    for term in ("bbox", "giou"):
        torch.testing.assert_close(losses[term], torch.zeros(LAYERS), atol=1e-6, rtol=0)


def test_half_precision_predictions_are_judged_in_float32() -> None:
    half, targets = predictions(2, torch.bfloat16), [people(2), people(1)]
    full = {name: value.float() for name, value in half.items()}
    judge = criterion()
    matcher = judge.matcher
    assert isinstance(matcher, HungarianMatcher)
    cost, costs = matcher.cost(*full.values(), targets), []

    def spy(logits: Tensor, boxes: Tensor, targets: Sequence[Target]) -> Assignment:
        costs.append(matcher.cost(logits, boxes, targets))
        return matcher(logits, boxes, targets)

    judge.matcher = spy
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = judge.losses(half, targets)
    torch.testing.assert_close(costs, [cost], atol=0, rtol=0)
    torch.testing.assert_close(losses, criterion().losses(full, targets), atol=0, rtol=0)


def test_no_value_is_read_back_from_the_device() -> None:
    """On a GPU each of these operators waits for everything queued before it."""
    judge, outputs, targets = criterion(), predictions(2), [people(2), people(1)]
    with profile() as record:
        total(judge(outputs, targets)).backward()
    waiting = {"aten::item", "aten::_local_scalar_dense", "aten::nonzero", "aten::is_nonzero"}
    assert waiting.isdisjoint(event.key for event in record.key_averages())


class EveryQueryForTheFirst:
    """Another assignment rule: all queries answer for the first person."""

    def __call__(self, pred_logits: Tensor, pred_boxes: Tensor, targets: Sequence[Target]) -> Assignment:
        grid = torch.cartesian_prod(*(torch.arange(n) for n in pred_boxes.shape[:3])).T
        return Assignment(torch.cat([grid, torch.zeros_like(grid[:1])]))


def test_another_assigner_changes_the_assignment_only() -> None:
    focal, outputs, target = MultiClassFocal(), predictions(1), people(2)
    target = Target(target.boxes, torch.tensor([3, 1]))
    losses = DSCTCriterion(EveryQueryForTheFirst(), focal).losses(outputs, [target])
    distance = (outputs["pred_boxes"] - target.boxes[0]).abs().sum((1, 2, 3)) / 2
    torch.testing.assert_close(losses["bbox"], distance)


def test_boxes_without_area_stay_finite() -> None:
    point, box = torch.tensor([0.2, 0.2, 0.0, 0.0]), torch.tensor([0.5, 0.5, 0.2, 0.2], requires_grad=True)
    assert generalized_iou(point, point + torch.tensor([0.3, 0.0, 0.0, 0.0])).item() == 0.0
    overlap = generalized_iou(point, box)
    overlap.backward()
    assert overlap.item() == pytest.approx(-1 + 0.04 / 0.16, abs=1e-6)  # hull: [0.2, 0.6] squared
    assert box.grad is not None
    assert box.grad.isfinite().all()


def test_wrong_arguments() -> None:
    with pytest.raises(
        ValueError, match=r"DSCTCriterion\(weight_giou=\) expects a weight that is not negative. Got -1"
    ):
        criterion(weight_giou=-1.0)
    with pytest.raises(ValueError, match=r"DSCTCriterion\(targets=\) expects one Target for each of 2 images. Got 1."):
        criterion()(predictions(2), [people(1)])


PROCESS = """
import sys, torch
from torch import distributed
sys.path.insert(0, sys.argv[3])
from test_criterion import criterion, people, predictions
rank = int(sys.argv[1])
torch.set_num_threads(1)
distributed.init_process_group("gloo", init_method=f"file://{sys.argv[2]}", rank=rank, world_size=2)
for counts in ((1, 5), (0, 0)):
    print(*criterion().losses(predictions(1), [people(counts[rank])])["bbox"].tolist())
distributed.destroy_process_group()
"""


def test_the_number_of_people_is_averaged_over_processes(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROCESS]
    rest = [str(tmp_path / "rendezvous"), str(Path(__file__).parent)]
    processes = [subprocess.Popen([*command, str(rank), *rest], stdout=subprocess.PIPE, text=True) for rank in range(2)]
    printed = [process.communicate(timeout=120)[0] for process in processes]
    for count, text in zip((1, 5), printed):
        alone = criterion().losses(predictions(1), [people(count)])["bbox"] * count / 3  # mean of 1 and 5 people
        some, nobody = (torch.tensor([float(v) for v in line.split()]) for line in text.splitlines())
        torch.testing.assert_close(some, alone)
        assert nobody.tolist() == [0.0] * LAYERS
