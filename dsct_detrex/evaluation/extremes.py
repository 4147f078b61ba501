"""The pictures that a model reads best and worst: what a report shows of an evaluation.

Only those few are kept; what they are chosen by is one number for each picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dsct_detrex.evaluation.protocols import FOUND_IOU
from dsct_detrex.evaluation.results import ImageResult
from dsct_detrex.structures import Emotions

_EMOTIONS = 3
_NOT_FOUND = -1.0


def lead(image: ImageResult) -> float:
    """How far the annotated emotions of a picture stand above the others, in [-1, 1]; NaN without people.

    Of each person the mean probability of the annotated emotions less that of the others; -1 for a person who is not
    found at IoU 0.5. The mean of all people counts.
    """
    if not len(image.targets):
        return float("nan")
    shown = image.targets.astype(bool)
    inside = (image.scores * shown).sum(axis=1) / np.maximum(shown.sum(axis=1), 1)
    outside = (image.scores * ~shown).sum(axis=1) / np.maximum((~shown).sum(axis=1), 1)
    found = image.found & (image.iou >= FOUND_IOU)
    return float(np.where(found, inside - outside, _NOT_FOUND).mean())


def best_and_worst(images: Sequence[ImageResult], emotions: Emotions, count: int) -> dict[str, list[dict[str, Any]]]:
    """At most ``count`` pictures with people at each end, none at both.

    Returns:
        ``best`` and ``worst``, the most extreme first; each picture as ``picture_facts`` says, with its ``lead``.
    """
    leads = [(lead(image), image) for image in images if len(image.targets)]
    falling = sorted(leads, key=lambda one: -one[0])  # of equals the first stay first
    best = falling[: min(count, (len(falling) + 1) // 2)]
    worst = sorted(falling[len(best) :], key=lambda one: one[0])[:count]

    def told(chosen: Sequence[tuple[float, ImageResult]]) -> list[dict[str, Any]]:
        return [{**picture_facts(image, emotions), "lead": value} for value, image in chosen]

    return {"best": told(best), "worst": told(worst)}


def picture_facts(image: ImageResult, emotions: Emotions) -> dict[str, Any]:
    """``image_id``, ``file_name`` and ``people``: ``truth``, ``predicted`` (best three), boxes, IoU of each."""
    people = []
    for row in range(len(image.targets)):
        best = (-image.scores[row]).argsort(kind="stable")[:_EMOTIONS] if image.found[row] else []
        people.append(
            {
                "truth": [emotions.names[k] for k in image.targets[row].nonzero()[0]],
                "predicted": [{"label": emotions.names[k], "probability": float(image.scores[row, k])} for k in best],
                "annotated_box": image.people[row].tolist(),
                "predicted_box": image.boxes[row].tolist() if image.found[row] else None,
                "iou": float(image.iou[row]),
            }
        )
    return {"image_id": image.image_id, "file_name": image.file_name, "people": people}
