"""One optimizer step: accumulation, clipping, mixed precision."""

import copy
from typing import Any

import pytest
import torch
from engine_toys import ToyModel, image
from torch import nn

from dsct_detrex.engine.settings import Amp, ClipGrad
from dsct_detrex.engine.step import TrainStep

CPU = torch.device("cpu")
OFF = ClipGrad(enabled=False)


class MeanModel(nn.Module):
    """A loss that is a mean over images, so that batches can be split without a difference."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 7)
        self.dtypes: list[torch.dtype] = []

    def forward(self, batch: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        colours = torch.stack([one["image"].float().mean((1, 2)) / 100 for one in batch])
        logits = self.layer(colours)
        self.dtypes.append(logits.dtype)
        labels = torch.cat([one["instances"].gt_classes for one in batch])
        return {
            "loss_class": nn.functional.cross_entropy(logits.float(), labels),
            "loss_size": logits.float().pow(2).mean(),
        }


def _step(model: nn.Module, accumulate: int = 1, amp: Amp | None = None, clip: ClipGrad = OFF) -> TrainStep:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return TrainStep(model, optimizer, CPU, amp or Amp(), clip, accumulate)


def test_accumulated_batches_equal_one_big_batch() -> None:
    images = [image(i, i % 7) for i in range(6)]
    small, big = MeanModel(), MeanModel()
    big.load_state_dict(small.state_dict())
    split, whole = _step(small, accumulate=3), _step(big)
    for number, start in enumerate((0, 2, 4)):
        split.backward(images[start : start + 2], last=number == 2)
    whole.backward(images, last=True)
    split_norm, whole_norm = split.update(measure=True), whole.update(measure=True)
    torch.testing.assert_close(split_norm, whole_norm)
    for a, b in zip(small.parameters(), big.parameters()):
        torch.testing.assert_close(a, b)


def test_losses_are_summed_and_reported_with_their_names() -> None:
    losses = _step(MeanModel()).backward([image(0, 1)], last=True)
    assert set(losses) == {"loss_class", "loss_size", "total_loss"}
    torch.testing.assert_close(losses["total_loss"], losses["loss_class"] + losses["loss_size"])
    assert not any(loss.requires_grad for loss in losses.values())


def test_clipping_bounds_the_update_and_reports_the_norm_before_it() -> None:
    model = MeanModel()
    before = copy.deepcopy(model.state_dict())
    step = _step(model, clip=ClipGrad(enabled=True, params={"max_norm": 0.01, "norm_type": 2}))
    step.backward([image(0, 6)], last=True)
    norm = step.update(measure=False)
    assert norm is not None
    assert norm > 0.01
    moved = torch.cat([(model.state_dict()[name] - before[name]).flatten() for name in before]).norm()
    torch.testing.assert_close(moved, torch.tensor(0.1 * 0.01), rtol=1e-3, atol=0)


def test_measured_norm_is_that_of_all_gradients() -> None:
    model = MeanModel()
    step = _step(model)
    step.backward([image(0, 6)], last=True)
    expected = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]).norm()
    torch.testing.assert_close(step.update(measure=True), expected)
    step.backward([image(0, 6)], last=True)
    assert step.update(measure=False) is None


@pytest.mark.parametrize(("dtype", "expected"), [("bfloat16", torch.bfloat16), ("float16", torch.float16)])
def test_mixed_precision_on_the_cpu(dtype: str, expected: torch.dtype) -> None:
    model = MeanModel()
    plain = copy.deepcopy(model)
    mixed, exact = _step(model, amp=Amp(True, dtype)), _step(plain)
    for step in (mixed, exact):
        step.backward([image(0, 6), image(1, 2)], last=True)
        step.update(measure=True)
    assert model.dtypes == [expected]
    assert plain.dtypes == [torch.float32]
    assert mixed.scaler.is_enabled() == (dtype == "float16")
    for a, b in zip(model.parameters(), plain.parameters()):
        torch.testing.assert_close(a, b, rtol=0.05, atol=0.01)
        assert a.dtype == torch.float32


def test_weights_without_gradient_are_named() -> None:
    step = _step(ToyModel(spare=True))
    step.backward([image(0, 1), image(1, 2)], last=True)
    assert step.without_gradient() == ["spare.weight", "spare.bias"]
