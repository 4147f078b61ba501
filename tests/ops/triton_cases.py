"""What the Triton backend must do, on any device: agree with the PyTorch backend, gradients included."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dsct_detrex.ops import fused_deformable_attn, multi_scale_deformable_attn, use_backend
from tests.ops.cases import make_arguments

LOCATIONS, POINTS, BOXES = 0, 2, 4
"""Which form of the operator: locations and weights, or offsets and logits around xy or cxcywh references."""

FORMS = (LOCATIONS, POINTS, BOXES)

# levels, sizes that differ from the defaults of make_arguments
SHAPES: list[tuple[list[tuple[int, int]], dict[str, Any]]] = [
    ([(5, 7)], {"queries": 0, "heads": 1}),
    ([(5, 7)], {"images": 0, "heads": 1}),
    ([(1, 1)], {"images": 1, "queries": 1, "heads": 1, "channels": 1, "points": 1}),
    ([(4, 3), (1, 5)], {"images": 2, "channels": 3, "points": 3}),
    ([(4, 3), (6, 1), (2, 2)], {"images": 3, "heads": 1, "channels": 24, "points": 2}),
    ([(9, 13), (5, 7), (3, 4), (2, 2)], {"images": 1, "heads": 2, "channels": 32}),
    ([(9, 4), (5, 7), (3, 4), (2, 2), (1, 1)], {"images": 1, "heads": 1, "channels": 100, "points": 8}),
    ([(7, 6), (3, 3)], {"images": 1, "queries": 130, "heads": 1, "channels": 64, "points": 1}),
    ([(5, 4)], {"images": 1, "heads": 1, "points": 5, "reach": 1000.0}),
]


@dataclass
class Call:
    """Arguments of one form of the operator, float tensors with gradients, and the gradient of its output."""

    value: Tensor
    shapes: Tensor
    starts: Tensor
    floats: tuple[Tensor, ...]
    grad_output: Tensor

    def inputs(self) -> tuple[Tensor, ...]:
        return (self.value, *self.floats)

    def to(self, device: str, dtype: torch.dtype) -> "Call":
        value, *floats = (t.detach().to(device, dtype).requires_grad_() for t in self.inputs())
        grad_output = self.grad_output.to(device, dtype)
        return Call(value, self.shapes.to(device), self.starts.to(device), tuple(floats), grad_output)

    def attend(self, backend: str) -> Tensor:
        attend = multi_scale_deformable_attn if len(self.floats) == 2 else fused_deformable_attn
        with use_backend(backend):
            return attend(self.value, self.shapes, self.starts, *self.floats)

    def run(self, backend: str) -> tuple[Tensor, ...]:
        """Output and the gradients of ``inputs()``."""
        output = self.attend(backend)
        return (output.detach(), *torch.autograd.grad(output, self.inputs(), self.grad_output))


def make_call(form: int, levels: list[tuple[int, int]], **sizes: Any) -> Call:
    """Random arguments in float32."""
    made = make_arguments(levels, **sizes)
    grad_output = torch.randn(*made.sampling_locations.shape[:2], made.value.shape[2:].numel())
    floats: tuple[Tensor, ...] = (made.sampling_locations, made.attention_weights)
    if form != LOCATIONS:
        grid = made.attention_weights.shape
        references = torch.rand(*grid[:2], len(levels), form)
        floats = (references, torch.randn(*grid, 2) * 2, torch.randn(grid) * 2)
    call = Call(made.value, made.spatial_shapes, made.level_start_index, floats, grad_output)
    return call.to("cpu", torch.float32)


def assert_agrees(call: Call, backend: str, device: str = "cpu", dtype: torch.dtype = torch.float32) -> None:
    """``backend`` on the device against PyTorch in double precision, from the same rounded numbers.

    float32 sums keep 5e-6 of a tensor's largest number (gradients grow with the map's size). A narrow dtype adds its
    rounding of the result (half a unit in the last place; a whole one for bfloat16, to which triton's interpreter cuts
    off), and the gradient of logits that of the output, whose product with its gradient it uses.
    """
    call = call.to("cpu", dtype)
    expected = call.to("cpu", torch.float64).run("pytorch")
    results = call.to(device, dtype).run(backend)
    cut_off = dtype == torch.bfloat16 and device == "cpu"
    rounding = 0.0 if dtype == torch.float64 else torch.finfo(dtype).eps / (1 if cut_off else 2)
    for place, (got, wanted) in enumerate(zip(results, expected)):
        assert got.dtype == dtype
        assert got.shape == wanted.shape
        largest = max(1.0, float(wanted.abs().max())) if wanted.numel() else 1.0
        allowed = (5e-6 if dtype != torch.float64 else 1e-12) * largest + rounding * largest
        if place == len(results) - 1 and len(call.floats) == 3 and wanted.numel():
            allowed += rounding * float((call.grad_output * expected[0]).abs().sum(-1).max())
        torch.testing.assert_close(got.double().cpu(), wanted, rtol=0, atol=allowed)
