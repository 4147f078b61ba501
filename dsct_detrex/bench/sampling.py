"""What deformable attention is called with at the sizes of an R50 detector, and its usual fallback without a compiler.

Strides 8 to 64, 8 heads of 32 channels, 4 levels of 4 points: the encoder asks one query a cell, around that cell; the
decoder a few hundred anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dsct_detrex.bench.contracts import Size

HEADS, CHANNELS, POINTS = 8, 32, 4
STRIDES = (8, 16, 32, 64)
OFFSET_IN_CELLS = 3.0  # spread of sampling points around their query, as in a trained model


@dataclass(frozen=True)
class Sampling:
    """Arguments of ``ops.fused_deformable_attn`` and the gradient of its output."""

    value: Tensor
    shapes: Tensor
    starts: Tensor
    references: Tensor
    offsets: Tensor
    logits: Tensor
    grad_output: Tensor


def make_sampling(size: Size, queries: int | None, device: torch.device, images: int = 1) -> Sampling:
    """For a picture of this size, always the same; ``queries`` None makes the encoder's."""
    generator = torch.Generator().manual_seed(0)
    shapes = torch.tensor([[-(-size.height // stride), -(-size.width // stride)] for stride in STRIDES])
    cells = shapes.prod(1)
    points = _cell_centres(shapes) if queries is None else torch.rand(queries, 2, generator=generator)
    grid = (images, len(points), HEADS, len(STRIDES), POINTS)
    tensors = (
        torch.randn(images, int(cells.sum()), HEADS, CHANNELS, generator=generator),
        shapes,
        cells.cumsum(0) - cells,
        points[None, :, None].repeat(images, 1, len(STRIDES), 1),
        torch.randn(*grid, 2, generator=generator) * OFFSET_IN_CELLS,
        torch.randn(grid, generator=generator),
        torch.randn(images, len(points), HEADS * CHANNELS, generator=generator),
    )
    return Sampling(*(tensor.to(device) for tensor in tensors))


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
