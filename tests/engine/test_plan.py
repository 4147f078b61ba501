"""Epochs become iterations and periods; the schedule's drops and warm-up are found and printed."""

import math
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from dsct_detrex.config import (
    ConstantParamScheduler,
    CosineParamScheduler,
    LinearParamScheduler,
    MultiStepParamScheduler,
    WarmupParamScheduler,
)
from dsct_detrex.engine import TrainSettings
from dsct_detrex.engine.plan import group_lines, make_plan, plan_rows, stated_steps
from dsct_detrex.engine.schedule import Drop, LearningRate, Multiplier, find_drops, find_warmup
from dsct_detrex.errors import UserError


def test_iterations_are_taken_as_they_are() -> None:
    plan = make_plan(TrainSettings.read({"max_iter": 100, "eval_period": 30}), steps_per_epoch=7, batch_size=4)
    assert plan.max_iter == 100
    assert [i for i in range(1, 101) if plan.evaluates_at(i)] == [30, 60, 90, 100]
    assert plan.epoch(14) == 2.0


def test_epochs_decide_iterations_and_periods() -> None:
    settings = TrainSettings.read({"max_epoch": 3, "eval_period": 999, "eval_epochs": 1.5, "accumulate": 2})
    plan = make_plan(settings, steps_per_epoch=10, batch_size=4)
    assert plan.max_iter == 15  # 3 epochs of 10 batches, two batches an iteration
    assert [i for i in range(1, 16) if plan.saves_at(i)] == [5, 10, 15]
    assert [i for i in range(1, 16) if plan.evaluates_at(i)] == [8, 15]


def test_an_odd_epoch_is_not_cut_short() -> None:
    plan = make_plan(TrainSettings.read({"max_epoch": 1, "accumulate": 2}), steps_per_epoch=5, batch_size=None)
    assert plan.max_iter == 3


def test_epochs_need_a_length() -> None:
    with pytest.raises(UserError, match=r"train.max_epoch needs a training loader that knows its length"):
        make_plan(TrainSettings.read({"max_epoch": 1}), steps_per_epoch=None, batch_size=None)


def test_period_zero_means_once_at_the_end() -> None:
    settings = TrainSettings.read({"max_iter": 20, "eval_period": 0})
    plan = make_plan(settings, steps_per_epoch=None, batch_size=None)
    assert [i for i in range(1, 21) if plan.evaluates_at(i)] == [20]


@pytest.mark.parametrize("max_iter", [10, 97, 90000])
def test_drops_are_found_to_the_iteration(max_iter: int) -> None:
    schedule = MultiStepParamScheduler(values=[1.0, 0.1, 0.01], milestones=[8, 9, 10])
    drops = find_drops(schedule, max_iter)
    assert [drop.factor for drop in drops] == [0.1, 0.01]
    for drop in drops:  # the iteration before still has the old rate
        assert schedule((drop.iteration - 1) / max_iter) > 5 * schedule(drop.iteration / max_iter)


def test_smooth_decay_has_no_drops() -> None:
    assert find_drops(CosineParamScheduler(1.0, 0.0), 5000) == []
    assert find_drops(ConstantParamScheduler(1.0), 5000) == []


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (ConstantParamScheduler(1.0), "no drops"),
        (CosineParamScheduler(1.0, 0.02), "falling smoothly to x 0.02"),
        (LinearParamScheduler(1.0, 0.5), "falling smoothly to x 0.5"),
        (LinearParamScheduler(0.5, 1.0), "no drops"),
        (MultiStepParamScheduler(values=[1.0, 0.1], milestones=[8, 10]), "x 0.1 after 800 steps"),
    ],
)
def test_a_rate_that_falls_is_told(schedule: Multiplier, said: str) -> None:
    plan = make_plan(TrainSettings.read({"max_iter": 1000}), steps_per_epoch=None, batch_size=None)
    optimizer = torch.optim.SGD(torch.nn.Linear(3, 2).parameters(), lr=0.1)
    assert dict(plan_rows(plan, schedule, optimizer))["schedule"].endswith(said)


