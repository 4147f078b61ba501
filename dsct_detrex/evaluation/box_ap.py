"""COCO's average precision of boxes: of people, whatever is felt inside them, and of a detector's classes.

For people every prediction of an image counts, ranked by the confidence that it is a person, before any suppression; at
most the 100 best of an image. A person whom nobody annotated counts as a wrong prediction, as COCO has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from dsct_detrex.evaluation.coco_results import PERSON, coco_results
from dsct_detrex.evaluation.results import ImageResult

BOX_AP = ("AP", "AP50", "AP75")
AT_50, AT_75 = 0, 5
"""Places of IoU 0.50 and 0.75 in COCO's ten thresholds."""
MOST_DETECTIONS = 100


def box_average_precision(images: Sequence[ImageResult]) -> dict[str, float]:
    """``AP`` (mean over IoU 0.50, 0.55 ... 0.95), ``AP50`` and ``AP75``; NaN where nobody is annotated."""
    people = [(image.image_id, PERSON, box) for image in images for box in image.people.tolist()]
    if not people:
        return dict.fromkeys(BOX_AP, float("nan"))
    precision = coco_precision([image.image_id for image in images], people, coco_results(images), [PERSON])
    means = precision[..., 0].mean(axis=1)
    return {"AP": float(means.mean()), "AP50": float(means[AT_50]), "AP75": float(means[AT_75])}


def coco_precision(
    image_ids: Iterable[int],
    annotated: Iterable[tuple[int, int, Sequence[float]]],
    results: Sequence[Mapping[str, Any]],
    categories: Sequence[int],
) -> NDArray[np.float64]:
    """Precision of all sizes of boxes with at most ``MOST_DETECTIONS`` of an image and category.

    Args:
        image_ids: of all images.
        annotated: image, category and ``xyxy`` box of everything annotated.
        results: predictions in COCO's result format, see ``coco_results``.
        categories: their numbers, ascending; in the order of the last axis.

    Returns:
        (10, 101, K): overlaps, recalls, categories; -1 throughout for a category that nothing is annotated of.

    Source: COCO's own evaluation code, ``pycocotools``.
    """
    images = list(image_ids)
    with redirect_stdout(StringIO()):  # it prints its progress
        truth, found = (
            _tables(images, _annotations(annotated), categories),
            _tables(images, _found(results), categories),
        )
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.params.catIds = list(categories)
        evaluation.params.maxDets = [MOST_DETECTIONS]
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    precision: NDArray[np.float64] = evaluation.eval["precision"][:, :, :, 0, 0]
    return precision


def _tables(images: Sequence[int], rows: list[dict[str, Any]], categories: Sequence[int]) -> COCO:
    """An indexed ``COCO``; for predictions it is ``COCO.loadRes``, which does not take an empty list."""
    table = COCO()
    table.dataset = {
        "images": [{"id": image} for image in images],
        "annotations": rows,
        "categories": [{"id": category, "name": str(category)} for category in categories],
    }
    table.createIndex()
    return table


def _annotations(annotated: Iterable[tuple[int, int, Sequence[float]]]) -> list[dict[str, Any]]:
    return [
        {
            "id": number,
            "image_id": image_id,
            "category_id": category,
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "area": (x1 - x0) * (y1 - y0),
            "iscrowd": 0,
        }
        for number, (image_id, category, (x0, y0, x1, y1)) in enumerate(annotated, start=1)
    ]


def _found(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**row, "id": number, "area": row["bbox"][2] * row["bbox"][3], "iscrowd": 0}
        for number, row in enumerate(results, start=1)
    ]
