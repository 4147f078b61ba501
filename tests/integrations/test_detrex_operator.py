"""The wiring of detrex's operator, with a stand-in module of the same two functions computed by our reference."""

import sys
from types import ModuleType

import golden_io
import pytest
import torch
from torch import Tensor

from dsct_detrex.integrations import detrex_operator
from dsct_detrex.ops import available_backends, multi_scale_deformable_attn, pytorch_backend, use_backend
from dsct_detrex.ops.backends import Backend, BackendError, register_backend

calls: list[int] = []


def reference_forward(*arguments: Tensor | int) -> Tensor:
    *inputs, step = arguments
    calls.append(step)
    with torch.no_grad():
        return pytorch_backend.forward(*inputs)


def reference_backward(*arguments: Tensor | int) -> tuple[Tensor, ...]:
    value, shapes, starts, locations, weights, gradient, step = arguments
    calls.append(step)
    with torch.enable_grad():
        leaves = [t.detach().requires_grad_() for t in (value, locations, weights)]
        output = pytorch_backend.forward(leaves[0], shapes, starts, leaves[1], leaves[2])
        return torch.autograd.grad(output, leaves, gradient)


@pytest.fixture
def compiled(monkeypatch):
    """A detrex whose operator is compiled, for CPU tensors."""
    package, operator = ModuleType("detrex"), ModuleType("detrex._C")
    operator.ms_deform_attn_forward = reference_forward
    operator.ms_deform_attn_backward = reference_backward
    package.__path__ = []
    package.__spec__ = sys.__spec__
    monkeypatch.setitem(sys.modules, "detrex", package)
    monkeypatch.setitem(sys.modules, "detrex._C", operator)
    detrex_operator._operator.cache_clear()
    calls.clear()
    register_backend(Backend("detrex", detrex_operator.forward, lambda value: True, 20, ""))
    yield
    detrex_operator._operator.cache_clear()
    detrex_operator.register_detrex_operator()


def test_values_and_gradients_pass_through(compiled):
    fx = golden_io.load("msda/op")
    leaves = [fx[f"in.{n}"].clone().requires_grad_() for n in ("value", "sampling_locations", "attention_weights")]
    output = multi_scale_deformable_attn(
        leaves[0], fx["in.spatial_shapes"], fx["in.level_start_index"], leaves[1], leaves[2]
    )
    output.backward(fx["in.grad_output"])
    torch.testing.assert_close(output.detach(), fx["out.output"], rtol=0, atol=1e-5)
    for leaf, name in zip(leaves, ("value", "sampling_locations", "attention_weights"), strict=True):
        torch.testing.assert_close(leaf.grad, fx[f"out.grad_{name}"], rtol=0, atol=1e-5)
    assert calls == [len(leaves[0])] * 2


def test_without_detrex_the_backend_is_known_but_not_chosen():
    detrex_operator._operator.cache_clear()
    assert "detrex" in available_backends()
    value = torch.zeros(1, 4, 1, 2)
    arguments = (torch.tensor([[2, 2]]), torch.tensor([0]), torch.zeros(1, 1, 1, 1, 1, 2), torch.ones(1, 1, 1, 1, 1))
    with use_backend("detrex"), pytest.raises(BackendError, match=r"needs GPU tensors and detrex with its compiled"):
        multi_scale_deformable_attn(value, *arguments)


@pytest.mark.parametrize(("images", "step"), [(1, 1), (64, 64), (65, 13), (128, 64), (67, 1)])
def test_the_step_divides_the_batch(images, step):
    assert detrex_operator._step(images) == step
