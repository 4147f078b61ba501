"""Numbers that are not finite, targets that are hardly there, more people than queries: what comes of each."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

import engine_toys

from dsct_detrex.config import apply_overrides
from dsct_detrex.engine.checkpoint import read_last
from dsct_detrex.engine.history import lost_weight
from dsct_detrex.engine.train_run import run
from dsct_detrex.engine.trainer import Trainer
from dsct_detrex.errors import UserError
from dsct_detrex.objective import Denoising, OneToMany
from dsct_detrex.structures import Boxes, Instances
from dsct_detrex.weights import read_checkpoint
from tests.dsct.tiny import EMOTIONS, tiny_dsct

Toy = Callable[..., Any]


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return lambda *overrides: apply_overrides(engine_toys.toy_config(str(tmp_path / "run")), list(overrides))


class _Spoilt(torch.autograd.Function):
    """Leaves a value as it is, and makes its gradient something else."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, gradient: float) -> Tensor:  # type: ignore[override]
        ctx.gradient = gradient
        return value.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        return torch.full_like(gradient, ctx.gradient), None


def spoil_gradient(monkeypatch: pytest.MonkeyPatch, at: int, value: float) -> None:
    """From the ``at``-th batch on, the loss of the toy model is fine and its gradient is not."""
    forward, batches = engine_toys.ToyModel.forward, iter(range(1, 10**6))

    def spoilt(self: nn.Module, batch: Any) -> Any:
        losses = forward(self, batch)
        if self.training and next(batches) >= at:
            losses["loss_class"] = _Spoilt.apply(losses["loss_class"], value)
        return losses

    monkeypatch.setattr(engine_toys.ToyModel, "forward", spoilt)


