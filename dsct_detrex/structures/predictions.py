"""What a model says about the people of an image, in detectron2's dialect."""

from __future__ import annotations

from torch import Tensor

from dsct_detrex.structures.emotions import Emotions
from dsct_detrex.structures.instances import Boxes, Instances


def predicted_people(
    size: tuple[int, int], boxes: Tensor, logits: Tensor, emotions: Emotions, scores: Tensor | None = None
) -> Instances:
    """Describe N found people.

    Args:
        size: (height, width) of the original image in pixels.
        boxes: (N, 4) ``xyxy`` in its pixels.
        logits: (N, K + 1).
        emotions: how the logits read.
        scores: (N,) confidence that this is a person; None: as the logits say.

    Returns:
        N rows: ``pred_boxes``, ``pred_logits``, ``emotion_probs`` (N, K), ``scores``, ``pred_classes`` (N,) the most
        probable emotion.
    """
    probabilities = emotions.probabilities(logits)
    return Instances(
        size,
        pred_boxes=Boxes(boxes),
        pred_logits=logits,
        emotion_probs=probabilities,
        scores=emotions.subject_scores(logits) if scores is None else scores,
        pred_classes=probabilities.argmax(-1),
    )
