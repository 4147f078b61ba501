"""The fused pass: its numbers are those of softmax, locations and operator one after the other, in every backend."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from dsct_detrex.ops import Backend, backends, fused_deformable_attn, register_backend, use_backend
from dsct_detrex.ops.backends import BackendError, find_backend
from dsct_detrex.ops.fused import attention_weights, sampling_locations
from dsct_detrex.ops.multi_scale_deform_attn import multi_scale_deformable_attn

FUSED = ("numba",)
"""Backends on the CPU that have the pass."""


@dataclass
class Arguments:
    """Arguments of the fused operator in its order."""

    value: Tensor
    spatial_shapes: Tensor
    level_start_index: Tensor
    reference_points: Tensor
    offsets: Tensor
    logits: Tensor

    def all(self) -> tuple[Tensor, ...]:
        return tuple(vars(self).values())

    def floats(self) -> tuple[Tensor, ...]:
        return self.value, self.reference_points, self.offsets, self.logits

    def detached(self) -> Arguments:
        return replace(self, **{name: tensor.detach() for name, tensor in vars(self).items()})

    def like(self, **tensors: Tensor) -> Arguments:
        """With some of the float tensors replaced; all of them leaves that require gradients."""
        leaves = {name: t.detach() for name, t in vars(self).items() if t.is_floating_point()} | tensors
        return replace(self, **{name: tensor.requires_grad_() for name, tensor in leaves.items()})


def make(
    levels: list[tuple[int, int]],
    numbers: int = 2,
    images: int = 2,
    queries: int = 7,
    heads: int = 3,
    channels: int = 8,
    points: int = 4,
    reach: float = 2.0,
    dtype: torch.dtype = torch.float32,
) -> Arguments:
    """References in [0, 1]; offsets of about ``reach`` cells, or shares of the box."""
    shapes = torch.tensor(levels, dtype=torch.int64)
    sizes = shapes.prod(1)
    grid = (images, queries, heads, len(levels), points)
    arguments = Arguments(
        torch.randn(images, int(sizes.sum()), heads, channels, dtype=dtype),
        shapes,
        sizes.cumsum(0) - sizes,
        torch.rand(images, queries, len(levels), numbers, dtype=dtype),
        torch.randn(*grid, 2, dtype=dtype) * reach,
        torch.randn(grid, dtype=dtype) * 2,
    )
    return arguments.like()


def separately(value: Tensor, shapes: Tensor, starts: Tensor, references: Tensor, offsets: Tensor, logits: Tensor):
    locations = sampling_locations(references, offsets, shapes)
    return multi_scale_deformable_attn(value, shapes, starts, locations, attention_weights(logits))


def evaluate(function, backend: str, arguments: Arguments) -> tuple[Tensor, ...]:
    """Output, and gradients of value, references, offsets and logits."""
    with use_backend(backend):
        output = function(*arguments.all())
    generator = torch.Generator().manual_seed(0)
    grad = torch.randn(output.shape, generator=generator, dtype=torch.float64).to(output.dtype)
    return output.detach(), *torch.autograd.grad(output, arguments.floats(), grad)


def assert_fused_equals_separate(arguments: Arguments, backend: str = "numba", tolerance: float = 5e-6) -> None:
    expected = evaluate(separately, "pytorch", arguments)
    for wanted, got in zip(expected, evaluate(fused_deformable_attn, backend, arguments), strict=True):
        scale = max(1.0, float(wanted.abs().max())) if wanted.numel() else 1.0  # gradients grow with the map's size
        torch.testing.assert_close(got, wanted, rtol=0, atol=tolerance * scale)


# (levels, what differs from the defaults of ``make``)
SHAPES = [
    ([(5, 7)], {"queries": 0}),
    ([(5, 7)], {"images": 0}),
    ([(1, 1)], {"points": 1, "heads": 1, "channels": 1, "queries": 1}),
    ([(1, 1), (1, 5), (6, 1)], {"heads": 1}),
    ([(9, 13), (5, 7), (3, 4), (2, 2)], {"heads": 8, "channels": 32, "queries": 40}),
    ([(9, 13), (5, 7)], {"channels": 3, "points": 3}),
    ([(12, 10), (6, 5)], {"channels": 24}),
    ([(12, 10)], {"channels": 64, "points": 1, "images": 3}),
    ([(12, 10)], {"channels": 100, "points": 5}),
    ([(12, 10), (6, 5)], {"reach": 30.0}),
]


@pytest.mark.parametrize("numbers", [2, 4])
@pytest.mark.parametrize(("levels", "sizes"), SHAPES)
@pytest.mark.parametrize("backend", FUSED)
def test_fused_equals_one_after_the_other(backend: str, levels, sizes: dict[str, float], numbers: int) -> None:
    assert find_backend(backend).fused is not None
    assert_fused_equals_separate(make(levels, numbers, **sizes), backend)


def test_without_such_a_pass_the_parts_are_composed() -> None:
    assert find_backend("pytorch").fused is None
    arguments = make([(5, 7), (3, 4)], 4)
    got, wanted = (evaluate(f, "pytorch", arguments) for f in (fused_deformable_attn, separately))
    assert all(torch.equal(a, b) for a, b in zip(got, wanted))


@pytest.mark.parametrize("numbers", [2, 4])
@pytest.mark.parametrize("backend", [*FUSED, "pytorch"])
def test_gradients_equal_finite_differences(backend: str, numbers: int) -> None:
    arguments = make([(3, 4), (2, 2)], numbers, 1, 3, 2, 3, 2, reach=1.0, dtype=torch.float64)
    shapes, starts = arguments.spatial_shapes, arguments.level_start_index

    def function(value: Tensor, *others: Tensor) -> Tensor:
        with use_backend(backend):
            return fused_deformable_attn(value, shapes, starts, *others)

    assert torch.autograd.gradcheck(function, arguments.floats(), eps=1e-7, atol=1e-5)


# x in cells of a row of 4, and the cells beside it with their shares, by the rule of zeros outside
BORDERS = [
    (0.5, {0: 1.0}),
    (1.0, {0: 0.5, 1: 0.5}),
    (0.0, {0: 0.5}),
    (4.0, {3: 0.5}),
    (3.5, {3: 1.0}),
    (-0.5, {}),
    (4.5, {}),
    (1e6, {}),
    (-1e30, {}),
]


@pytest.mark.parametrize(("x", "shares"), BORDERS)
@pytest.mark.parametrize("backend", [*FUSED, "pytorch"])
def test_ties_and_borders(backend: str, x: float, shares: dict[int, float]) -> None:
    value = torch.tensor([2.0, 3.0, 5.0, 7.0]).view(1, 4, 1, 1)
    reference, offset = torch.tensor([0.0, 0.5]).view(1, 1, 1, 2), torch.tensor([x, 0.0]).view(1, 1, 1, 1, 1, 2)
    with use_backend(backend):
        output = fused_deformable_attn(
            value, torch.tensor([[1, 4]]), torch.tensor([0]), reference, offset, torch.zeros(1, 1, 1, 1, 1)
        )
    assert output.item() == sum(share * value[0, cell].item() for cell, share in shares.items())


@pytest.mark.parametrize("backend", [*FUSED, "pytorch"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", ["offsets", "logits"])
def test_what_is_not_finite_shows_in_its_query_and_head_only(backend: str, bad: float, where: str) -> None:
    arguments = make([(4, 5)], images=1, queries=3, heads=2)
    if bad == -math.inf and where == "logits":
        pytest.skip("a weight of 0")
    with torch.no_grad():
        getattr(arguments, where)[0, 1, 0, 0, 2] = bad
    output, grad_value, _, grad_offsets, _ = evaluate(fused_deformable_attn, backend, arguments)
    assert output[0, 1, :8].isnan().all()
    assert output[0, 1, 8:].isfinite().all()
    assert output[0, [0, 2]].isfinite().all()
    assert grad_offsets[0, [0, 2]].isfinite().all()
    if where == "offsets":
        assert grad_value.isfinite().all()
        assert grad_offsets[0, 1, 0, 0, 2].isnan().all()


def test_large_logits_do_not_overflow() -> None:
    arguments = make([(4, 5)])
    assert_fused_equals_separate(arguments.like(logits=arguments.logits.detach() * 1000))
    minus = arguments.logits.detach().clone()
    minus[..., 0] = -math.inf  # a weight of exactly 0
    assert_fused_equals_separate(arguments.like(logits=minus))


def strided(arguments: Arguments) -> Arguments:
    """The same numbers: offsets and logits as parts of one product, sequence-first values, a gap between references."""
    product = torch.cat([arguments.offsets.detach().flatten(2), arguments.logits.detach().flatten(2)], -1)
    offsets, logits = product.split([arguments.offsets[0, 0].numel(), arguments.logits[0, 0].numel()], -1)
    return arguments.like(
        value=arguments.value.detach().transpose(0, 1).contiguous().transpose(0, 1),
        reference_points=arguments.reference_points.detach().repeat_interleave(2, 2)[:, :, ::2],
        offsets=offsets.view(arguments.offsets.shape),
        logits=logits.view(arguments.logits.shape),
    )


def spaced(arguments: Arguments) -> Arguments:
    """The same numbers, all with gaps between neighbours."""
    return arguments.like(
        **{
            name: tensor.detach().repeat_interleave(2, -1)[..., ::2]
            for name, tensor in vars(arguments).items()
            if tensor.is_floating_point()
        }
    )


@pytest.mark.parametrize("form", [strided, spaced])
@pytest.mark.parametrize("backend", [*FUSED, "pytorch"])
def test_non_contiguous_inputs(backend: str, form) -> None:
    plain = make([(5, 7), (3, 4)], 4)
    other = form(plain)
    assert not any(tensor.is_contiguous() for tensor in other.floats())
    for a, b in zip(*(evaluate(fused_deformable_attn, backend, each) for each in (plain, other))):
        torch.testing.assert_close(a, b)


def test_gradients_of_offsets_and_logits_are_one_piece() -> None:
    from torch.autograd import grad

    arguments = make([(5, 7), (3, 4)])
    with use_backend("numba"):
        output = fused_deformable_attn(*arguments.all())
    seen: list[Tensor] = []
    for tensor in (arguments.offsets, arguments.logits):
        tensor.register_hook(seen.append)
    grad(output.sum(), (arguments.offsets, arguments.logits))
    assert seen[0]._base is seen[1]._base is not None


@pytest.mark.parametrize("backend", [*FUSED, "pytorch"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(backend: str, dtype: torch.dtype) -> None:
    arguments = make([(5, 7), (3, 4)]).detached()
    value, offsets, logits = (tensor.to(dtype) for tensor in (arguments.value, arguments.offsets, arguments.logits))
    value.requires_grad_()
    half = replace(arguments, value=value, offsets=offsets, logits=logits)
    exact = replace(half, value=value.detach().float(), offsets=offsets.float(), logits=logits.float())
    with use_backend(backend), torch.autocast("cpu", dtype=dtype):
        output, expected = fused_deformable_attn(*half.all()), fused_deformable_attn(*exact.all())
    assert output.dtype == dtype
    assert expected.dtype == torch.float32
    if backend in FUSED:
        assert torch.equal(output, expected.to(dtype))
    (gradient,) = torch.autograd.grad(output.float().sum(), value)
    assert gradient.dtype == dtype
    assert gradient.abs().sum() > 0


def test_result_does_not_depend_on_the_number_of_threads() -> None:
    arguments = make([(9, 13), (5, 7)], 4, images=3, queries=50, heads=4)
    results = []
    for threads in (1, 2, 3, 4):
        torch.set_num_threads(threads)
        try:
            results.append(evaluate(fused_deformable_attn, "numba", arguments))
        finally:
            torch.set_num_threads(1)
    assert all(torch.equal(a, b) for other in results[1:] for a, b in zip(results[0], other))


def test_references_cost_nothing_unless_their_gradient_is_wanted() -> None:
    arguments = make([(5, 7)])
    wanted = evaluate(fused_deformable_attn, "numba", arguments)
    arguments.reference_points.requires_grad_(False)
    with use_backend("numba"):
        output = fused_deformable_attn(*arguments.all())
    assert not arguments.reference_points.requires_grad
    generator = torch.Generator().manual_seed(0)
    grad = torch.randn(output.shape, generator=generator, dtype=torch.float64).to(output.dtype)
    got = torch.autograd.grad(output, (arguments.value, arguments.offsets, arguments.logits), grad)
    assert all(torch.equal(a, b) for a, b in zip(got, (wanted[1], *wanted[3:])))


@pytest.mark.parametrize("backend", [*FUSED, "pytorch"])
def test_meta_tensors_give_the_shape(backend: str) -> None:
    with use_backend(backend):
        output = fused_deformable_attn(*(tensor.detach().to("meta") for tensor in make([(5, 7), (3, 4)]).all()))
    assert output.is_meta
    assert output.shape == (2, 7, 24)


def test_the_numba_operator_keeps_torchs_rules() -> None:
    """Schema, shape rule, autograd registration and tracing, as torch checks them for operators of its own."""
    from dsct_detrex.ops import numba_fused  # noqa: F401  (registers the operator)

    operator = torch.ops.dsct_detrex.fused_deformable_attention.default
    torch.library.opcheck(operator, make([(3, 4)], images=1, queries=2).all())


# position of the argument, what replaces it, what the message must say
MISFITS = [
    (0, torch.zeros(2, 12, 24), "expects value (B, S, H, D) and spatial_shapes (L, 2). Got (2, 12, 24) and (1, 2)."),
    (1, torch.tensor([[3, 4]], dtype=torch.int32), "expects spatial_shapes of dtype torch.int64. Got torch.int32."),
    (2, torch.tensor([0, 12]), "expects level_start_index of shape (1,). Got (2,)."),
    (3, torch.zeros(2, 7, 2), "expects reference_points of shape (2, 7, 1, 2). Got (2, 7, 2)."),
    (4, torch.zeros(2, 7, 3, 1, 4), "expects offsets of shape (2, any, 3, 1, any, 2). Got (2, 7, 3, 1, 4)."),
    (5, torch.zeros(2, 7, 3, 1, 5), "expects logits of shape (2, 7, 3, 1, 4). Got (2, 7, 3, 1, 5)."),
]


@pytest.mark.parametrize(("position", "replacement", "message"), MISFITS)
def test_shapes_that_do_not_fit_are_refused(position: int, replacement: Tensor, message: str) -> None:
    arguments = list(make([(3, 4)]).all())
    arguments[position] = replacement
    with pytest.raises(ValueError, match=f"^{re.escape(f'fused_deformable_attn {message}')}$"):
        fused_deformable_attn(*arguments)


@pytest.mark.parametrize("backend", [*FUSED, "pytorch"])
def test_references_of_another_width_are_refused(backend: str) -> None:
    message = "expects reference_points with a last dimension of 2 (xy) or 4 (cxcywh). Got 3."
    with use_backend(backend), pytest.raises(ValueError, match=re.escape(message)):
        fused_deformable_attn(*make([(3, 4)], 3).all())


@pytest.mark.parametrize("backend", [*FUSED, "pytorch"])
def test_a_level_outside_value_is_refused(backend: str) -> None:
    arguments = replace(make([(3, 4)]), spatial_shapes=torch.tensor([[3, 5]]))
    with use_backend(backend), pytest.raises(ValueError, match="level of 3 x 5 cells from position 0 on does not fit"):
        fused_deformable_attn(*arguments.all())


def test_numba_says_how_many_samples_it_can_count() -> None:
    arguments = make([(3, 4)], images=1, queries=1, heads=1, channels=1, points=1001)
    with use_backend("numba"), pytest.raises(BackendError, match=r"at most 1000 samples .* Got 1001; ask for"):
        fused_deformable_attn(*arguments.all())


def test_a_registered_pass_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "_registered", dict(backends._registered))
    register_backend(
        Backend("loud", separately, lambda value: True, -1, "", fused=lambda *inputs: inputs[-1].sum().view(1, 1, 1))
    )
    arguments = make([(3, 4)])
    with use_backend("loud"):
        assert fused_deformable_attn(*arguments.all()).item() == arguments.logits.sum().item()
    assert find_backend("loud").words() == "loud (fused)"
    assert find_backend("pytorch").words() == "pytorch"
