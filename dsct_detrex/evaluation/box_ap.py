"""COCO's average precision of the people's boxes, whatever is felt inside them.

Every prediction of an image counts, ranked by the confidence that it is a person, before any suppression; at most the
100 best of an image. A person whom nobody annotated counts as a wrong prediction, as COCO has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from dsct_detrex.evaluation.coco_results import PERSON, coco_results
from dsct_detrex.evaluation.results import ImageResult

BOX_AP = ("AP", "AP50", "AP75")
_AT_50, _AT_75 = 0, 5  # places of IoU 0.50 and 0.75 in COCO's ten thresholds


def box_average_precision(images: Sequence[ImageResult]) -> dict[str, float]:
    """``AP`` (mean over IoU 0.50, 0.55 ... 0.95), ``AP50`` and ``AP75``; NaN where nobody is annotated.

    Source: COCO's own evaluation code, ``pycocotools``.
    """
    annotations = _annotations(images)
    if not annotations:
        return dict.fromkeys(BOX_AP, float("nan"))
    with redirect_stdout(StringIO()):  # it prints its progress
        truth = COCO()
        truth.dataset = {
            "images": [{"id": image.image_id} for image in images],
            "annotations": annotations,
            "categories": [{"id": PERSON, "name": "person"}],
        }
        truth.createIndex()
        evaluation = COCOeval(truth, _predictions(images), "bbox")
        evaluation.params.maxDets = [100]
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, 0, 0, 0]  # (10 overlaps, 101 recalls)
    means = precision.mean(axis=1)
    return {"AP": float(means.mean()), "AP50": float(means[_AT_50]), "AP75": float(means[_AT_75])}


def _annotations(images: Sequence[ImageResult]) -> list[dict[str, Any]]:
    people = [(image.image_id, box) for image in images for box in image.people.astype(np.float64).tolist()]
    return [
        {
            "id": number,
            "image_id": image_id,
            "category_id": PERSON,
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "area": (x1 - x0) * (y1 - y0),
            "iscrowd": 0,
        }
        for number, (image_id, (x0, y0, x1, y1)) in enumerate(people, start=1)
    ]


def _predictions(images: Sequence[ImageResult]) -> COCO:
    """``COCO.loadRes`` of ``coco_results``; it does not take an empty list."""
    rows = coco_results(images)
    found = COCO()
    found.dataset = {
        "images": [{"id": image.image_id} for image in images],
        "annotations": [
            {**row, "id": number, "area": row["bbox"][2] * row["bbox"][3], "iscrowd": 0}
            for number, row in enumerate(rows, start=1)
        ],
        "categories": [{"id": PERSON, "name": "person"}],
    }
    found.createIndex()
    return found
