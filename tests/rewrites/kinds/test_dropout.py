"""Dropout in one pass: its gradient, its mode, and that a recomputed layer draws the same."""

import copy

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from dsct_detrex.rewrites import rewrite

pytest.importorskip("numba")


def rewritten_dropout(p: float = 0.25) -> nn.Module:
    module = nn.Sequential(nn.Dropout(p)).train()
    assert rewrite(module, ["dropout"]).counts["dropout"] == (0 if p == 0 else 1)
    return module


def test_the_gradient_is_zero_where_the_result_is_and_scaled_elsewhere():
    x = torch.randn(50, 40).abs().add(1).requires_grad_()
    out = rewritten_dropout()(x)
    out.sum().backward()
    torch.testing.assert_close(x.grad, torch.where(out == 0, 0.0, 1 / 0.75))
    torch.testing.assert_close(out, x * x.grad)
    assert 0.15 < (out == 0).float().mean() < 0.35


def test_numerical_gradient():
    module = rewritten_dropout()
    x = torch.randn(6, 5, dtype=torch.float64, requires_grad=True)

    def seeded(x: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(4)
        out: torch.Tensor = module(x)
        return out

    assert torch.autograd.gradcheck(seeded, x)


def test_evaluation_and_a_zero_probability_are_torchs():
    x = torch.randn(8)
    assert rewritten_dropout().eval()(x) is x
    rewritten_dropout(0.0)


def test_a_probability_that_changes_is_followed():
    module = rewritten_dropout()
    x = torch.ones(100_000)
    module[0].p = 0.6
    assert (module(x) == 0).float().mean().item() == pytest.approx(0.6, abs=0.02)
    module[0].p = 1.0
    assert (module(x) == 0).all()


def test_a_recomputed_layer_draws_the_same():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.Linear(8, 8)).train()
    rewrite(module, ["dropout"])
    x = torch.randn(4, 8)
    gradients = []
    for run in (module, lambda x: checkpoint(module, x, use_reentrant=False)):
        torch.manual_seed(1)
        module.zero_grad()
        run(x).square().sum().backward()
        gradients.append(copy.deepcopy([p.grad for p in module.parameters()]))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)
