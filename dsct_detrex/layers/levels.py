"""Feature levels as one sequence of tokens, and the frames that references and proposals live in.

Shape shorthand in this module: B images, V levels, S tokens (all positions of all levels), Q queries, C channels.

Two frames: *unpadded*, normalised to each image's own valid area, which is where boxes and references live; *padded*,
normalised to the whole padded map of a level, which is where deformable attention samples. ``valid_ratios`` (B, V, 2),
in xy order, lead from the first to the second.

Source: Deformable DETR, arXiv:2010.04159, sections 4.1, 4.2 and appendix (two-stage).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dsct_detrex.ops.levels import make_levels

# Proposals closer than this to the border of the image, or larger than one minus this, are no candidates.
PROPOSAL_MARGIN = 0.01
# Side of the square proposal at every position of the finest level, as a share of the image; doubled each level.
PROPOSAL_SIZE = 0.05


@dataclass(frozen=True)
class Levels:
    """All levels side by side.

    Attributes:
        tokens: (B, S, C) features, level after level, row by row.
        positions: (B, S, C) position and level embedding of the tokens.
        padding: (B, S) bool, True = padding.
        sizes: (height, width) of each level.
        spatial_shapes: (V, 2) int64, the sizes on the device.
        level_start_index: (V,) int64, first token of each level.
        valid_sizes: (B, V, 2) int64, unpadded width and height of each level.
        valid_ratios: (B, V, 2) the same as a share of the level's width and height.
    """

    tokens: Tensor
    positions: Tensor
    padding: Tensor
    sizes: tuple[tuple[int, int], ...]
    spatial_shapes: Tensor
    level_start_index: Tensor
    valid_sizes: Tensor
    valid_ratios: Tensor


def shrink_mask(mask: Tensor, size: Sequence[int]) -> Tensor:
    """(B, H, W) bool padding mask of images to (B, *size) of a map, nearest pixel."""
    return nn.functional.interpolate(mask[None].float(), size=tuple(size))[0].bool()


def flatten_levels(
    features: Sequence[Tensor], masks: Sequence[Tensor], positions: Sequence[Tensor], level_embeds: Tensor
) -> Levels:
    """Lay the levels side by side.

    Args:
        features: V maps (B, C, H_v, W_v).
        masks: V masks (B, H_v, W_v) bool, True = padding; padding lies right and below.
        positions: V maps (B, C, H_v, W_v).
        level_embeds: (V, C) added to the positions of each level.
    """
    sizes = tuple((f.shape[-2], f.shape[-1]) for f in features)
    spatial_shapes, level_start_index = make_levels(sizes, features[0].device)
    valid_sizes = torch.stack([torch.stack([(~m[:, 0]).sum(1), (~m[:, :, 0]).sum(1)], -1) for m in masks], 1)
    embedded = [_tokens(p) + embed for p, embed in zip(positions, level_embeds)]
    return Levels(
        tokens=torch.cat([_tokens(f) for f in features], 1),
        positions=torch.cat(embedded, 1),
        padding=torch.cat([m.flatten(1) for m in masks], 1),
        sizes=sizes,
        spatial_shapes=spatial_shapes,
        level_start_index=level_start_index,
        valid_sizes=valid_sizes,
        valid_ratios=valid_sizes.float() / spatial_shapes.flip(-1),
    )


def _tokens(level: Tensor) -> Tensor:
    """(B, C, H, W) to (B, H * W, C)."""
    return level.flatten(2).transpose(1, 2)


def _pixel_centres(height: int, width: int, device: torch.device) -> Tensor:
    """(height * width, 2) xy of the pixel centres of a map, in its pixels."""
    y = torch.arange(height, dtype=torch.float32, device=device) + 0.5
    x = torch.arange(width, dtype=torch.float32, device=device) + 0.5
    grid_y, grid_x = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([grid_x, grid_y], -1).flatten(0, 1)


def encoder_references(levels: Levels) -> Tensor:
    """(B, S, V, 2) xy of each token's own position, padded frame of every level."""
    valid = levels.valid_ratios * levels.spatial_shapes.flip(-1)
    own = [_pixel_centres(*size, valid.device) / valid[:, None, v] for v, size in enumerate(levels.sizes)]
    return scale_references(torch.cat(own, 1), levels.valid_ratios)


def scale_references(references: Tensor, valid_ratios: Tensor) -> Tensor:
    """References as deformable attention wants them.

    Args:
        references: (B, Q, 2) ``xy`` or (B, Q, 4) ``cxcywh``, unpadded frame.
        valid_ratios: (B, V, 2).

    Returns:
        (B, Q, V, 2 or 4), padded frame of every level.
    """
    if references.shape[-1] == 4:
        valid_ratios = torch.cat([valid_ratios, valid_ratios], -1)
    return references[:, :, None] * valid_ratios[:, None]


def grid_proposals(levels: Levels) -> tuple[Tensor, Tensor]:
    """One square proposal at every position, larger on coarser levels.

    Returns:
        (B, S, 4) logits of ``cxcywh``, unpadded frame, +inf where there is no candidate; and (B, S) bool, True =
        candidate: neither padding nor too close to the border.
    """
    proposals = []
    for v, size in enumerate(levels.sizes):
        centres = _pixel_centres(*size, levels.tokens.device) / levels.valid_sizes[:, None, v]
        proposals.append(torch.cat([centres, torch.full_like(centres, PROPOSAL_SIZE * 2.0**v)], -1))
    boxes = torch.cat(proposals, 1)
    # Padding lies beyond 1 in the unpadded frame, so the margin rules it out too.
    candidate = ((boxes > PROPOSAL_MARGIN) & (boxes < 1 - PROPOSAL_MARGIN)).all(-1)
    return torch.log(boxes / (1 - boxes)).masked_fill(~candidate[..., None], float("inf")), candidate
