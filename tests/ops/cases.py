"""Operator arguments for the tests: random shapes, locations inside and outside, and edge-case tables."""

from dataclasses import dataclass

import torch
from torch import Tensor

BACKENDS = ("pytorch", "numba")


@dataclass
class Arguments:
    """Arguments of the operator in its order; the float tensors require gradients."""

    value: Tensor
    spatial_shapes: Tensor
    level_start_index: Tensor
    sampling_locations: Tensor
    attention_weights: Tensor

    def all(self) -> tuple[Tensor, ...]:
        return (
            self.value,
            self.spatial_shapes,
            self.level_start_index,
            self.sampling_locations,
            self.attention_weights,
        )

    def floats(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.value, self.sampling_locations, self.attention_weights


def make_arguments(
    levels: list[tuple[int, int]],
    images: int = 2,
    queries: int = 7,
    heads: int = 3,
    channels: int = 8,
    points: int = 4,
    dtype: torch.dtype = torch.float32,
    reach: float = 0.5,
) -> Arguments:
    """Random arguments; locations lie in [-reach, 1 + reach]."""
    shapes = torch.tensor(levels, dtype=torch.int64)
    sizes = shapes.prod(1)
    value = torch.randn(images, int(sizes.sum()), heads, channels, dtype=dtype)
    locations = torch.rand(images, queries, heads, len(levels), points, 2, dtype=dtype) * (1 + 2 * reach) - reach
    weights = torch.randn(images, queries, heads, len(levels) * points, dtype=dtype).softmax(-1)
    weights = weights.view(images, queries, heads, len(levels), points)
    return Arguments(
        value.requires_grad_(),
        shapes,
        sizes.cumsum(0) - sizes,
        locations.requires_grad_(),
        weights.requires_grad_(),
    )
