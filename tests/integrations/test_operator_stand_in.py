"""The stand-in computes what the compiled operator computes, and is never taken for it or put in its place."""

import sys
from types import ModuleType

import golden_io
import pytest
import torch

from dsct_detrex.integrations import detrex_operator
from dsct_detrex.integrations.detrex import operator_stand_in, register_stand_in
from dsct_detrex.ops import BackendError, multi_scale_deformable_attn, use_backend

from .fake_checkout import detrex_checkout

pytestmark = pytest.mark.usefixtures("bare")

INPUTS = ("value", "spatial_shapes", "level_start_index", "sampling_locations", "attention_weights")
DIFFERENTIABLE = ("value", "sampling_locations", "attention_weights")


@pytest.mark.parametrize("step", [1, 64])
@pytest.mark.parametrize("backend", ["pytorch", "numba"])
def test_equals_the_operator(backend: str, step: int) -> None:
    fx = golden_io.load("msda/op")
    inputs = [fx[f"in.{name}"] for name in INPUTS]
    with use_backend(backend):
        output = operator_stand_in.ms_deform_attn_forward(*inputs, step)
        gradients = operator_stand_in.ms_deform_attn_backward(*inputs, fx["in.grad_output"], step)
    torch.testing.assert_close(output, fx["out.output"], rtol=0, atol=1e-5)
    for name, gradient in zip(DIFFERENTIABLE, gradients, strict=True):
        torch.testing.assert_close(gradient, fx[f"out.grad_{name}"], rtol=0, atol=1e-5)
        assert not gradient.requires_grad


def test_leaves_no_trace_in_the_graph_of_its_caller() -> None:
    fx = golden_io.load("msda/op")
    inputs = [fx[f"in.{name}"] for name in INPUTS]
    inputs[0].requires_grad_()
    assert not operator_stand_in.ms_deform_attn_forward(*inputs, 1).requires_grad
    with torch.no_grad():  # as autograd calls a backward function
        operator_stand_in.ms_deform_attn_backward(*inputs, fx["in.grad_output"], 1)
    assert inputs[0].grad is None


def test_takes_the_place_of_a_missing_operator(tmp_path) -> None:
    package = [str(detrex_checkout(tmp_path / "checkout") / "detrex")]
    assert register_stand_in(package)
    mine = sys.modules["detrex._C"]
    assert mine.ms_deform_attn_forward is operator_stand_in.ms_deform_attn_forward
    assert register_stand_in(package)
    assert sys.modules["detrex._C"] is mine


def test_leaves_a_compiled_operator_on_disk_alone(tmp_path) -> None:
    root = detrex_checkout(tmp_path / "checkout", compiled=True)
    assert not register_stand_in([str(root / "detrex")])
    assert "detrex._C" not in sys.modules


def test_leaves_a_compiled_operator_in_memory_alone(tmp_path) -> None:
    real = sys.modules["detrex._C"] = ModuleType("detrex._C")
    assert not register_stand_in([str(tmp_path)])
    assert sys.modules["detrex._C"] is real
    assert vars(real).keys() == vars(ModuleType("")).keys()


def test_is_never_a_backend_of_the_operator_it_calls(tmp_path, monkeypatch) -> None:
    """Otherwise: our operator -> backend detrex -> stand-in -> our operator -> ..."""
    monkeypatch.syspath_prepend(detrex_checkout(tmp_path / "checkout"))
    register_stand_in([str(tmp_path / "checkout/detrex")])
    assert detrex_operator._operator() is None
    fx = golden_io.load("msda/op")
    with use_backend("detrex"), pytest.raises(BackendError, match="needs GPU tensors and detrex with its compiled"):
        multi_scale_deformable_attn(*(fx[f"in.{name}"] for name in INPUTS))


def test_a_real_operator_beside_it_would_be_found(tmp_path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(detrex_checkout(tmp_path / "checkout", compiled=True))
    assert detrex_operator._operator().compiled


def test_asking_for_the_operator_does_not_import_an_uncompiled_detrex(tmp_path, monkeypatch) -> None:
    """Its layers would then decide, for the whole process, that deformable attention does not exist."""
    monkeypatch.syspath_prepend(detrex_checkout(tmp_path / "checkout"))
    assert detrex_operator._operator() is None
    assert "detrex" not in sys.modules
