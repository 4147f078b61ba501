"""The Triton kernels compile for GPUs, on a machine without one: launches end before the device would be needed.

What the interpreter does not see: types, block shapes and branches that the compiler refuses, how wide memory is read,
and where atomic instructions are.
"""

import re
from typing import Any

import pytest
import torch

from dsct_detrex.ops import triton_backend
from tests.ops.children import compiled
from tests.ops.triton_cases import BOXES, LOCATIONS, POINTS

pytestmark = pytest.mark.skipif(
    not triton_backend.is_installed(), reason="no triton from 3.3 on: torch for Linux GPUs brings it along from 2.7 on"
)


class NoDevice:
    """Triton's driver as far as compiling asks for it."""

    def __init__(self, capability: int) -> None:
        self.capability = capability

    def get_current_target(self) -> Any:
        from triton.backends.compiler import GPUTarget

        return GPUTarget("cuda", self.capability, 32)

    def get_current_device(self) -> int:
        return self.capability

    def get_current_stream(self, device: int) -> int:
        return 0


def assembly(capability: int, form: int, channels: int, dtype: torch.dtype, ordered: bool) -> dict[str, str]:
    """Name of a kernel -> PTX, of the launches that the operator and its gradient make."""
    import triton
    from triton.runtime import driver

    from dsct_detrex.ops import triton_operator

    made: dict[str, str] = {}

    def compile_only(kernel: Any, grid: Any) -> Any:
        def launch(*args: Any, **options: Any) -> None:
            made[kernel.fn.__name__] = kernel.warmup(*args, grid=grid, **options).asm["ptx"]

        return launch

    shapes = torch.tensor([(100, 134), (50, 67), (25, 34), (13, 17)])
    sizes = shapes.prod(1)
    value = torch.empty(1, int(sizes.sum()), 8, channels, dtype=dtype)
    grid = (1, 300, 8, 4, 4)
    references = torch.empty(1, 300, 4, form) if form else None
    inputs = (value, shapes, sizes.cumsum(0) - sizes, references, torch.empty(*grid, 2), torch.empty(grid))
    output = torch.empty(1, 300, 8, channels, dtype=dtype)
    before = triton.JITFunction.__getitem__
    triton.JITFunction.__getitem__ = compile_only
    driver.set_active(NoDevice(capability))
    try:
        triton_operator._attention(*inputs, False)
        triton_operator._attention_backward(output, output, *inputs, True, False, ordered)
    finally:
        triton.JITFunction.__getitem__ = before  # the driver stays: without a device there is none to go back to
    return made


def atomics(ptx: str) -> list[str]:
    return re.findall(r"\b(?:atom|red)\.[\w.:]+", ptx)


@compiled
def test_a_model_in_16_bits_on_capability_9() -> None:
    kernels = assembly(90, POINTS, 32, torch.bfloat16, ordered=False)
    assert set(kernels) == {"forward_kernel", "backward_kernel"}
    for ptx in kernels.values():
        assert "ld.global.v4.b32" in ptx  # eight channels of 16 bits at once
    assert atomics(kernels["forward_kernel"]) == []
    added = atomics(kernels["backward_kernel"])
    assert added
    assert all("add" in instruction and "f32" in instruction for instruction in added)


@compiled
def test_the_deterministic_option_has_no_atomics() -> None:
    kernels = assembly(80, LOCATIONS, 24, torch.float32, ordered=True)
    assert set(kernels) == {"forward_kernel", "backward_kernel", "gather_kernel"}
    for ptx in kernels.values():
        assert "ld.global.v4.b32" in ptx  # four channels of 32 bits at once
        assert atomics(ptx) == []


@compiled
def test_boxes_and_a_head_that_fills_no_tile() -> None:
    assert set(assembly(80, BOXES, 100, torch.float16, ordered=False)) == {"forward_kernel", "backward_kernel"}
