"""The reference backend: multi-scale deformable attention out of torch's `grid_sample`, on any device.

Source of the operator: Deformable DETR (arXiv:2010.04159), Eq. 3.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from dsct_detrex.ops.levels import read_levels


def forward(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    """The backend's entry point; arguments and result as in `multi_scale_deformable_attn`, one float dtype."""
    images, cells, heads, channels = value.shape
    queries = locations.shape[1]
    if value.is_meta:  # sizes of levels cannot be read on the meta device; the shape of the result can
        return value.new_empty(images, queries, heads * channels)
    maps = value.permute(0, 2, 3, 1).flatten(0, 1)  # (B*H, D, S)
    grids = locations.transpose(1, 2).flatten(0, 1) * 2 - 1  # (B*H, Q, L, P, 2) in [-1, 1]
    shares = weights.transpose(1, 2).flatten(0, 1).flatten(2)  # (B*H, Q, L*P)
    samples = []
    for level, (height, width, start) in enumerate(read_levels(shapes, starts, cells)):
        level_map = maps[:, :, start : start + height * width].reshape(-1, channels, height, width)
        samples.append(F.grid_sample(level_map, grids[:, :, level], padding_mode="zeros", align_corners=False))
    output = (torch.cat(samples, -1) * shares[:, None]).sum(-1)  # (B*H, D, Q)
    return output.view(images, heads * channels, queries).transpose(1, 2)
