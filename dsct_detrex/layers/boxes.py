"""Boxes of the DETR family: formats, overlaps, and references refined by offsets.

A box is ``cxcywh`` (centre, width, height) or ``xyxy`` (left, top, right, bottom); every function works in whatever
frame its inputs share. Detectors use ``cxcywh`` normalised to the unpadded image.

Sources: generalised IoU, arXiv:1902.09630; refinement, Deformable DETR, arXiv:2010.04159, appendix. The ``eps``
defaults are detrex's; the official DSCT and Deformable-DETR codes use 0 for overlaps and 1e-5 for ``inverse_sigmoid``.
"""

import torch
from torch import Tensor


def box_cxcywh_to_xyxy(boxes: Tensor) -> Tensor:
    """(..., 4) ``cxcywh`` to (..., 4) ``xyxy``, same frame."""
    centre, half = boxes[..., :2], 0.5 * boxes[..., 2:]
    return torch.cat([centre - half, centre + half], dim=-1)


def box_xyxy_to_cxcywh(boxes: Tensor) -> Tensor:
    """(..., 4) ``xyxy`` to (..., 4) ``cxcywh``, same frame."""
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], dim=-1)


def box_area(boxes: Tensor) -> Tensor:
    """(...,) areas of (..., 4) ``xyxy`` boxes, in squared units of their frame."""
    return (boxes[..., 2:] - boxes[..., :2]).prod(-1)


def elementwise_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-6) -> tuple[Tensor, Tensor]:
    """Overlap of each box with its partner.

    Args:
        boxes1: (..., 4) ``xyxy``.
        boxes2: (..., 4) ``xyxy``, broadcastable to ``boxes1``.
        eps: added to the union in the denominator; 0 makes two empty boxes NaN.

    Returns:
        (...,) IoU in [0, 1] and (...,) union area.
    """
    low = torch.maximum(boxes1[..., :2], boxes2[..., :2])
    high = torch.minimum(boxes1[..., 2:], boxes2[..., 2:])
    intersection = (high - low).clamp(min=0).prod(-1)
    union = box_area(boxes1) + box_area(boxes2) - intersection
    return intersection / (union + eps), union


def elementwise_generalized_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-6) -> Tensor:
    """Generalised IoU of each box with its partner: IoU minus the share of the common hull that neither covers.

    Args:
        boxes1: (..., 4) ``xyxy``, right >= left and bottom >= top (unchecked: a check would wait for the device).
        boxes2: (..., 4) likewise, broadcastable to ``boxes1``.
        eps: added to the denominators.

    Returns:
        (...,) values in [-1, 1].
    """
    iou, union = elementwise_box_iou(boxes1, boxes2, eps)
    low = torch.minimum(boxes1[..., :2], boxes2[..., :2])
    high = torch.maximum(boxes1[..., 2:], boxes2[..., 2:])
    hull = (high - low).clamp(min=0).prod(-1)
    return iou - (hull - union) / (hull + eps)


def box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-6) -> tuple[Tensor, Tensor]:
    """Every box of (..., n, 4) against every box of (..., m, 4), ``xyxy``: (..., n, m) IoU and (..., n, m) union."""
    return elementwise_box_iou(boxes1[..., :, None, :], boxes2[..., None, :, :], eps)


def generalized_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-6) -> Tensor:
    """Every box of (..., n, 4) against every box of (..., m, 4), ``xyxy``: (..., n, m) generalised IoU."""
    return elementwise_generalized_box_iou(boxes1[..., :, None, :], boxes2[..., None, :, :], eps)


def inverse_sigmoid(x: Tensor, eps: float = 1e-3) -> Tensor:
    """Logit of values in [0, 1], kept within +-log(1 / eps) at the ends.

    Args:
        x: any shape; values outside [0, 1] are clamped.
        eps: floor of ``x`` and of ``1 - x``. detrex weights expect 1e-3, the official DSCT code 1e-5.
    """
    x = x.clamp(min=0, max=1)
    return torch.log(x.clamp(min=eps) / (1 - x).clamp(min=eps))


def apply_box_offsets(offsets: Tensor, references: Tensor, eps: float = 1e-3) -> Tensor:
    """Box predicted relative to a reference: ``sigmoid(offset + inverse_sigmoid(reference))``.

    Args:
        offsets: (..., 4) output of a box head, in logit space.
        references: (..., 4) ``cxcywh`` boxes or (..., 2) ``xy`` points in [0, 1]; a point shifts the centre only.
        eps: see ``inverse_sigmoid``.

    Returns:
        (..., 4) ``cxcywh`` in [0, 1], a new tensor.
    """
    logits = inverse_sigmoid(references, eps)
    known = logits.shape[-1]
    if known < 4:
        logits = torch.nn.functional.pad(logits, (0, 4 - known))
    return (offsets + logits).sigmoid()
