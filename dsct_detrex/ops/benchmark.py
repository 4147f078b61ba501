"""Time the backends of multi-scale deformable attention against the stacked `grid_sample` formulation; print a table.

Forward + backward at the sizes of an R50 detector (strides 8 to 64, 8 heads x 32 channels, 4 levels x 4 points): the
encoder asks one query per cell around that cell, the decoder a few hundred anywhere. All candidates take turns within
every repeat, so a busy machine disturbs all alike; the medians are reported. Everything happens on the CPU.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dsct_detrex.ops import available_backends, multi_scale_deformable_attn, use_backend
from dsct_detrex.ops.backends import find_backend

HEADS, CHANNELS, POINTS = 8, 32, 4
STRIDES = (8, 16, 32, 64)
OFFSET_IN_CELLS = 3.0  # spread of sampling points around their query, as in a trained model

Operator = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Case:
    """One set of operator arguments and the gradient of its output."""

    name: str
    arguments: tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
    grad_output: Tensor


def make_case(height: int, width: int, batch: int, decoder_queries: int | None) -> Case:
    """Arguments for an image of height x width pixels; `decoder_queries` None makes the encoder's case."""
    shapes = torch.tensor([[-(-height // stride), -(-width // stride)] for stride in STRIDES])
    sizes = shapes.prod(1)
    starts = sizes.cumsum(0) - sizes
    cells = int(sizes.sum())
    references = _cell_centres(shapes) if decoder_queries is None else torch.rand(decoder_queries, 2)
    queries = len(references)
    cell_sizes = 1 / shapes.flip(1)[:, None]
    spread = torch.randn(batch, queries, HEADS, len(STRIDES), POINTS, 2) * OFFSET_IN_CELLS * cell_sizes
    locations = (references[:, None, None, None] + spread).requires_grad_()
    weights = torch.rand(batch, queries, HEADS, len(STRIDES) * POINTS).softmax(-1)
    weights = weights.view(batch, queries, HEADS, len(STRIDES), POINTS).requires_grad_()
    value = torch.randn(batch, cells, HEADS, CHANNELS, requires_grad=True)
    kind = "encoder" if decoder_queries is None else f"decoder {decoder_queries}"
    grad_output = torch.randn(batch, queries, HEADS * CHANNELS)
    return Case(f"{kind} {height}x{width}", (value, shapes, starts, locations, weights), grad_output)


def _cell_centres(shapes: Tensor) -> Tensor:
    """(S, 2) xy in [0, 1] of all cells of all levels."""
    centres = []
    for height, width in shapes.tolist():
        y, x = torch.meshgrid((torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width, indexing="ij")
        centres.append(torch.stack((x, y), -1).flatten(0, 1))
    return torch.cat(centres)


def stacked_grid_sample(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    """The usual fallback without a compiled operator: one `grid_sample` a level, all samples stacked, one sum."""
    batch, _, heads, channels = value.shape
    samples = []
    for level, ((height, width), start) in enumerate(zip(shapes.tolist(), starts.tolist())):
        level_value = value[:, start : start + height * width].flatten(2).transpose(1, 2)
        level_map = level_value.reshape(batch * heads, channels, height, width)
        grid = (2 * locations[:, :, :, level] - 1).transpose(1, 2).flatten(0, 1)
        samples.append(F.grid_sample(level_map, grid, padding_mode="zeros", align_corners=False))
    stacked = torch.stack(samples, -2).flatten(-2)
    shares = weights.transpose(1, 2).flatten(3).flatten(0, 1).unsqueeze(1)
    return (stacked * shares).sum(-1).view(batch, heads * channels, -1).transpose(1, 2).contiguous()


def with_backend(name: str) -> Operator:
    """The operator with one backend."""

    def operator(*arguments: Tensor) -> Tensor:
        with use_backend(name):
            return multi_scale_deformable_attn(*arguments)

    return operator


def forward_backward(operator: Operator, case: Case) -> tuple[float, float, Tensor]:
    """Seconds forward, seconds backward, and the output."""
    inputs = [tensor for tensor in case.arguments if tensor.requires_grad]
    begin = time.perf_counter()
    output = operator(*case.arguments)
    middle = time.perf_counter()
    torch.autograd.grad(output, inputs, case.grad_output)
    return middle - begin, time.perf_counter() - middle, output.detach()


def run(case: Case, operators: dict[str, Operator], repeats: int) -> list[str]:
    """Table rows of one case."""
    outputs = {name: forward_backward(operator, case)[2] for name, operator in operators.items()}  # also warms up
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in operators}
    for _ in range(repeats):
        for name, operator in operators.items():
            times[name].append(forward_backward(operator, case)[:2])
    reference_name = next(iter(operators))
    totals = {name: statistics.median(sum(pair) for pair in pairs) for name, pairs in times.items()}
    rows = []
    for name, pairs in times.items():
        forward, backward = (1e3 * statistics.median(column) for column in zip(*pairs))
        error = float((outputs[name] - outputs[reference_name]).abs().max())
        rows.append(
            f"| {case.name} | {name} | {forward:.1f} | {backward:.1f} | {totals[reference_name] / totals[name]:.1f} "
            f"| {error:.1e} |"
        )
    return rows


def main() -> int:
    """Read the command line, time every case and print the table; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["480x640", "800x1066"], help="HEIGHTxWIDTH in pixels")
    parser.add_argument("--queries", type=int, default=300, help="decoder queries")
    parser.add_argument("--batch", type=int, default=1, help="images")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=7, help="for the encoder; the decoder gets five times as many")
    runnable = [name for name in available_backends() if find_backend(name).supports(torch.zeros(1, 1, 1, 1))]
    parser.add_argument("--backends", nargs="+", default=runnable, choices=available_backends())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    operators: dict[str, Operator] = {"stacked grid_sample": stacked_grid_sample}
    operators.update({name: with_backend(name) for name in options.backends})
    print("| case | backend | forward ms | backward ms | times faster | output error |")
    print("|---|---|---:|---:|---:|---:|")
    for size in options.sizes:
        height, width = (int(side) for side in size.split("x"))
        for queries, repeats in ((None, options.repeats), (options.queries, 5 * options.repeats)):
            print("\n".join(run(make_case(height, width, options.batch, queries), operators, repeats)), flush=True)
    return 0
