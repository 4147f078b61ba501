"""Predicted boxes in COCO's result format, which detectors exchange and ``baselines.DetectedBoxes`` reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dsct_detrex.evaluation.results import ImageResult

PERSON = 1  # the category's number in COCO


def coco_results(images: Iterable[ImageResult]) -> list[dict[str, Any]]:
    """One row for each prediction of each image, in their order.

    Returns:
        dicts of ``image_id``, ``category_id`` (person: emotions have no place in this format), ``bbox``
        ``[x, y, width, height]`` in pixels of the original image to a hundredth, ``score`` in [0, 1].
    """
    return [
        {
            "image_id": image.image_id,
            "category_id": PERSON,
            "bbox": [round(number, 2) for number in (x0, y0, x1 - x0, y1 - y0)],
            "score": round(score, 6),
        }
        for image in images
        for x0, y0, x1, y1, score in image.detections.tolist()
    ]
