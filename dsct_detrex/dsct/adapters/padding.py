"""Padding that a backbone asks for: some can only read squares, or sides divisible by a number.

Source: ``padding_constraints`` of detectron2's backbones (ViTDet, EVA), read as detrex's projects/dino_eva does.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


def pad_for_backbone(images: Tensor, mask: Tensor, constraints: Mapping[str, int]) -> tuple[Tensor, Tensor]:
    """Pad a batch further, right and below; everything that DSCT predicts is in the unpadded frame and stays.

    Args:
        images: (B, 3, H, W) normalised pixels, zero where padded.
        mask: (B, H, W) bool, True = padding.
        constraints: ``square_size``, the side of the square to pad to (images that are larger get a larger square; 0:
            no square), and ``size_divisibility``, what both sides are to be divisible by; either may be absent.
    """
    height, width = images.shape[-2:]
    if square := constraints.get("square_size", 0):
        height = width = max(square, height, width)
    divisor = max(1, constraints.get("size_divisibility", 1))
    below, right = (-(-side // divisor) * divisor - old for side, old in zip((height, width), images.shape[-2:]))
    return nn.functional.pad(images, (0, right, 0, below)), nn.functional.pad(mask, (0, right, 0, below), value=True)
