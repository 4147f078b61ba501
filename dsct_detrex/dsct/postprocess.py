"""From the last layer's predictions to detectron2-style instances in the frame of the original image."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from dsct_detrex.layers.boxes import box_cxcywh_to_xyxy
from dsct_detrex.structures import Boxes, Emotions, Instances


def postprocess(logits: Tensor, boxes: Tensor, sizes: Sequence[tuple[int, int]], emotions: Emotions) -> list[Instances]:
    """Describe what every subject query found; nothing is filtered, evaluation protocols and ``predict`` do that.

    Args:
        logits: (B, N, K + 1).
        boxes: (B, N, 4) cxcywh in [0, 1] of the unpadded image.
        sizes: (height, width) of every original image in pixels.
        emotions: how the logits read.

    Returns:
        per image, N rows: ``pred_boxes`` (xyxy, pixels of the original image), ``pred_logits`` (N, K + 1),
        ``emotion_probs`` (N, K), ``scores`` (N,) confidence that the query found a person, ``pred_classes`` (N,) the
        most probable emotion.
    """
    results = []
    for image_logits, image_boxes, (height, width) in zip(logits.float(), boxes.float(), sizes, strict=True):
        probabilities = emotions.probabilities(image_logits)
        scale = image_boxes.new_tensor([width, height, width, height])
        results.append(
            Instances(
                (height, width),
                pred_boxes=Boxes(box_cxcywh_to_xyxy(image_boxes) * scale),
                pred_logits=image_logits,
                emotion_probs=probabilities,
                scores=emotions.subject_scores(image_logits),
                pred_classes=probabilities.argmax(-1),
            )
        )
    return results
