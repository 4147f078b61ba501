"""The Triton kernels in triton's interpreter, on the CPU: the same numbers as PyTorch, gradients included."""

import golden_io
import pytest
import torch

from dsct_detrex.ops import fused_deformable_attn, triton_backend, use_backend
from tests.ops.cases import make_arguments
from tests.ops.children import interpreted
from tests.ops.triton_cases import BOXES, FORMS, LOCATIONS, POINTS, SHAPES, Call, assert_agrees, make_call

BOTH = ("triton", "triton-deterministic")

pytestmark = pytest.mark.skipif(
    not triton_backend.is_installed(), reason="no triton from 3.3 on: torch for Linux GPUs brings it along from 2.7 on"
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", range(len(SHAPES)))
@interpreted
def test_output_and_gradients_equal_pytorch(shape: int, form: int) -> None:
    levels, sizes = SHAPES[shape]
    assert_agrees(make_call(form, levels, **sizes), "triton")


@pytest.mark.parametrize("shape", [0, 2, 3, 8])
@interpreted
def test_the_sorted_gradient_equals_pytorch(shape: int) -> None:
    levels, sizes = SHAPES[shape]
    assert_agrees(make_call(BOXES, levels, **sizes), "triton-deterministic")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
@interpreted
def test_other_dtypes(dtype: torch.dtype) -> None:
    for form in (POINTS, BOXES):
        assert_agrees(make_call(form, [(4, 3), (2, 5)], images=1, heads=2, points=3), "triton", dtype=dtype)
    assert_agrees(make_call(POINTS, [(4, 3)], images=1, heads=1, queries=3), "triton-deterministic", dtype=dtype)


@interpreted
def test_output_and_gradients_equal_detrex() -> None:
    fixture = golden_io.load("msda/op")
    names = ("value", "sampling_locations", "attention_weights")
    value, *floats = (fixture[f"in.{name}"].requires_grad_() for name in names)
    shapes, starts = fixture["in.spatial_shapes"], fixture["in.level_start_index"]
    results = Call(value, shapes, starts, tuple(floats), fixture["in.grad_output"]).run("triton")
    expected = (fixture["out.output"], *(fixture[f"out.grad_{name}"] for name in names))
    for got, wanted in zip(results, expected):
        assert golden_io.max_abs_diff(got, wanted) <= fixture.meta["tolerance"]["abs"]


@interpreted
def test_coordinates_at_borders_and_far_outside_equal_detrex() -> None:
    fixture = golden_io.load("msda/op_edges")
    floats = fixture["in.sampling_locations"], fixture["in.attention_weights"]
    call = Call(fixture["in.value"], fixture["in.spatial_shapes"], torch.tensor([0]), floats, torch.empty(0))
    output = call.attend("triton")
    assert golden_io.max_abs_diff(output, fixture["out.output"]) <= fixture.meta["tolerance"]["abs"]
    assert torch.equal(output == 0, fixture["out.output"] == 0)


@pytest.mark.parametrize("form", FORMS)
@interpreted
def test_gradients_equal_finite_differences(form: int) -> None:
    levels = [(3, 4), (2, 2)]
    call = make_call(form, levels, images=1, queries=3, heads=1, channels=3, points=2, reach=0.2)
    call = call.to("cpu", torch.float64)

    def function(value: torch.Tensor, *floats: torch.Tensor) -> torch.Tensor:
        return Call(value, call.shapes, call.starts, floats, call.grad_output).attend("triton")

    assert torch.autograd.gradcheck(function, call.inputs(), eps=1e-7, atol=1e-5, fast_mode=True)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@interpreted
def test_a_location_that_is_not_finite_shows_in_its_query_only(bad: float) -> None:
    call = make_call(LOCATIONS, [(4, 5)], images=1, queries=3, heads=2)
    with torch.no_grad():
        call.floats[0][0, 1, 0, 0, 2, 0] = bad
    for backend in BOTH:
        output, grad_value, grad_locations, grad_weights = call.run(backend)
        assert output[0, 1, :8].isnan().all()
        assert output[0, 1, 8:].isfinite().all()
        assert output[0, [0, 2]].isfinite().all()
        assert grad_value.isfinite().all()
        assert grad_locations[0, 1, 0, 0, 2].isnan().all()
        assert grad_weights[0, 1, 0, 0, 2].isnan()
        assert int(grad_weights.isnan().sum()) == 1


@pytest.mark.parametrize("backend", BOTH)
@interpreted
def test_levels_may_lie_anywhere_in_value(backend: str) -> None:
    call = make_call(POINTS, [(2, 3), (4, 2)], images=1, heads=1)
    value = call.value.detach()
    swapped = torch.cat((value[:, 6:], torch.full_like(value[:, :1], torch.inf), value[:, :6]), 1).requires_grad_()
    moved = Call(swapped, call.shapes, torch.tensor([9, 0]), call.floats, call.grad_output).run(backend)
    straight = call.run(backend)
    assert torch.equal(moved[0], straight[0])
    torch.testing.assert_close(torch.cat((moved[1][:, 9:], moved[1][:, :8]), 1), straight[1])
    assert not moved[1][:, 8].any()


@interpreted
def test_slices_of_a_product_are_read_where_they_lie() -> None:
    """As the rewritten attention calls it: offsets and logits side by side, values beside those of another layer."""
    from dsct_detrex.ops import triton_operator

    call = make_call(POINTS, [(3, 4), (2, 2)], images=2, heads=2)
    references, offsets, logits = (t.detach() for t in call.floats)
    product = torch.cat((offsets.flatten(2), logits.flatten(2)), -1)
    sliced = product[..., :32].view(offsets.shape), product[..., 32:].view(logits.shape)
    values = torch.cat((call.value.detach(), torch.full_like(call.value, torch.nan)), 2)[:, :, :2]
    assert not any(t.is_contiguous() for t in (*sliced, values))
    assert all(triton_operator._dense_from(t, 2) is t for t in (*sliced, values))
    strided = Call(values, call.shapes, call.starts, (references, *sliced), call.grad_output.mT.contiguous().mT)
    for tensor in strided.inputs():
        tensor.requires_grad_()
    assert all(torch.equal(a, b) for a, b in zip(strided.run("triton"), call.run("triton")))


@interpreted
def test_any_other_layout_is_copied_first() -> None:
    call = make_call(BOXES, [(3, 4), (2, 2)], images=2, heads=2)
    floats = tuple(t.detach().transpose(0, 1).contiguous().transpose(0, 1) for t in call.floats)
    floats = (floats[0], floats[1].transpose(2, 3).contiguous().transpose(2, 3), floats[2])
    value = call.value.detach().transpose(1, 2).contiguous().transpose(1, 2)
    strided = Call(value, call.shapes, call.starts, floats, call.grad_output)
    for tensor in strided.inputs():
        tensor.requires_grad_()
    assert all(torch.equal(a, b) for a, b in zip(strided.run("triton"), call.run("triton")))


@interpreted
def test_only_what_needs_a_gradient_gets_one() -> None:
    call = make_call(BOXES, [(3, 4)], images=1, heads=1)
    everything = call.run("triton")
    for needed in ([0], [1], [2, 3]):
        for place, tensor in enumerate(call.inputs()):
            tensor.requires_grad_(place in needed)
        output = call.attend("triton")
        gradients = torch.autograd.grad(output, [call.inputs()[place] for place in needed], call.grad_output)
        for place, got in zip(needed, gradients):
            torch.testing.assert_close(got, everything[1 + place])


@interpreted
def test_torchs_flag_asks_for_the_sorted_gradient() -> None:
    from dsct_detrex.ops import triton_operator

    calls: list[int] = []
    gather = triton_operator.gather_value_gradient
    triton_operator.gather_value_gradient = lambda *args: (calls.append(1), gather(*args))[1]  # type: ignore[func-returns-value]
    try:
        call = make_call(LOCATIONS, [(3, 4)], images=1, queries=2, heads=1)
        call.run("triton")
        assert calls == []
        torch.use_deterministic_algorithms(True)
        flagged = call.run("triton")
        assert calls == [1]
        torch.use_deterministic_algorithms(False)
        assert all(torch.equal(a, b) for a, b in zip(call.run("triton-deterministic"), flagged))
        assert calls == [1, 1]
    finally:
        torch.use_deterministic_algorithms(False)
        triton_operator.gather_value_gradient = gather


@interpreted
def test_under_autocast_results_keep_the_dtype_of_value() -> None:
    """As in a model under autocast: narrow values, offsets and logits, references in float32."""
    call = make_call(POINTS, [(3, 4)], images=1, heads=1)
    narrow = call.to("cpu", torch.bfloat16)
    narrow.floats = (call.floats[0], *narrow.floats[1:])
    with torch.autocast("cpu", torch.bfloat16):
        results = narrow.run("triton")
    assert [t.dtype for t in results] == [torch.bfloat16, torch.bfloat16, torch.float32, *2 * [torch.bfloat16]]
    wide = narrow.to("cpu", torch.float32).run("pytorch")
    for got, wanted in zip(results, wide):
        torch.testing.assert_close(got.float(), wanted, rtol=0, atol=2**-8 * max(1.0, float(wanted.abs().max())))


@interpreted
def test_the_operator_keeps_torchs_rules() -> None:
    """Schema, shape rules, autograd registration and tracing, as torch checks them; and one graph when compiled."""
    from dsct_detrex.ops import triton_operator  # noqa: F401  (registers the operator)

    operator = torch.ops.dsct_detrex.triton_attention
    call = make_call(BOXES, [(3, 4)], images=1, heads=1, queries=2)
    arguments = (call.value, call.shapes, call.starts, *call.floats, False)
    torch.library.opcheck(operator.default, arguments)
    one_graph = torch.compile(operator, backend="aot_eager", fullgraph=True)
    got = torch.autograd.grad(one_graph(*arguments).flatten(2), call.inputs(), call.grad_output)
    assert all(torch.equal(a, b) for a, b in zip(got, call.run("triton")[1:]))


@interpreted
def test_meta_tensors_give_the_shape() -> None:
    call = make_call(BOXES, [(5, 7), (3, 4)])
    inputs = [t.detach().to("meta") for t in (call.value, call.shapes, call.starts, *call.floats)]
    with use_backend("triton"):
        output = fused_deformable_attn(*inputs)
    assert output.is_meta
    assert output.shape == (2, 7, 24)


@pytest.mark.parametrize(("level", "start"), [((3, 5), 0), ((3, 4), 1), ((3, 4), -1)])
@interpreted
def test_a_level_outside_value_is_refused_or_gives_nan(level: tuple[int, int], start: int) -> None:
    """Where the sizes are on the CPU they are read; on a GPU reading would wait, so the kernel itself must be safe."""
    from dsct_detrex.ops import triton_operator

    arguments = make_arguments([(3, 4)], images=1, heads=1)
    shapes, starts = torch.tensor([level]), torch.tensor([start])
    call = Call(arguments.value, shapes, starts, arguments.floats()[1:], torch.ones(1, 7, 8))
    message = f"the level of {level[0]} x {level[1]} cells from position {start} on does not fit into value with 12"
    with pytest.raises(ValueError, match=message):
        call.attend("triton")
    read = triton_operator.read_levels
    triton_operator.read_levels = lambda *args: []
    try:
        output, grad_value, *_ = call.run("triton")
    finally:
        triton_operator.read_levels = read
    assert output.isnan().all()
    assert not grad_value.any()
