"""From the contexts of the last layer to detections, as DETR-like hosts report them: the best (query, class) pairs.

Shapes: B images, M queries, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dsct_detrex.layers.boxes import box_cxcywh_to_xyxy
from dsct_detrex.structures import Boxes, Instances


def detections(logits: Tensor, boxes: Tensor, sizes: Sequence[tuple[int, int]], most: int) -> list[Instances]:
    """The surest pairs of every image; nothing is suppressed, as nothing is in the family of DETR.

    Args:
        logits: (B, M, K), read by sigmoid.
        boxes: (B, M, 4) cxcywh in [0, 1] of the unpadded image.
        sizes: (height, width) of every original image in pixels.
        most: so many of an image, at most.

    Returns:
        per image rows in its pixels, best first: ``pred_boxes`` (cut to the image), ``scores`` in [0, 1] and
        ``pred_classes`` (int64).
    """
    probabilities = logits.float().sigmoid().flatten(1)
    scores, pairs = probabilities.topk(min(most, probabilities.shape[1]), dim=1)
    queries, classes = pairs.div(logits.shape[-1], rounding_mode="floor"), pairs % logits.shape[-1]
    corners = box_cxcywh_to_xyxy(boxes.float()).clamp(0, 1).gather(1, queries[..., None].expand(-1, -1, 4))
    frames = torch.tensor([(width, height, width, height) for height, width in sizes], device=corners.device)
    return [
        Instances(size, pred_boxes=Boxes(found), scores=surest, pred_classes=names)
        for size, found, surest, names in zip(sizes, corners * frames[:, None], scores, classes, strict=True)
    ]
