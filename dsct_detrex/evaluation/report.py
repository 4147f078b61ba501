"""The evaluation as one JSON-serialisable dict: the source of every table, picture and file.

Keys of a report (fractions in [0, 1]; a value without meaning is None):

* ``protocol``: ``name`` and ``sentence``.
* ``dataset``: ``name`` and ``description``.
* ``emotions``: ``name``, ``labels``, ``multi_label``.
* ``primary_metric``: ``"acc"`` for one emotion per person, ``"mAP"`` for several, as in the paper; what ``references``
  bound.
* ``counts``: ``images``, ``images_without_people``, ``people``, ``missed_people``, ``predictions``.
* ``metrics``: ``mAP``, ``acc``, for several emotions per person ``acc_any``, and ``recall50``, ``mean_iou``.
* ``per_class``: ``label``, ``people``, ``AP`` of every class.
* ``confusion``: ``matrix`` (annotated by predicted), ``missed`` (people of each class without any prediction).
* ``by_count``: rows of ``metrics.CountRow``.
* ``thresholds``: multi-label only, per class the probability with the best F1 here (``metrics.best_f1_thresholds``).
* ``pr_curves``: ``label``, ``recall``, ``precision`` of every class that occurs, thinned.
* ``references``: name -> value of the primary metric, e.g. chance or an exact bound of a synthetic data set.
* ``warnings``: sentences that belong beside the numbers.
* ``samples``: the first images with their people: ``truth``, ``predicted`` (best three), boxes, IoU.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from dsct_detrex.evaluation import metrics
from dsct_detrex.evaluation.protocols import Protocol
from dsct_detrex.evaluation.results import ImageResult, PeopleTable, stack_people
from dsct_detrex.structures import Emotions, MultiLabelEmotions

Report = dict[str, Any]

CAER_S_LEAK = (
    "CAER-S: many train and test images come from the same video (GLAMOR-Net), so this accuracy overstates how well "
    "the model reads unseen scenes."
)

_SAMPLE_IMAGES = 24
_SAMPLE_EMOTIONS = 3


@dataclass(frozen=True)
class Dataset:
    """What the numbers were measured on.

    Attributes:
        name: as the data set calls itself; ``"synthetic"`` in it marks generated scenes.
        description: a sentence for reports.
        references: name -> value of the primary metric, printed beside the result.
    """

    name: str = ""
    description: str = ""
    references: Mapping[str, float] = field(default_factory=dict)


def build_report(images: Sequence[ImageResult], emotions: Emotions, protocol: Protocol, dataset: Dataset) -> Report:
    """Every number of an evaluation; see the module docstring for the keys."""
    table = stack_people(images, emotions.num_emotions)
    multi_label = isinstance(emotions, MultiLabelEmotions)
    precisions = metrics.average_precisions(table)
    people = table.targets.sum(axis=0).tolist()
    matrix, missed = metrics.confusion(table)
    values = {"mAP": metrics.mean_average_precision(precisions), "acc": metrics.accuracy(table)}
    if multi_label:
        values["acc_any"] = metrics.any_label_accuracy(table)
    thresholds = metrics.best_f1_thresholds(table) if multi_label else None
    report: Report = {
        "protocol": {"name": protocol.name, "sentence": protocol.sentence},
        "dataset": {"name": dataset.name, "description": dataset.description},
        "emotions": {"name": emotions.name, "labels": list(emotions.names), "multi_label": multi_label},
        "primary_metric": primary_metric(emotions),
        "counts": _counts(images, table),
        "metrics": {**values, **metrics.box_quality(table)},
        "per_class": [
            {"label": label, "people": count, "AP": float(value)}
            for label, count, value in zip(emotions.names, people, precisions)
        ],
        "confusion": {"matrix": matrix.tolist(), "missed": missed.tolist()},
        "by_count": [asdict(row) for row in metrics.by_people_count(table)],
        "pr_curves": _pr_curves(table, emotions),
        "thresholds": thresholds,
        "references": dict(dataset.references),
        "warnings": _warnings(table, emotions, dataset),
        "samples": [_sample(image, emotions) for image in images[:_SAMPLE_IMAGES]],
    }
    cleaned: Report = _without_nan(report)
    return cleaned


def primary_metric(emotions: Emotions) -> str:
    """The metric that the paper ranks models by: ``"mAP"`` for several emotions per person, ``"acc"`` for one."""
    return "mAP" if isinstance(emotions, MultiLabelEmotions) else "acc"


def _counts(images: Sequence[ImageResult], table: PeopleTable) -> dict[str, int]:
    return {
        "images": len(images),
        "images_without_people": sum(len(image.targets) == 0 for image in images),
        "people": len(table),
        "missed_people": int((~table.found).sum()),
        "predictions": sum(len(image.detections) for image in images),
    }


def _pr_curves(table: PeopleTable, emotions: Emotions) -> list[dict[str, Any]]:
    curves = []
    for k, label in enumerate(emotions.names):
        if table.targets[:, k].any():
            recall, precision = metrics.precision_recall_points(table, k)
            curves.append({"label": label, "recall": recall, "precision": precision})
    return curves


def _warnings(table: PeopleTable, emotions: Emotions, dataset: Dataset) -> list[str]:
    sentences = []
    if emotions.name == "caer_s" and "synthetic" not in dataset.name.lower():
        sentences.append(CAER_S_LEAK)
    if missed := int((~table.found).sum()):
        sentences.append(f"{missed} of {len(table)} people are in images without any prediction; they count as wrong.")
    absent = [label for label, count in zip(emotions.names, table.targets.sum(axis=0).tolist()) if not count]
    if absent:
        sentences.append(f"Nobody shows {', '.join(absent)}; mAP counts their AP as 0, as scikit-learn does.")
    return sentences


def _sample(image: ImageResult, emotions: Emotions) -> dict[str, Any]:
    people = []
    for row in range(len(image.targets)):
        best = (-image.scores[row]).argsort(kind="stable")[:_SAMPLE_EMOTIONS] if image.found[row] else []
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


def _without_nan(value: Any) -> Any:
    """JSON knows no NaN: None takes its place, at every depth."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
