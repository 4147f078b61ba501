"""torch's optimizers fused without being asked: the same numbers, older states, and whoever asks otherwise wins."""

from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from torch import nn
from torch.optim import Optimizer

from dsct_detrex.config import LazyCall as L
from dsct_detrex.config import get_config
from dsct_detrex.engine.build import build_optimizer
from dsct_detrex.engine.optimizer_state import names_of, restore_state
from dsct_detrex.errors import UserError
from dsct_detrex.rewrites import rewritten
from dsct_detrex.rewrites.kinds import feed_forward, packed_linear
from tests.dsct.tiny import batch, images, tiny_dsct


def built(model: nn.Module, kind: Any = torch.optim.AdamW, **settings: Any) -> Optimizer:
    params = L(parameters)()
    cfg = OmegaConf.create(
        {"optimizer": L(kind)(**({"lr": 0.1} | settings), params=params)}, flags={"allow_objects": True}
    )
    return build_optimizer(cfg, model)


def parameters(model: nn.Module) -> list[nn.Parameter]:
    return [weight for weight in model.parameters() if weight.requires_grad]


def step(model: nn.Module, optimizer: Optimizer) -> None:
    torch.manual_seed(1)
    model(torch.randn(4, 5)).square().sum().backward()
    optimizer.step()
    optimizer.zero_grad()


def seeded() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(5, 3)


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.Adam, torch.optim.SGD])
def test_the_numbers_are_those_of_the_loop(kind):
    models = seeded(), seeded()
    fused, loop = built(models[0], kind), built(models[1], kind, fused=False)
    assert fused.defaults["fused"] is True
    assert loop.defaults["fused"] is False
    for _ in range(3):
        for model, optimizer in zip(models, (fused, loop)):
            step(model, optimizer)
    torch.testing.assert_close(*(model.weight for model in models), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.Adam, torch.optim.SGD])
@pytest.mark.parametrize("fused", [None, True, False])
def test_a_step_counts_as_a_change_of_every_weight(kind, fused):
    """torch's fused kernels leave ``_version`` as it is, and what is kept of weights (``rewrites``) would grow old."""
    model = seeded()
    optimizer = built(model, kind, fused=fused)
    before = [weight._version for weight in model.parameters()]
    step(model, optimizer)
    assert all(weight._version > old for weight, old in zip(model.parameters(), before, strict=True))


def test_evaluations_between_steps_see_the_weights_of_their_step(monkeypatch):
    """An encoder's feed-forward trains in one pass, without its linear layers, which keep packed weights between."""
    monkeypatch.setattr(feed_forward, "PIECE", 7)
    monkeypatch.setattr(packed_linear, "SMALLEST", 1)
    torch.manual_seed(0)
    model, data, pictures = tiny_dsct("deformable_detr"), batch(), images()
    optimizer = built(model, kind=torch.optim.SGD, lr=1e-3)

    def logits():
        model.eval()
        with torch.no_grad():
            return model.decode(pictures)[-1].logits

    with rewritten(model):
        first = logits()
        for _ in range(2):
            sum(model.train()(data).values()).backward()
            optimizer.step()
        last = logits()
    torch.testing.assert_close(last, logits(), rtol=1e-4, atol=1e-4)
    assert (last - first).abs().max() > 1e-2


@pytest.mark.parametrize("settings", [{"fused": False}, {"foreach": True}, {"foreach": False}])
def test_whoever_says_otherwise_wins(settings):
    assert not built(seeded(), **settings).defaults["fused"]


def test_null_says_nothing():
    assert built(seeded(), fused=None).defaults["fused"] is True


def test_optimizers_that_cannot_be_fused_are_built_as_they_are():
    assert isinstance(built(seeded(), torch.optim.RMSprop), torch.optim.RMSprop)
    assert isinstance(built(seeded(), Own), Own)


class Own(torch.optim.AdamW):
    """Of a user, with a step of its own."""

    __module__ = "somewhere"

    def __init__(self, params: Any, lr: float, fused: bool | None = None) -> None:
        assert fused is None
        super().__init__(params, lr)


def test_weights_without_a_fused_kernel_take_the_loop():
    model = nn.Module()
    model.weight = nn.Parameter(torch.ones(3, dtype=torch.complex64))
    assert not built(model).defaults["fused"]


def test_a_wrong_setting_is_told_as_ever():
    with pytest.raises(UserError, match=r"optimizer\.lr=-0\.5: torch\.optim\.AdamW says: Invalid learning rate"):
        built(seeded(), betas=(0.9, 0.99), lr=-0.5)


@pytest.mark.parametrize(("before", "after"), [(False, None), (None, False)])
def test_a_run_that_was_not_fused_goes_on_fused_and_back(before, after):
    model, twin = seeded(), seeded()
    old, straight = built(model, fused=before), built(twin, fused=False)
    for one, optimizer in ((model, old), (twin, straight)):
        step(one, optimizer)
    new = built(model, fused=after)
    assert restore_state(new, model, old.state_dict(), names_of(old, model)) == []
    assert bool(new.param_groups[0]["fused"]) is (after is None)
    for one, optimizer in ((model, new), (twin, straight)):
        step(one, optimizer)
    torch.testing.assert_close(model.weight, twin.weight, rtol=1e-6, atol=1e-6)


def test_our_recipe_is_fused():
    optimizer = get_config("common/optim.py").optimizer
    assert optimizer.fused is None
    cfg = OmegaConf.create({"optimizer": optimizer}, flags={"allow_objects": True})
    assert build_optimizer(cfg, seeded()).param_groups[0]["fused"] is True
