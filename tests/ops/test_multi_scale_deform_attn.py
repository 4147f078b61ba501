"""The operator against detrex's numbers, against itself in another backend, and against finite differences."""

import os
import signal
import time
import traceback
from collections.abc import Callable

import golden_io
import pytest
import torch
from torch import Tensor

from dsct_detrex.ops import multi_scale_deformable_attn, use_backend
from dsct_detrex.ops.threads import run_tasks
from tests.ops.cases import BACKENDS, Arguments, make_arguments


def evaluate(backend: str, arguments: Arguments, grad_output: Tensor) -> tuple[Tensor, ...]:
    """Output and the three gradients."""
    with use_backend(backend):
        output = multi_scale_deformable_attn(*arguments.all())
    return (output.detach(), *torch.autograd.grad(output, arguments.floats(), grad_output))


def assert_backends_agree(arguments: Arguments) -> None:
    images, queries, heads = arguments.sampling_locations.shape[:3]
    shape = (images, queries, heads * arguments.value.shape[3])
    grad_output = torch.randn(shape, dtype=arguments.value.dtype)
    reference = evaluate("pytorch", arguments, grad_output)
    for expected, got in zip(reference, evaluate("numba", arguments, grad_output)):
        scale = max(1.0, float(expected.abs().max())) if expected.numel() else 1.0  # gradients grow with the map's size
        torch.testing.assert_close(got, expected, rtol=0, atol=5e-6 * scale)


