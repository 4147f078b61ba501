"""The reference backend: multi-scale deformable attention out of torch's `grid_sample`, on any device.

Level after level is sampled and added up, so that no tensor holds the samples of all levels at once.
Source of the operator: Deformable DETR (arXiv:2010.04159), Eq. 3.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def forward(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    """The backend's entry point; arguments and result as in `multi_scale_deformable_attn`, one float dtype."""
    images, _, heads, channels = value.shape
    queries = locations.shape[1]
    if value.is_meta:  # sizes of levels cannot be read on the meta device; the shape of the result can
        return value.new_empty(images, queries, heads * channels)
    maps = value.permute(0, 2, 3, 1).flatten(0, 1)  # (B*H, D, S)
    grids = locations.transpose(1, 2).flatten(0, 1) * 2 - 1  # (B*H, Q, L, P, 2) in [-1, 1]
    shares = weights.transpose(1, 2).flatten(0, 1)  # (B*H, Q, L, P)
    output = value.new_zeros(images * heads, channels, queries)
    for level, ((height, width), start) in enumerate(zip(shapes.tolist(), starts.tolist())):
        level_map = maps[:, :, start : start + height * width].unflatten(2, (height, width))
        samples = F.grid_sample(level_map, grids[:, :, level], padding_mode="zeros", align_corners=False)
        output = output + torch.einsum("ndqp,nqp->ndq", samples, shares[:, :, level])
    return output.unflatten(0, (images, heads)).permute(0, 3, 1, 2).flatten(2)
