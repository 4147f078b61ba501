"""From a list of model inputs to one padded, normalised batch with its padding mask.

DSCT never uses a host's own normaliser (in detrex a lambda over tensors that do not follow ``.to()``) and always masks
padding, in training and in evaluation, so that a batch gives what its images give alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn


class ImageBatch(NamedTuple):
    """Images of different sizes in one tensor, aligned at the top left.

    Attributes:
        pixels: (B, 3, H, W) normalised, zero where padded.
        mask: (B, H, W) bool, True = padding.
    """

    pixels: Tensor
    mask: Tensor


class ImageNormalizer(nn.Module):
    """Normalises, pads and masks.

    Args:
        mean: per channel, RGB, 0-255.
        std: likewise.

    Raises:
        ValueError: not three numbers each, or a deviation that is not positive.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        for name, values in (("pixel_mean", mean), ("pixel_std", std)):
            if len(values) != 3 or (name == "pixel_std" and min(values) <= 0):
                kind = "positive numbers" if name == "pixel_std" else "numbers"
                raise ValueError(f"DSCT({name}=) expects three {kind}, R, G and B. Got {list(values)}.")
        self.register_buffer("mean", torch.tensor(list(mean)).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(list(std)).view(3, 1, 1), persistent=False)

    def normalise(self, image: Tensor) -> Tensor:
        """(3, h, w) RGB 0-255, any dtype and device, normalised on the device of this module.

        A GPU gets the bytes as they are, a quarter of what floats would be, and without being waited for where they lie
        in page-locked memory.
        """
        here = image.to(self.mean.device, non_blocking=self.mean.is_cuda)
        return (here.to(self.mean.dtype) - self.mean) / self.std

    def forward(self, images: Sequence[Tensor]) -> ImageBatch:
        """Batch images.

        Args:
            images: each (3, h, w), RGB 0-255, any dtype and device.
        """
        height = max(image.shape[-2] for image in images)
        width = max(image.shape[-1] for image in images)
        pixels = self.mean.new_zeros(len(images), 3, height, width)
        mask = torch.ones(len(images), height, width, dtype=torch.bool, device=pixels.device)
        for index, image in enumerate(images):
            h, w = image.shape[-2:]
            pixels[index, :, :h, :w] = self.normalise(image)
            mask[index, :h, :w] = False
        return ImageBatch(pixels, mask)


def original_size(entry: Mapping[str, Any]) -> tuple[int, int]:
    """(height, width) in pixels of the picture that a model input was made of; that of its ``image`` if unsaid."""
    height, width = entry["image"].shape[-2:]
    return entry.get("height", height), entry.get("width", width)
