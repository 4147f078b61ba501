"""Deformable attention rewritten: the module's numbers and gradients, whoever built it and however it is called."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dsct_detrex.layers import MultiScaleDeformableAttention
from dsct_detrex.ops import use_backend
from dsct_detrex.ops.levels import make_levels
from dsct_detrex.rewrites import rewrite, rewritten
from dsct_detrex.rewrites.kinds import deformable_attention as module
from dsct_detrex.rewrites.kinds.deformable_attention import DeformableAttention

SIZES = ((8, 9), (4, 5))
CELLS = 92


def attention(batch_first: bool = True, dropout: float = 0.0) -> nn.Module:
    """A module whose every weight matters."""
    made = MultiScaleDeformableAttention(32, 4, 2, 3, batch_first=batch_first, dropout=dropout)
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)
    return made


def call(batch_first: bool = True, numbers: int = 2, own_value: bool = False, padded: bool = True) -> dict[str, Any]:
    """Keywords of a call of two images; float tensors require gradients."""
    shapes, starts = make_levels(SIZES, torch.device("cpu"))
    queries = CELLS if own_value else 7
    padding = torch.zeros(2, CELLS, dtype=torch.bool)
    padding[1, 5:30] = True
    made = {
        "query": torch.randn(2, queries, 32),
        "value": None if own_value else torch.randn(2, CELLS, 32),
        "query_pos": torch.randn(2, queries, 32),
    }
    if not batch_first:
        made = {name: None if tensor is None else tensor.transpose(0, 1).contiguous() for name, tensor in made.items()}
    made["reference_points"] = torch.rand(2, queries, 2, numbers)
    made = {name: tensor if tensor is None else tensor.requires_grad_() for name, tensor in made.items()}
    levels = {"spatial_shapes": shapes, "level_start_index": starts}
    return made | levels | {"key_padding_mask": padding if padded else None}


def numbers_of(attention: nn.Module, call: dict[str, Any]) -> list[Tensor]:
    """Output, and gradients of all that has one."""
    output = attention(**call)
    leaves = [t for t in call.values() if isinstance(t, Tensor) and t.requires_grad]
    return [output.detach(), *torch.autograd.grad(output.square().sum(), [*leaves, *attention.parameters()])]


CALLS = [
    {},
    {"numbers": 4},
    {"own_value": True},
    {"padded": False},
    {"batch_first": False, "numbers": 4},
    {"batch_first": False, "own_value": True},
]


@pytest.mark.parametrize("arguments", CALLS)
@pytest.mark.parametrize("backend", ["numba", "pytorch"])
def test_numbers_and_gradients_are_the_modules(arguments: dict[str, Any], backend: str) -> None:
    plain, inputs = attention(arguments.get("batch_first", True)), call(**arguments)
    with use_backend(backend):
        expected = numbers_of(plain, inputs)
        with rewritten(plain, [DeformableAttention.name]) as rewriting:
            assert rewriting.counts == {DeformableAttention.name: 1}
            got = numbers_of(plain, inputs)
            with torch.no_grad():
                again = plain(**inputs)
    for wanted, found in zip([*expected, expected[0]], [*got, again], strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


def test_inputs_stay_as_they_are() -> None:
    inputs = call()
    before = {name: t.detach().clone() for name, t in inputs.items() if isinstance(t, Tensor)}
    plain = attention()
    rewrite(plain)
    with torch.no_grad():
        plain(**inputs)
    assert all(torch.equal(inputs[name], tensor) for name, tensor in before.items())


def test_gradients_of_the_product_are_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, inputs = attention(), call()
    rewrite(plain)
    output = plain(**inputs)
    monkeypatch.setattr(torch, "cat", None)
    output.sum().backward()
    assert plain.sampling_offsets.weight.grad.abs().sum() > 0


def test_gradients_in_two_pieces_are_put_together() -> None:
    product = torch.randn(2, 5, 12, requires_grad=True)
    offsets, logits = module._Parts.apply(product)
    weights = torch.randn(2, 5, 12)
    (offsets * weights[..., :8]).sum().add((logits * weights[..., 8:]).sum()).backward()
    assert torch.equal(product.grad, weights)


@pytest.mark.parametrize("order", [(0, 8), (8, 0)])
def test_one_piece_in_another_order_is_put_together(order: tuple[int, int]) -> None:
    """Gradients may be views of one tensor without being its parts in their order."""
    piece = torch.randn(5, 16)
    gradients = tuple(piece[:, start : start + 8] for start in order)

    class Both(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, first: Tensor, second: Tensor) -> Tensor:
            return first.sum() + second.sum()

        @staticmethod
        def backward(ctx: Any, *_: Tensor) -> tuple[Tensor, ...]:
            return gradients[0], gradients[1][:, :4]

    product = torch.randn(5, 12, requires_grad=True)
    Both.apply(*module._Parts.apply(product)).backward()
    assert torch.equal(product.grad, torch.cat([gradients[0], gradients[1][:, :4]], -1))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_is_as_near_to_float32_as_without(dtype: torch.dtype) -> None:
    plain, inputs = attention(), call()
    exact = plain(**inputs)
    errors = []
    for which in ("none", "all"):
        with rewritten(plain, which), torch.autocast("cpu", dtype=dtype):
            errors.append(float((plain(**inputs) - exact).abs().max()))
    assert 0 < errors[1] <= 1.5 * errors[0]


def test_dropout_stays() -> None:
    plain = attention(dropout=1.0).train()
    rewrite(plain)
    inputs = call()
    assert torch.equal(plain(**inputs), inputs["query"])


@pytest.mark.parametrize("which", ["none", "all"])
def test_compiles_without_a_break(which: str) -> None:
    """From torch 2.5 on; the compiler of 2.4 breaks the graph where it meets a ``ContextVar``."""
    plain, inputs = attention(), call(numbers=4)
    expected = numbers_of(plain, inputs)
    with rewritten(plain, which):
        torch._dynamo.reset()
        whole = tuple(int(part) for part in torch.__version__.split(".")[:2]) >= (2, 5)
        compiled = torch.compile(lambda **inputs: plain(**inputs), backend="aot_eager", fullgraph=whole)
        output = compiled(**inputs)
        leaves = [t for t in inputs.values() if isinstance(t, Tensor) and t.requires_grad]
        got = [output.detach(), *torch.autograd.grad(output.square().sum(), [*leaves, *plain.parameters()])]
    for wanted, found in zip(expected, got, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


def test_linears_that_do_more_are_left_to_themselves() -> None:
    class Adapted(nn.Linear):
        """As low-rank adapters have it."""

        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) + x.mean()

    adapted, inputs = attention().eval(), call()
    adapted.sampling_offsets.__class__ = Adapted
    with torch.no_grad():
        plain = adapted(**inputs)
        rewrite(adapted)
        torch.testing.assert_close(adapted(**inputs), plain)
