"""Pictures that the two branches of a two-stage model look at: each person, and the scene around them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import roi_align


def person_crops(image: Tensor, boxes: Tensor, size: int) -> Tensor:
    """Cut people out, each resized to a square.

    Args:
        image: (3, H, W) normalised.
        boxes: (n, 4) ``xyxy`` in pixels of ``image``; what lies outside is zero, the mean colour.
        size: side of the crops in pixels.

    Returns:
        (n, 3, size, size); every pixel is the average of what it covers.
    """
    crops: Tensor = roi_align(image[None], [boxes.to(image.dtype)], size, sampling_ratio=-1, aligned=True)
    return crops


def scenes(image: Tensor, boxes: Tensor, size: int, mask_subjects: bool) -> Tensor:
    """The whole picture, once for each person.

    Args:
        image: (3, H, W) normalised.
        boxes: (n, 4) ``xyxy`` in pixels of ``image``.
        size: side of the result in pixels.
        mask_subjects: whether a person is painted over, in the mean colour, in their own scene.

    Returns:
        (n, 3, size, size).
    """
    height, width = image.shape[-2:]
    views = image.expand(len(boxes), -1, -1, -1)
    if mask_subjects:
        y = torch.arange(height, device=image.device)[None, :, None] + 0.5
        x = torch.arange(width, device=image.device)[None, None, :] + 0.5
        x0, y0, x1, y1 = boxes[:, :, None, None].unbind(1)
        inside = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
        views = views.masked_fill(inside[:, None], 0.0)
    return F.interpolate(views, (size, size), mode="bilinear", antialias=True, align_corners=False)
