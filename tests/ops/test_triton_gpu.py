"""The Triton backend on a GPU: what the interpreter shows on the CPU, and what only a device can."""

import pytest
import torch

from dsct_detrex.ops import multi_scale_deformable_attn, triton_backend, use_backend
from dsct_detrex.ops.triton_backend import INTERPRETER_VARIABLE
from tests.ops.triton_cases import BOXES, FORMS, LOCATIONS, POINTS, SHAPES, Call, assert_agrees, make_call

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
    pytest.mark.skipif(not triton_backend.is_installed(), reason="no triton from 3.3 on"),
]

LEVELS = [(60, 80), (30, 40), (15, 20), (8, 10)]


@pytest.fixture(autouse=True)
def _compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(INTERPRETER_VARIABLE, raising=False)


@pytest.mark.parametrize("backend", ["triton", "triton-deterministic"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_output_and_gradients_equal_pytorch(shape: int, form: int, backend: str) -> None:
    levels, sizes = SHAPES[shape]
    assert_agrees(make_call(form, levels, **sizes), backend, "cuda")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("form", [POINTS, BOXES])
def test_the_size_of_a_decoder(form: int, dtype: torch.dtype) -> None:
    """300 queries, and 3000 for the other half of the table of tiles."""
    for queries in (300, 3000):
        call = make_call(form, LEVELS, images=1, queries=queries, heads=8, channels=32)
        assert_agrees(call, "triton", "cuda", dtype)


def test_it_is_chosen_before_pytorch() -> None:
    from dsct_detrex.ops.backends import choose_backend

    assert choose_backend(torch.zeros(1, 1, 8, 32, device="cuda")).name in ("detrex", "triton")


@pytest.mark.parametrize("form", [LOCATIONS, POINTS])
def test_the_sorted_gradient_repeats_bit_for_bit(form: int) -> None:
    """All queries fall on a few cells, where the order of additions shows."""
    call = make_call(form, [(3, 4), (2, 2)], images=2, queries=4000, heads=4, channels=32).to("cuda", torch.float32)
    first, *others = (call.run("triton-deterministic") for _ in range(4))
    for other in others:
        assert all(torch.equal(a, b) for a, b in zip(first, other))
    torch.use_deterministic_algorithms(True)
    try:
        assert all(torch.equal(a, b) for a, b in zip(first, call.run("triton")))
    finally:
        torch.use_deterministic_algorithms(False)


def test_nothing_waits_for_the_device() -> None:
    call = make_call(POINTS, LEVELS, images=1, queries=300, heads=8, channels=32).to("cuda", torch.bfloat16)
    call.run("triton")  # compiles
    torch.cuda.set_sync_debug_mode("error")
    try:
        call.run("triton")
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_values_beyond_32_bit_places() -> None:
    """2**31 numbers and more, of which the last image's are asked for."""
    images, cells = 9, 2**20
    if torch.cuda.mem_get_info()[0] < 24 * 2**30:
        pytest.skip("less than 24 GiB of GPU memory are free")
    value = torch.zeros(images, cells, 8, 32, device="cuda")
    value[-1, -1] = 1
    shapes, starts = torch.tensor([[1024, 1024]], device="cuda"), torch.tensor([0], device="cuda")
    corner, weights = torch.ones(images, 1, 8, 1, 1, 2, device="cuda"), torch.full((images, 1, 8, 1, 1), 4.0).cuda()
    with use_backend("triton"):
        output = multi_scale_deformable_attn(value, shapes, starts, corner, weights)
    assert torch.equal(output[-1], torch.ones_like(output[-1]))  # a quarter of the cell, four times
    assert not output[:-1].any()


def test_a_level_outside_value_gives_nan() -> None:
    call = make_call(POINTS, [(3, 4)], images=1).to("cuda", torch.float32)
    broken = Call(call.value, torch.tensor([[300, 400]], device="cuda"), call.starts, call.floats, call.grad_output)
    output, grad_value, *_ = broken.run("triton")
    assert output.isnan().all()
    assert not grad_value.any()


def test_one_graph_when_compiled() -> None:
    call = make_call(BOXES, LEVELS, images=1, queries=50, heads=8, channels=32).to("cuda", torch.float32)
    from dsct_detrex.ops import triton_operator  # noqa: F401  (registers the operator)

    attend = torch.compile(torch.ops.dsct_detrex.triton_attention, fullgraph=True)
    output = attend(call.value, call.shapes, call.starts, *call.floats, False).flatten(2)
    torch.testing.assert_close(output, call.attend("triton"))
