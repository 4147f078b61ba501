"""The matcher and the criterion against the official DSCT code, whole tensors (fixtures ``dsct/criterion_*``)."""

import golden_io
import pytest
import torch
from torch import Tensor

from dsct_detrex.objective import (
    DSCTCriterion,
    EmotionFocal,
    HungarianMatcher,
    MultiClassFocal,
    MultiLabelFocal,
    Target,
)

NAMES = ("emotic", "emotic_uneven", "caer", "caer_uneven")
TERMS = {"loss_ce": "class", "loss_bbox": "bbox", "loss_giou": "giou"}


class Case:
    """One fixture as the objective sees it."""

    def __init__(self, name: str) -> None:
        self.fixture = golden_io.load(f"dsct/criterion_{name}")
        config = self.fixture.meta["config"]
        self.tolerance: float = self.fixture.meta["tolerance"]["abs"]
        kind = MultiLabelFocal if config["binary_flag"] else MultiClassFocal
        self.classification: EmotionFocal = kind(config["focal_alpha"], config["focal_gamma"])
        self.matcher = HungarianMatcher(
            self.classification, config["set_cost_class"], config["set_cost_bbox"], config["set_cost_giou"]
        )
        self.criterion = DSCTCriterion(
            self.matcher,
            self.classification,
            config["cls_loss_coef"],
            config["bbox_loss_coef"],
            config["giou_loss_coef"],
        )
        self.targets = [
            Target(boxes, labels)
            for boxes, labels in zip(self.fixture.sequence("in.boxes"), self.fixture.sequence("in.labels"))
        ]

    def outputs(self) -> dict[str, Tensor]:
        names = ("pred_logits", "pred_boxes")
        return {name: self.fixture[f"in.{name}"].clone().requires_grad_() for name in names}


@pytest.fixture(params=NAMES)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def test_costs_equal_the_official_matcher(case: Case) -> None:
    outputs = case.outputs()
    cost = case.matcher.cost(outputs["pred_logits"], outputs["pred_boxes"], case.targets)
    compared = 0
    for layer in range(len(cost)):
        for image, target in enumerate(case.targets):
            expected = case.fixture[f"out.cost.layer{layer}.image{image}"]
            assert golden_io.max_abs_diff(cost[layer, image, :, : len(target)], expected) <= case.tolerance
            compared += expected.numel()
    assert compared > 0


def test_matches_equal_the_official_assignment(case: Case) -> None:
    outputs = case.outputs()
    assignment = case.matcher(outputs["pred_logits"], outputs["pred_boxes"], case.targets)
    found = {
        f"layer{layer}.image{image}": {"query": query.tolist(), "target": person.tolist()}
        for layer in range(3)
        for image in range(3)
        for query, person in [assignment.of(layer, image)]
    }
    assert found == case.fixture.meta["matches"]


def test_losses_of_every_layer_equal_the_official_ones(case: Case) -> None:
    losses = case.criterion.losses(case.outputs(), case.targets)
    official = case.fixture.meta["losses"]
    for theirs, ours in TERMS.items():
        expected = torch.tensor([official[f"{theirs}_0"], official[f"{theirs}_1"], official[theirs]])
        torch.testing.assert_close(losses[ours], expected, atol=case.tolerance, rtol=0)


def test_total_and_gradients_equal_the_official_ones(case: Case) -> None:
    outputs = case.outputs()
    total = torch.stack(list(case.criterion(outputs, case.targets).values())).sum()
    assert total.item() == pytest.approx(case.fixture.meta["weighted_total"], rel=1e-6)
    total.backward()
    for name in ("logits", "boxes"):
        gradient = outputs[f"pred_{name}"].grad
        assert gradient is not None
        assert golden_io.max_abs_diff(gradient, case.fixture[f"out.grad_{name}"]) <= case.tolerance


def test_the_last_multi_class_logit_takes_part_in_nothing() -> None:
    case = Case("caer")
    outputs = case.outputs()
    changed = {name: value.detach().clone() for name, value in outputs.items()}
    changed["pred_logits"][..., -1] += 7.0
    before, after = case.criterion(outputs, case.targets), case.criterion(changed, case.targets)
    assert {k: v.item() for k, v in before.items()} == {k: v.item() for k, v in after.items()}


def test_the_subject_logit_trains_but_does_not_match() -> None:
    case = Case("emotic")
    outputs = {name: value.detach() for name, value in case.outputs().items()}
    changed = {name: value.clone() for name, value in outputs.items()}
    changed["pred_logits"][..., -1] += 7.0
    cost = case.matcher.cost(*outputs.values(), case.targets)
    torch.testing.assert_close(case.matcher.cost(*changed.values(), case.targets), cost, atol=0, rtol=0)
    before, after = (case.criterion(o, case.targets)["loss_class"] for o in (outputs, changed))
    assert not torch.isclose(before, after)
