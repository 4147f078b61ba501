"""Regions through torch.compile: no breaks, the same numbers, the same keys, and rewrites step aside."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from dsct_detrex.engine.compilation import compile_regions, compile_words
from dsct_detrex.engine.ema import WeightAverage
from dsct_detrex.engine.settings import Compile
from dsct_detrex.errors import UserError
from dsct_detrex.rewrites import Rewrite, rewrite
from tests.dsct.tiny import batch, tiny_dsct

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def fresh_compiler():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def gradients(model: nn.Module, inputs: list[dict[str, Any]]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    model.zero_grad()
    loss = torch.stack(list(model(inputs).values())).sum()
    loss.backward()
    return loss.detach(), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("host", ["deformable_detr", "detr"])
@pytest.mark.parametrize("rewrites", ["all", "none"])
def test_all_regions_of_ours_are_one_graph_each_and_compute_the_same(host, rewrites):
    torch.manual_seed(0)
    plain = tiny_dsct(host).train()
    model = copy.deepcopy(plain)
    rewrite(model, rewrites)
    counts = compile_regions(model, Compile(enabled=True, backend="aot_eager"), CPU)
    assert set(counts) == set(Compile().regions)
    inputs = batch()
    (loss, mine), (wanted, expected) = gradients(model, inputs), gradients(plain, inputs)
    torch.testing.assert_close(loss, wanted, rtol=1e-5, atol=0)
    assert mine.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(mine[name], gradient, rtol=1e-3, atol=1e-3 * gradient.abs().max().item() + 1e-6)


def test_no_rewrite_is_left_in_a_region_and_all_others_stand():
    model = tiny_dsct("deformable_detr")
    rewriting = rewrite(model)
    compile_regions(model, Compile(enabled=True, backend="eager", regions=["host.backbone"]), CPU)
    standing = {name for name, module in model.named_modules() if isinstance(module.__dict__.get("forward"), Rewrite)}
    assert not any(name.startswith("host.backbone") for name in standing)
    assert 0 < len(standing) < sum(rewriting.counts.values())


def test_keys_and_averages_know_nothing_of_it():
    model = tiny_dsct("deformable_detr")
    keys = list(model.state_dict())
    average = WeightAverage(model, 0.9)
    compile_regions(model, Compile(enabled=True, backend="eager"), CPU)
    assert list(model.state_dict()) == keys
    average.update(model)
    with average.applied_to(model):
        assert list(model.state_dict()) == keys


class Breaking(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        torch._dynamo.graph_break()
        return 2 * x


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList([Breaking(), nn.Linear(2, 2)])


def test_a_break_is_an_error():
    model = Model()
    compile_regions(model, Compile(enabled=True, backend="eager", regions=["heads.0"]), CPU)
    with pytest.raises(torch._dynamo.exc.Unsupported, match="graph_break"):
        model.heads[0](torch.ones(2))


def test_off_does_nothing():
    model = Model()
    assert compile_regions(model, Compile(), CPU) == {}
    assert model.heads[0]._compiled_call_impl is None


def test_what_is_within_a_compiled_region_is_not_compiled_again():
    model = Model()
    counts = compile_regions(model, Compile(enabled=True, backend="eager", regions=["", "heads.*"]), CPU)
    assert counts == {"": 1, "heads.*": 2}
    assert model._compiled_call_impl is not None
    assert model.heads[1]._compiled_call_impl is None


def test_regions_that_are_not_there():
    with pytest.raises(UserError, match=r"train.compile.regions expects names of modules.*Got neck, of which.*heads"):
        compile_regions(Model(), Compile(enabled=True, backend="eager", regions=["neck"]), CPU)


def test_a_backend_that_does_not_work_here():
    with pytest.raises(UserError, match=r"train.compile.backend=nvfuser2 does not work here \(.*nvfuser2"):
        compile_regions(Model(), Compile(enabled=True, backend="nvfuser2"), CPU)


def test_words():
    settings = Compile(enabled=True, backend="eager")
    words = compile_words({"host.backbone": 1, "heads.*": 2}, settings)
    assert words == "by eager: host.backbone, 2 of heads.*; the first steps compile, which takes minutes"
    assert compile_words({}, settings) == ""


def test_the_mode_reaches_the_compiler(monkeypatch):
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(nn.Module, "compile", lambda _, **options: asked.append(options))
    monkeypatch.setattr("dsct_detrex.engine.compilation._try", lambda options, device: asked.append(options))
    settings = Compile(enabled=True, backend="inductor", mode="max-autotune", regions=["host.backbone"])
    compile_regions(tiny_dsct("deformable_detr"), settings, CPU)
    assert [options["mode"] for options in asked] == ["max-autotune"] * 2
    assert asked[1] == {"fullgraph": True, "backend": "inductor", "mode": "max-autotune"}
