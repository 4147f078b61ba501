"""Linear layers through oneDNN."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dsct_detrex.rewrites import onednn, rewritten
from dsct_detrex.rewrites.kinds import packed_linear
from tests.rewrites.kinds.same import assert_same, standing

pytestmark = pytest.mark.skipif(not onednn.multiplies(), reason="this torch has no packed linear layers")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_linear, "SMALLEST", 1)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(7,), (2, 5), (1, 3, 4)])
def test_numbers(shape: tuple[int, ...], bias: bool) -> None:
    assert_same(nn.Linear(6, 9, bias=bias).eval(), "packed_linear", torch.randn(*shape, 6))
    assert_same(nn.Linear(6, 9).eval(), "packed_linear", torch.randn(6, *shape).movedim(0, -1))


@pytest.mark.parametrize("where", ["double", "few rows", "gradients", "autocast", "training"])
def test_what_it_leaves_to_torch(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = nn.Linear(6, 9).eval(), torch.randn(5, 6)
    match where:
        case "double":
            layer, x = layer.double(), x.double()
        case "few rows":
            monkeypatch.setattr(packed_linear, "SMALLEST", 6)
        case "training":
            layer.train()
    with torch.set_grad_enabled(where == "gradients"), torch.autocast("cpu", torch.bfloat16, where == "autocast"):
        plain = layer(x)
        with rewritten(layer, ["packed_linear"]):
            assert torch.equal(layer(x), plain)
            first = standing(layer)
            assert first is not None
            assert first._kept is None


def test_moving_to_another_precision_and_back() -> None:
    layer, x = nn.Linear(6, 9).eval(), torch.randn(5, 6)
    with torch.no_grad(), rewritten(layer, ["packed_linear"]):
        before = layer(x)
        torch.testing.assert_close(layer.double()(x.double()).float(), before)
        torch.testing.assert_close(layer.float()(x), before)


def test_inference_mode_and_after_it() -> None:
    layer, x = nn.Linear(6, 9).eval(), torch.randn(5, 6)
    plain = layer(x).detach()
    with rewritten(layer, ["packed_linear"]):
        for _ in range(2):
            with torch.inference_mode():
                torch.testing.assert_close(layer(x), plain)
            with torch.no_grad():
                torch.testing.assert_close(layer(x), plain)
        layer.train()(x).sum().backward()
    assert layer.weight.grad is not None
