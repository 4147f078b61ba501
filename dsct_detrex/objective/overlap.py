"""Generalised IoU of paired boxes (Rezatofighi et al., arXiv:1902.09630), broadcast over leading dimensions.

detrex, and with it ``layers.boxes``, adds 1e-6 to the denominators; the official DSCT code divides exactly. Small
normalised boxes have areas where 1e-6 shows in the fifth digit, so the objective divides exactly too, and only a pair
that covers nothing at all (below 1e-9 of the image) is kept from dividing by zero. Areas are width times height, not
``prod``: the gradient of ``prod`` reads a value back from the device.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dsct_detrex.layers.boxes import box_cxcywh_to_xyxy

_NO_AREA = 1e-9  # a pixel of a 4000 x 4000 image covers 6e-8 of it


def generalized_iou(a: Tensor, b: Tensor) -> Tensor:
    """GIoU in [-1, 1] of boxes that stand at the same place.

    Args:
        a: (..., 4) ``cxcywh`` normalised, width and height not negative.
        b: (..., 4) in the same frame; leading dimensions broadcast against those of ``a``.

    Returns:
        (...) the broadcast shape.
    """
    iou, gap = iou_and_gap(a, b)
    return iou - gap


def iou_and_gap(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The two parts of GIoU: IoU in [0, 1], and the share of the common hull in [0, 1] that neither box covers.

    Args and shape of the results: see ``generalized_iou``.
    """
    a, b = box_cxcywh_to_xyxy(a), box_cxcywh_to_xyxy(b)
    inner = _area(torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:]))
    hull = _area(torch.minimum(a[..., :2], b[..., :2]), torch.maximum(a[..., 2:], b[..., 2:]))
    union = _area(a[..., :2], a[..., 2:]) + _area(b[..., :2], b[..., 2:]) - inner
    return inner / union.clamp(min=_NO_AREA), (hull - union) / hull.clamp(min=_NO_AREA)


def _area(top_left: Tensor, bottom_right: Tensor) -> Tensor:
    size = (bottom_right - top_left).clamp(min=0)
    return size[..., 0] * size[..., 1]
