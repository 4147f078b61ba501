"""What a whole rewritten model owes its surroundings: a torch without oneDNN's operators, autocast, averages, files."""

from __future__ import annotations

import io

import pytest
import torch
from torch import Tensor

from dsct_detrex.dsct import DSCT
from dsct_detrex.engine.ema import WeightAverage
from dsct_detrex.rewrites import onednn, rewrite, rewritten
from dsct_detrex.rewrites.kinds import feed_forward, packed_linear
from tests.dsct.tiny import batch, images, tiny_dsct


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> DSCT:
    monkeypatch.setattr(feed_forward, "PIECE", 7)
    monkeypatch.setattr(packed_linear, "SMALLEST", 1)
    torch.manual_seed(0)
    return tiny_dsct("deformable_detr").eval()


def logits(model: DSCT, pictures: list[Tensor]) -> Tensor:
    with torch.no_grad():
        return model.decode(pictures)[-1].logits


def test_without_onednn(model: DSCT, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = images()
    plain = logits(model, pictures)
    for tried in ("convolves", "multiplies"):
        monkeypatch.setattr(onednn, tried, lambda: False)
    for used in ("linear", "convolution", "convolution_onto"):
        monkeypatch.delattr(onednn, used)
    with rewritten(model):
        torch.testing.assert_close(logits(model, pictures), plain, rtol=1e-5, atol=1e-5)


def test_a_trial_of_what_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> Tensor:
        raise AttributeError("'_OpNamespace' 'mkldnn' object has no attribute '_linear_pointwise'")

    monkeypatch.setattr(onednn, "pack", missing)
    onednn.multiplies.cache_clear()
    try:
        assert not onednn.multiplies()
    finally:
        onednn.multiplies.cache_clear()


def test_autocast(model: DSCT) -> None:
    """Products in bfloat16 stay products in bfloat16: as far from single precision as they are without rewrites."""
    pictures = images()
    exact = logits(model, pictures)
    with torch.autocast("cpu", torch.bfloat16):
        plain = logits(model, pictures)
        with rewritten(model):
            fast = logits(model, pictures)
    assert (fast.float() - exact).abs().max() < 2 * (plain.float() - exact).abs().max()
    assert not torch.equal(fast.float(), exact)


def test_averages_swapped_in(model: DSCT) -> None:
    pictures, average = images(), WeightAverage(model, 0.5)
    for value in average.average.values():
        if value.is_floating_point():
            value.mul_(1.01)
    with average.applied_to(model):
        plain = logits(model, pictures)
    with rewritten(model):
        before = logits(model, pictures)
        with average.applied_to(model):
            torch.testing.assert_close(logits(model, pictures), plain, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(logits(model, pictures), before)


def test_a_training_step_between_two_evaluations(model: DSCT) -> None:
    """The step is the plain one's, and the second evaluation sees its weights."""
    pictures, entries = images(), batch()
    twin = tiny_dsct("deformable_detr").eval()
    twin.load_state_dict(model.state_dict())
    rewrite(model)
    results = []
    for each in (model, twin):
        logits(each, pictures)
        optimizer = torch.optim.SGD(each.parameters(), 1e-3)
        torch.stack(list(each.train()(entries).values())).sum().backward()
        optimizer.step()
        results.append(logits(each.eval(), pictures))
    for one, other in zip(model.parameters(), twin.parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None)
        if one.grad is not None and other.grad is not None:
            scale = other.grad.abs().max().clamp(min=1)
            torch.testing.assert_close(one.grad / scale, other.grad / scale, rtol=0, atol=1e-4)
    torch.testing.assert_close(*results, rtol=1e-4, atol=1e-4)


def test_files_hold_nothing_that_was_prepared(model: DSCT) -> None:
    pictures = images()
    sizes = []
    with rewritten(model):
        for _ in range(2):  # before anything is prepared, and after
            buffer = io.BytesIO()
            torch.save(model.host.backbone, buffer)
            sizes.append(buffer.tell())
            expected = logits(model, pictures)
        buffer.seek(0)
        model.host.backbone = torch.load(buffer, weights_only=False)
        torch.testing.assert_close(logits(model, pictures), expected)
    assert sizes[0] == sizes[1]