@pytest.mark.parametrize(
    ("train", "steps"),
    [
        ({"max_iter": 10}, 10),
        ({"max_iter": 10, "max_epoch": 2}, 0),
        ({"max_iter": 480, "fast_dev_run": {"enabled": True}}, 4),
        ({"max_iter": 480, "max_epoch": 2, "fast_dev_run": {"enabled": True, "overrides": []}}, 4),
    ],
)
def test_the_steps_that_a_config_alone_states(train: dict[str, Any], steps: int) -> None:
    assert stated_steps(OmegaConf.create({"train": train})) == steps


def test_warm_up_is_found_to_the_iteration() -> None:
    schedule = WarmupParamScheduler(ConstantParamScheduler(1.0), warmup_factor=0.01, warmup_length=0.1)
    found = find_warmup(schedule, 1234)
    assert found == math.ceil(0.1 * 1234)
    assert find_warmup(ConstantParamScheduler(1.0), 1234) == 0
    assert find_warmup(CosineParamScheduler(1.0, 0.0), 1234) == 0


def test_groups_keep_their_ratio_under_the_schedule() -> None:
    weights = [torch.nn.Parameter(torch.zeros(2)) for _ in range(2)]
    optimizer = torch.optim.SGD([{"params": [weights[0]], "lr": 0.1}, {"params": [weights[1]], "lr": 1.0}])
    rate = LearningRate(optimizer, MultiStepParamScheduler(values=[1.0, 0.1], milestones=[8, 10]), max_iter=10)
    seen = []
    for iteration in range(10):
        rate.set(iteration)
        seen.append([group["lr"] for group in optimizer.param_groups])
    torch.testing.assert_close(torch.tensor(seen[7]), torch.tensor([0.1, 1.0]))
    torch.testing.assert_close(torch.tensor(seen[8]), torch.tensor([0.01, 0.1]))
    assert rate.highest() == pytest.approx(0.1)


def test_the_rows_of_a_plan() -> None:
    model = torch.nn.Linear(3, 2)
    groups = [{"params": [model.weight], "lr": 2e-4}, {"params": [model.bias], "lr": 2e-5, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=2e-4, weight_decay=1e-4)
    plan = make_plan(TrainSettings.read({"max_epoch": 10, "accumulate": 2}), steps_per_epoch=20, batch_size=16)
    schedule = MultiStepParamScheduler(values=[1.0, 0.1], milestones=[8, 10])
    assert plan_rows(plan, schedule, optimizer, done=20) == [
        ("steps", "100 = 10 epochs of 10 (by train.max_epoch), 20 done"),
        ("batch", "32 images a step: 2 batches of 16"),
        ("schedule", "lr 0.0002 and 2e-05, no warm-up, x 0.1 after 80 steps (epoch 8)"),
        ("evaluations", "every 10 steps (epoch 1), 10 in all"),
        ("checkpoints", "every 10 steps (epoch 1), 10 in all"),
    ]
    assert group_lines(optimizer) == [
        "lr 0.0002, weight decay 0.0001: 1 tensor, 6 weights",
        "lr 2e-05, weight decay 0: 1 tensor, 2 weights",
    ]
    assert find_drops(schedule, 100) == [Drop(80, 0.1)]


def test_what_does_not_happen_has_no_time() -> None:
    plan = make_plan(TrainSettings.read({"max_iter": 4}), steps_per_epoch=None, batch_size=None)
    optimizer = torch.optim.SGD(torch.nn.Linear(3, 2).parameters(), lr=0.1)
    rows = dict(plan_rows(plan, ConstantParamScheduler(1.0), optimizer, evaluates=False, saves=False))
    assert rows["evaluations"] == "none"
    assert rows["checkpoints"] == "none, only the last weights"


def test_the_rows_of_a_plan_in_steps() -> None:
    optimizer = torch.optim.SGD(torch.nn.Linear(3, 2).parameters(), lr=0.1)
    plan = make_plan(TrainSettings.read({"max_iter": 90000, "eval_period": 0}), steps_per_epoch=None, batch_size=None)
    warm = WarmupParamScheduler(ConstantParamScheduler(1.0), warmup_factor=0.001, warmup_length=0.01)
    assert dict(plan_rows(plan, warm, optimizer)) == {
        "steps": "90,000 (by train.max_iter)",
        "batch": "1 batch a step",
        "schedule": "lr 0.1, warm-up of 900 steps from x 0.001, no drops",
        "evaluations": "once, after the last step",
        "checkpoints": "every 5,000 steps, 18 in all",
    }