@pytest.mark.parametrize("backend", BACKENDS)
def test_output_and_gradients_equal_detrex(backend: str) -> None:
    fixture = golden_io.load("msda/op")
    names = ("value", "sampling_locations", "attention_weights")
    value, locations, weights = (fixture[f"in.{name}"].requires_grad_() for name in names)
    arguments = Arguments(value, fixture["in.spatial_shapes"], fixture["in.level_start_index"], locations, weights)
    results = evaluate(backend, arguments, fixture["in.grad_output"])
    expected = (fixture["out.output"], *(fixture[f"out.grad_{name}"] for name in names))
    for got, wanted in zip(results, expected):
        assert golden_io.max_abs_diff(got, wanted) <= fixture.meta["tolerance"]["abs"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_coordinates_at_borders_and_far_outside_equal_detrex(backend: str) -> None:
    fixture = golden_io.load("msda/op_edges")
    inputs = [fixture[f"in.{name}"] for name in ("value", "spatial_shapes", "sampling_locations", "attention_weights")]
    inputs.insert(2, torch.tensor([0]))
    with use_backend(backend):
        output = multi_scale_deformable_attn(*inputs)
    assert golden_io.max_abs_diff(output, fixture["out.output"]) <= fixture.meta["tolerance"]["abs"]
    assert torch.equal(output == 0, fixture["out.output"] == 0)


# (levels, sizes that differ from the defaults of make_arguments)
SHAPES = [
    ([(5, 7)], {"queries": 0}),
    ([(5, 7)], {"images": 0}),
    ([(1, 1)], {"points": 1, "heads": 1, "channels": 1, "queries": 1}),
    ([(1, 1), (1, 5), (6, 1)], {}),
    ([(9, 13), (5, 7), (3, 4), (2, 2)], {"heads": 8, "channels": 32, "queries": 40}),
    ([(9, 13), (5, 7)], {"channels": 5, "points": 3}),
    ([(12, 10), (6, 5)], {"channels": 64, "images": 3, "queries": 33}),
    ([(12, 10), (6, 5)], {"reach": 1000.0}),
]


@pytest.mark.parametrize(("levels", "sizes"), SHAPES)
def test_backends_agree(levels: list[tuple[int, int]], sizes: dict[str, int]) -> None:
    assert_backends_agree(make_arguments(levels, **sizes))


def test_result_does_not_depend_on_the_number_of_threads() -> None:
    arguments = make_arguments([(9, 13), (5, 7)], images=3, queries=50, heads=4)
    grad_output = torch.randn(3, 50, 32)
    single = evaluate("numba", arguments, grad_output)
    torch.set_num_threads(5)
    try:
        several = evaluate("numba", arguments, grad_output)
    finally:
        torch.set_num_threads(1)
    assert all(torch.equal(a, b) for a, b in zip(single, several))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_cell_centre_returns_the_cell(backend: str) -> None:
    value = torch.arange(6.0).reshape(1, 6, 1, 1)
    shapes, starts = torch.tensor([[2, 3]]), torch.tensor([0])
    location = torch.tensor([2.5 / 3, 0.5 / 2]).reshape(1, 1, 1, 1, 1, 2)  # row 0, column 2
    with use_backend(backend):
        assert multi_scale_deformable_attn(value, shapes, starts, location, torch.ones(1, 1, 1, 1, 1)).item() == 2
        halfway_out = torch.tensor([1.0, 0.5 / 2]).reshape(1, 1, 1, 1, 1, 2)  # half of column 2, half of the zeros
        assert multi_scale_deformable_attn(value, shapes, starts, halfway_out, torch.ones(1, 1, 1, 1, 1)).item() == 1


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_location_that_is_not_finite_shows_in_its_query_only(backend: str, bad: float) -> None:
    arguments = make_arguments([(4, 5)], images=1, queries=3, heads=2)
    with torch.no_grad():
        arguments.sampling_locations[0, 1, 0, 0, 2, 0] = bad
    output, grad_value, _, grad_weights = evaluate(backend, arguments, torch.ones(1, 3, 16))
    assert output[0, 1, :8].isnan().all()
    assert output[0, 1, 8:].isfinite().all()
    assert output[0, [0, 2]].isfinite().all()
    assert grad_value.isfinite().all()
    assert grad_weights[0, 1, 0, 0, 2].isnan()


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_equal_finite_differences(backend: str) -> None:
    arguments = make_arguments(
        [(3, 4), (2, 2)], images=1, queries=3, heads=2, channels=3, points=2, dtype=torch.float64, reach=0.2
    )
    shapes, starts = arguments.spatial_shapes, arguments.level_start_index

    def function(value: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
        with use_backend(backend):
            return multi_scale_deformable_attn(value, shapes, starts, locations, weights)

    assert torch.autograd.gradcheck(function, arguments.floats(), eps=1e-7, atol=1e-5)


def test_non_contiguous_inputs() -> None:
    plain = make_arguments([(5, 7), (3, 4)])
    value, locations, weights = (t.detach() for t in plain.floats())
    strided = Arguments(
        value.transpose(1, 2).contiguous().transpose(1, 2).requires_grad_(),
        plain.spatial_shapes,
        plain.level_start_index,
        locations.transpose(0, 3).contiguous().transpose(0, 3).requires_grad_(),
        weights.repeat_interleave(2, -1)[..., ::2].requires_grad_(),
    )
    assert not any(tensor.is_contiguous() for tensor in strided.floats())
    grad_output = torch.randn(24, 7, 2).permute(2, 1, 0)
    for backend in BACKENDS:
        for a, b in zip(evaluate(backend, plain, grad_output), evaluate(backend, strided, grad_output)):
            torch.testing.assert_close(a, b)


@pytest.mark.parametrize("backend", BACKENDS)
def test_levels_may_lie_anywhere_in_value(backend: str) -> None:
    arguments = make_arguments([(2, 3), (4, 2)], images=1)
    value = arguments.value.detach()
    swapped = torch.cat((value[:, 6:], torch.full_like(value[:, :1], torch.inf), value[:, :6]), 1)
    with use_backend(backend):
        straight = multi_scale_deformable_attn(*arguments.all())
        moved = multi_scale_deformable_attn(
            swapped, arguments.spatial_shapes, torch.tensor([9, 0]), *arguments.all()[3:]
        )
    torch.testing.assert_close(moved, straight)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("all_half", [False, True])
def test_half_precision_is_computed_in_float32(backend: str, dtype: torch.dtype, all_half: bool) -> None:
    arguments = make_arguments([(5, 7), (3, 4)])
    value, locations, weights = (tensor.detach() for tensor in arguments.floats())
    half = value.to(dtype).requires_grad_()
    if all_half:
        locations, weights = locations.to(dtype), weights.to(dtype)
    levels = arguments.spatial_shapes, arguments.level_start_index
    with use_backend(backend), torch.autocast("cpu", dtype=dtype):
        output = multi_scale_deformable_attn(half, *levels, locations, weights)
        expected = multi_scale_deformable_attn(half.detach().float(), *levels, locations.float(), weights.float())
    assert output.dtype == dtype
    assert expected.dtype == torch.float32
    assert torch.equal(output, expected.to(dtype))
    (gradient,) = torch.autograd.grad(output.float().sum(), half)
    assert gradient.dtype == dtype
    assert gradient.abs().sum() > 0


def test_one_float64_input_makes_all_of_the_computation_float64() -> None:
    arguments = make_arguments([(5, 7)], dtype=torch.float64)
    outputs = []
    for backend in BACKENDS:
        with use_backend(backend):
            outputs.append(multi_scale_deformable_attn(*arguments.all()))
            narrow = multi_scale_deformable_attn(arguments.value.float(), *arguments.all()[1:])
            rounded = multi_scale_deformable_attn(arguments.value.float().double(), *arguments.all()[1:])
        assert narrow.dtype == torch.float32
        assert torch.equal(narrow, rounded.float())
    assert outputs[0].dtype == outputs[1].dtype == torch.float64
    torch.testing.assert_close(outputs[0], outputs[1], rtol=0, atol=1e-13)


@pytest.mark.parametrize("backend", BACKENDS)
def test_meta_tensors_give_the_shape(backend: str) -> None:
    arguments = [tensor.detach().to("meta") for tensor in make_arguments([(5, 7), (3, 4)]).all()]
    with use_backend(backend):
        output = multi_scale_deformable_attn(*arguments)
    assert output.is_meta
    assert output.shape == (2, 7, 24)


def test_the_numba_operator_keeps_torchs_rules() -> None:
    """Schema, shape rule, autograd registration and tracing, as torch checks them for operators of its own."""
    from dsct_detrex.ops import numba_backend  # noqa: F401  (registers the operator)

    arguments = make_arguments([(3, 4)], images=1, queries=2)
    torch.library.opcheck(torch.ops.dsct_detrex.deformable_attention.default, arguments.all())


@pytest.mark.parametrize("openmp_in_parent", [False, True])
def test_a_forked_child_computes_too(openmp_in_parent: bool) -> None:
    """DataLoader workers are forked: the threads of the parent do not exist there, and waiting for them would hang."""
    arguments = make_arguments([(9, 13), (5, 7)], queries=64, heads=4)
    grad_output = torch.ones(2, 64, 32)
    torch.set_num_threads(4 if openmp_in_parent else 1)
    try:
        expected = evaluate("numba", arguments, grad_output)
        child = os.fork()
        if child == 0:
            try:
                torch.set_num_threads(4)
                results = evaluate("numba", arguments, grad_output)
                os._exit(0 if all(torch.equal(a, b) for a, b in zip(results, expected)) else 3)
            except BaseException:
                traceback.print_exc()
            finally:  # an exception must not run the rest of the test suite in the child
                os._exit(4)
        assert _exit_status(child, seconds=20) == 0
    finally:
        torch.set_num_threads(1)


def _exit_status(child: int, seconds: float) -> int | str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        finished, status = os.waitpid(child, os.WNOHANG)
        if finished:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hung"


def test_an_error_in_a_task_reaches_the_caller() -> None:
    def fail() -> None:
        raise ZeroDivisionError("in a thread")

    done: list[int] = []
    with pytest.raises(ZeroDivisionError, match="in a thread"):
        run_tasks([fail, *(lambda: done.append(1) for _ in range(3))], threads=2)
    run_tasks([lambda: done.append(2) for _ in range(9)], threads=4)
    assert done.count(2) == 9


def test_kernels_compile_where_no_cache_folder_can_be_written() -> None:
    """A function without a source file is one that numba refuses to cache, with the same error as a read-only disk."""
    from dsct_detrex.ops import numba_sampling

    namespace: dict[str, Callable[[int], int]] = {}
    exec("def add_one(number): return number + 1", namespace)
    assert numba_sampling.compiled(namespace["add_one"])(2) == 3