def all_finite(folder: Path) -> None:
    """Of everything that a run has saved."""
    files = [path for path in folder.rglob("*") if path.suffix in (".safetensors", ".pth")]
    assert files, "nothing was saved"
    for path in files:
        found = read_checkpoint(path)
        for name, tensor in [*found.state_dict.items(), *(found.average or {}).items()]:
            assert tensor.isfinite().all(), f"{path.name}: {name}"


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("clips", [True, False])
@pytest.mark.parametrize("at", [5, 7])  # 5 is saved and evaluated, 7 is not
def test_a_gradient_that_is_not_finite_stops_before_it_is_saved(
    value: float, clips: bool, at: int, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss of that step was fine, so nobody would notice before the next: until then nothing may be kept."""
    spoil_gradient(monkeypatch, at, value)
    with pytest.raises(UserError, match=r"Training stopped: .+ in iteration \d") as stopped:
        run(
            toy(f"train.clip_grad.enabled={clips}", "train.model_ema.enabled=True", "train.checkpointer.period=1"),
            quiet=True,
        )
    culprit = "grad_norm" if clips else r"(grad_norm|weight \S+)"  # the norm is measured at log steps, too
    assert re.search(rf"{culprit} is (nan|inf) in iteration {at}, on image_{4 * (at - 1)}\.jpg", str(stopped.value))
    assert f"(iteration {at - 1})" in str(stopped.value), "the last good checkpoint is the one before"
    all_finite(tmp_path / "run")
    assert read_last(tmp_path / "run")["iteration"] == at - 1


def test_without_clipping_it_is_the_weights_that_tell(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no norm is measured, the weights are looked at before they are evaluated or saved."""
    spoil_gradient(monkeypatch, 5, math.nan)
    with pytest.raises(UserError, match=r"weight \S+ is nan in iteration 5, on image_16.jpg"):
        run(toy("train.clip_grad.enabled=False", "train.log_period=100"), quiet=True)
    assert not list((tmp_path / "run").glob("*.safetensors"))


def test_a_loss_of_each_value_stops(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = engine_toys.ToyModel.forward
    for value in (math.nan, math.inf, -math.inf):

        def spoilt(self: nn.Module, batch: Any, value: float = value) -> Any:
            losses = forward(self, batch)
            return {**losses, "loss_bbox": losses["loss_bbox"] * value} if self.training else losses

        monkeypatch.setattr(engine_toys.ToyModel, "forward", spoilt)
        with pytest.raises(UserError, match=rf"loss_bbox is {value} in iteration 1, on image_0.jpg"):
            run(toy(), quiet=True)
    assert not (tmp_path / "run" / "last.pth").exists()


def test_an_average_that_is_not_finite_is_mended_before_it_is_saved(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    iterate = Trainer._iterate

    def spoil(self: Trainer, batches: Any) -> None:
        iterate(self, batches)
        if self.state.iteration == 3:
            assert self.state.ema is not None
            next(iter(self.state.ema.average.values())).fill_(math.nan)

    monkeypatch.setattr(Trainer, "_iterate", spoil)
    run(toy("train.model_ema.enabled=True", "train.checkpointer.period=3", "train.eval_period=0"))
    assert "the weight average was no longer finite and restarts for hidden.0.weight" in capsys.readouterr().out
    all_finite(tmp_path / "run")


def test_the_first_weight_that_is_lost_is_named() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    assert lost_weight(model) is None
    with torch.no_grad():
        model[1].bias[0] = math.inf
    assert lost_weight(model) == "1.bias"
    model[1].requires_grad_(False)
    assert lost_weight(model) is None, "what does not train was so before"
    assert lost_weight(nn.Identity()) is None


ODD_TARGETS = {
    "nobody": [],
    "one pixel": [[5.0, 5.0, 6.0, 6.0]],
    "a hundredth of a pixel": [[5.0, 5.0, 5.01, 5.01]],
    "without area": [[5.0, 5.0, 5.0, 5.0]],
    "a line": [[0.0, 5.0, 64.0, 5.0]],
    "the whole picture": [[0.0, 0.0, 64.0, 48.0]],
    "twelve people": [[4.0 * n, 4.0, 4.0 * n + 10, 30.0] for n in range(12)],
    "twelve at one place": [[4.0, 4.0, 20.0, 30.0]] * 12,
}
RECIPES: dict[str, dict[str, Any]] = {
    "plain": {},
    "denoising": {"denoising": Denoising()},
    "one to many": {"one_to_many": OneToMany(6, 2)},
}


def entry(boxes: list[list[float]], size: tuple[int, int] = (48, 64)) -> dict[str, Any]:
    height, width = size
    kind = EMOTIONS["caer_s"]
    labels = kind.encode([[n % 7] for n in range(len(boxes))])
    people = Instances(size, gt_boxes=Boxes(torch.tensor(boxes).reshape(-1, 4)), **{kind.target_field: labels})
    image = torch.randint(0, 256, (3, *size), dtype=torch.uint8)
    return {"image": image, "height": height, "width": width, "instances": people}


@pytest.mark.parametrize(
    ("host", "recipe"), [("dab_detr", "plain"), ("deformable_detr", "denoising"), ("dino", "one to many")]
)
def test_odd_targets_train(host: str, recipe: str) -> None:
    """Alone and beside a picture with people: finite losses, finite gradients; four queries learn of four people."""
    model = tiny_dsct(host, num_subjects=4, **RECIPES[recipe]).train()
    beside = [("nobody", ["one pixel"]), ("twelve people", ["nobody"])]
    for targets, others in [*((name, list[str]()) for name in ODD_TARGETS), *beside]:
        model.zero_grad()
        losses = model([entry(ODD_TARGETS[name]) for name in (targets, *others)])
        total = sum(losses.values())
        assert torch.isfinite(total), losses
        total.backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is None or parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("host", ["detr", "deformable_detr", "dino"])
def test_odd_sizes_train_and_predict(host: str) -> None:
    """As they come out of the resize; a two-stage host without enough cells for its proposals says so."""
    model = tiny_dsct(host, num_subjects=4)
    for height, width in ((1, 1), (30, 400), (400, 30)):
        box = [[width / 4, height / 4, width / 2, height / 2]]
        try:
            total = sum(model.train()([entry(box, (height, width))]).values())
        except UserError as error:
            assert "proposals" in str(error), error  # noqa: PT017
            continue
        assert torch.isfinite(total)
        total.backward()
        with torch.no_grad():
            found = model.eval()([{"image": entry(box, (height, width))["image"]}])[0]["instances"]
        assert found.pred_boxes.tensor.isfinite().all()
        assert found.emotion_probs.isfinite().all()
