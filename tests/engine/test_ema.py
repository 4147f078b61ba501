"""The average follows its formula, stays apart from the weights, and recovers from a weight that is not finite."""

import pytest
import torch
from torch import nn

from dsct_detrex.engine.ema import WeightAverage


def _set(model: nn.Module, value: float) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(value)


def test_two_steps_by_hand() -> None:
    model = nn.Linear(2, 2)
    _set(model, 1.0)
    average = WeightAverage(model, decay=0.9)
    _set(model, 2.0)
    average.update(model)  # 0.9 * 1 + 0.1 * 2
    _set(model, 0.0)
    average.update(model)  # 0.9 * 1.1
    torch.testing.assert_close(average.average["weight"], torch.full((2, 2), 0.99))


def test_constants_stay_exact_and_counters_are_copied() -> None:
    model = nn.BatchNorm1d(3)
    average = WeightAverage(model, decay=0.999)
    model(torch.randn(4, 3))
    average.update(model)
    assert average.average["num_batches_tracked"] == 1
    assert torch.equal(average.average["weight"], model.weight)  # never changed: not even rounded


def test_applied_only_inside_the_block() -> None:
    model = nn.Linear(2, 2)
    _set(model, 1.0)
    average = WeightAverage(model, decay=0.5)
    _set(model, 3.0)
    with average.applied_to(model):
        assert torch.equal(model.weight, torch.ones(2, 2))
    assert torch.equal(model.weight, torch.full((2, 2), 3.0))
    with pytest.raises(RuntimeError, match="stop"), average.applied_to(model):
        raise RuntimeError("stop")
    assert torch.equal(model.weight, torch.full((2, 2), 3.0))


def test_a_lost_average_restarts_from_the_weights() -> None:
    model = nn.Linear(2, 2)
    average = WeightAverage(model, decay=0.5)
    kept = model.weight.detach().clone()
    with torch.no_grad():
        model.weight[0, 0] = float("nan")
    average.update(model)
    with torch.no_grad():
        model.weight.copy_(kept)
    assert average.resync(model) == ["weight"]
    assert torch.equal(average.average["weight"], kept)
    assert average.resync(model) == []
