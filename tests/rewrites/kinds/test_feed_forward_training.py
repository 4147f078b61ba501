"""The feed-forward as one function: the numbers and gradients of the chain, with and without dropout."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dsct_detrex.layers import FFN
from dsct_detrex.rewrites import rewrite
from dsct_detrex.rewrites.kinds import feed_forward

NAME = "feed_forward_training"


def pair(**switches: Any) -> tuple[FFN, FFN]:
    """The chain and its rewrite, in training."""
    torch.manual_seed(0)
    plain = FFN(8, 24, **switches).train()
    fast = copy.deepcopy(plain)
    assert rewrite(fast, [NAME]).counts[NAME] == 1
    return plain, fast


def results(module: nn.Module, x: Tensor, *more: Tensor) -> list[Tensor]:
    """Output, then all gradients."""
    inputs = [t.detach().clone().requires_grad_() for t in (x, *more)]
    out = module(*inputs)
    out.square().sum().backward()
    return [out.detach(), *(t.grad for t in inputs if t.grad is not None), *(p.grad for p in module.parameters())]


@pytest.mark.parametrize("piece", [3, 2048])
@pytest.mark.parametrize("shape", [(2, 5, 8), (7, 8), (4, 2, 3, 8)])
@pytest.mark.parametrize("identity", ["own", "given", "none"])
def test_without_dropout_it_is_the_chain(monkeypatch, piece, shape, identity):
    monkeypatch.setattr(feed_forward, "PIECE", piece)
    plain, fast = pair(add_identity=identity != "none")
    x = torch.randn(shape)
    more = (torch.randn(shape),) if identity == "given" else ()
    for mine, expected in zip(results(fast, x, *more), results(plain, x, *more), strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-5, atol=1e-5)


def test_numerical_gradient_with_dropout(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setattr(feed_forward, "PIECE", 3)
    _, fast = pair(ffn_drop=0.3)
    fast.double()
    x = torch.randn(7, 8, dtype=torch.float64, requires_grad=True)

    def seeded(x: Tensor, *_: Tensor) -> Tensor:
        torch.manual_seed(4)
        out: Tensor = fast(x)
        return out

    assert torch.autograd.gradcheck(seeded, (x, *fast.parameters()))


def test_dropout_keeps_the_expectation():
    pytest.importorskip("numba")
    plain, fast = pair(ffn_drop=0.2)
    x = torch.randn(1, 8).expand(20_000, -1)
    with torch.enable_grad():
        mean = fast(x).mean(0)
    torch.testing.assert_close(mean, plain.eval()(x[:1])[0], rtol=0, atol=0.03)


def test_it_keeps_the_hidden_states_once():
    _, fast = pair()
    kept: list[tuple[int, ...]] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (kept.append(tuple(t.shape)), t)[1], lambda t: t):
        fast(torch.randn(5, 8, requires_grad=True))
    assert kept.count((5, 24)) == 1
    assert len(kept) == 4


def test_frozen_weights_get_no_gradient():
    plain, fast = pair()
    for module in (plain, fast):
        module.layers[0].requires_grad_(False)
    for mine, expected in zip(results_of_trained(fast), results_of_trained(plain), strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-5, atol=1e-5)


def results_of_trained(module: nn.Module) -> list[Tensor]:
    torch.manual_seed(2)
    module(torch.randn(5, 8)).square().sum().backward()
    assert [p.grad is not None for p in module.parameters()] == [False, False, True, True]
    return [p.grad for p in module.parameters() if p.grad is not None]


def test_under_autocast_it_multiplies_in_that_type():
    plain, fast = pair()
    x = torch.randn(5, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mine, expected = fast(x), plain(x)
        mine.sum().backward()
    assert mine.dtype == expected.dtype
    torch.testing.assert_close(mine, expected, rtol=0.02, atol=0.02)
    assert (mine - fast(x)).abs().max() > 0
    assert fast.layers[0][0].weight.grad.dtype == torch.float32


def test_without_gradients_the_chain_computes():
    plain, fast = pair()
    x = torch.randn(5, 8)
    with torch.no_grad():
        assert torch.equal(fast.eval()(x), plain.eval()(x))


def test_other_feed_forwards_are_left_alone():
    for other in (FFN(8, 24, activation=nn.PReLU()), FFN(8, 24, num_fcs=3), FFN(8, 24, fc_bias=False), nn.Linear(8, 8)):
        assert not rewrite(other, [NAME]).counts
