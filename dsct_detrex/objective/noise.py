"""Noise for boxes and emotions: by how much a person is spoilt before a denoising query has to mend it.

Sources: DN-DETR, arXiv:2203.01305, section 4.3 (boxes, single labels); DINO, arXiv:2203.03605, section 3.3 (sides of
boxes, negatives). Where and why this departs from them: ``denoising``.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dsct_detrex.layers.boxes import box_cxcywh_to_xyxy, box_xyxy_to_cxcywh

SHORTEST_SIDE = 1e-3
"""Least width and height of a spoilt box, in [0, 1] of the image: what detrex's clamp of inverse sigmoids leaves."""


def shift_and_scale(boxes: Tensor, amount: float) -> Tensor:
    """DN-DETR: (..., 4) ``cxcywh``, centre moved by up to ``amount`` of half the size, size changed by up to it."""
    size = boxes[..., 2:]
    return boxes + amount * _either_way(boxes) * torch.cat([size / 2, size], -1)


def wiggle_sides(boxes: Tensor, amount: float) -> Tensor:
    """DINO's positives: (..., 4) ``cxcywh``, every side moved by up to ``amount`` of half the size, on its own."""
    reach = amount / 2 * torch.cat([boxes[..., 2:], boxes[..., 2:]], -1)
    return box_xyxy_to_cxcywh(box_cxcywh_to_xyxy(boxes) + reach * _either_way(boxes))


def push_away(boxes: Tensor, amount: float) -> Tensor:
    """Negatives: (..., 4) ``cxcywh``, sides moved by once to twice that reach, those of one axis the same way."""
    way = torch.where(torch.rand_like(boxes[..., 2:]) < 0.5, -1.0, 1.0) * boxes[..., 2:] * amount / 2
    return box_xyxy_to_cxcywh(box_cxcywh_to_xyxy(boxes) + torch.cat([way, way], -1) * (1 + torch.rand_like(boxes)))


def inside_the_image(boxes: Tensor) -> Tensor:
    """(..., 4) ``cxcywh``, sides cut to [0, 1], width and height at least 1e-3."""
    boxes = box_xyxy_to_cxcywh(box_cxcywh_to_xyxy(boxes).clamp(0, 1))
    return torch.cat([boxes[..., :2], boxes[..., 2:].clamp(min=SHORTEST_SIDE)], -1)


def redraw_emotions(hot: Tensor, probability: float, multi_label: bool) -> Tensor:
    """(..., K) float 0/1 with labels drawn anew: every bit on its own, or the one label among all K."""
    if multi_label:
        fresh = (torch.rand_like(hot) < hot.mean(-1, keepdim=True)).to(hot.dtype)
        return torch.where(torch.rand_like(hot) < probability, fresh, hot)
    return torch.where(torch.rand_like(hot[..., :1]) < probability, any_emotion(hot), hot)


def _either_way(like: Tensor) -> Tensor:
    """Uniform in [-1, 1)."""
    return 2 * torch.rand_like(like) - 1


def any_emotion(like: Tensor) -> Tensor:
    """(..., K) one-hot, each category as likely."""
    index = torch.randint(like.shape[-1], like.shape[:-1], device=like.device)
    return (index[..., None] == torch.arange(like.shape[-1], device=like.device)).to(like.dtype)
