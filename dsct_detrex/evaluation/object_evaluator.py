"""The evaluator of a detector of things, in detectron2's dialect: COCO's box AP over classes, and its result file.

``bbox/AP`` and its relatives have the names and the meaning that detectron2's ``COCOEvaluator`` gives them, as
fractions. All sizes of boxes count alike, at most 100 of a class and image.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import distributed as dist

from dsct_detrex.errors import UserError
from dsct_detrex.evaluation.box_ap import AT_50, AT_75, coco_precision
from dsct_detrex.evaluation.files import keep_older
from dsct_detrex.evaluation.report import Dataset
from dsct_detrex.files import write_whole
from dsct_detrex.structures import Headline, Instances, ObjectClasses
from dsct_detrex.suggestions import did_you_mean

RESULTS = "coco_instances_results.json"


@dataclass(frozen=True)
class DetectedImage:
    """What one image contributes; small and picklable.

    Attributes:
        image_id: unique number of the image in its data set.
        truth: (n, 5) annotated things: xyxy in original pixels, class index.
        found: (m, 6) detections: xyxy, score, class index.
    """

    image_id: int
    truth: NDArray[np.float64]
    found: NDArray[np.float64]


class ObjectEvaluator:
    """Box AP of a detector.

    Args:
        classes: what is detected.
        groups: name -> classes whose mean AP50 is given as well, e.g. ``{"held": ["book", "phone"]}``.
        output_dir: where the main process writes all detections as ``coco_instances_results.json``; ``None`` writes
            nothing. Files that lie there already are kept under a number.
        dataset_name: for the report.
        dataset_description: a sentence for the report.

    Attributes:
        report: after ``evaluate()``, everything measured as JSON types: ``metrics``, ``per_class`` (``label``,
            ``annotated``, ``AP``, ``AP50``), ``counts``, ``data``, ``classes``; None before.

    Raises:
        UserError: a group names a class that there is none of.
    """

    def __init__(
        self,
        classes: ObjectClasses,
        groups: Mapping[str, Sequence[str]] | None = None,
        output_dir: str | Path | None = None,
        dataset_name: str = "",
        dataset_description: str = "",
    ) -> None:
        self.classes = classes
        self.groups = {name: tuple(members) for name, members in (groups or {}).items()}
        for name, members in self.groups.items():
            if unknown := [member for member in members if member not in classes.names]:
                raise UserError(
                    f"ObjectEvaluator(groups=) expects classes of {classes.name} in {name!r}. Got {unknown[0]!r}."
                    f"{did_you_mean(unknown[0], classes.names)}"
                )
        self.output_dir = None if output_dir is None else Path(output_dir)
        self.dataset = Dataset(dataset_name, dataset_description)
        self.report: dict[str, Any] | None = None
        self._images: list[DetectedImage] = []
        self._written = False

    def describe_dataset(self, described: Headline) -> None:
        """Say what is evaluated; a ``dataset_description`` of the config stays."""
        description = self.dataset.description or described.description
        self.dataset = replace(self.dataset, headline=described, description=description)

    def metric_names(self) -> list[str]:
        """Every name that ``evaluate`` can give, as ``group/name``; a class that nothing is annotated of has no AP."""
        of_classes = [f"AP-{name}" for name in self.classes.names]
        return [
            f"bbox/{name}" for name in ("AP", "AP50", "AP75", *(f"AP50-{name}" for name in self.groups), *of_classes)
        ]

    def reset(self) -> None:
        """Forget every image of an earlier evaluation."""
        self._images = []
        self.report = None

    def process(self, inputs: Sequence[Mapping[str, Any]], outputs: Sequence[Mapping[str, Any]]) -> None:
        """Add a batch; inputs and outputs are only read.

        Args:
            inputs: per image ``image_id`` (int) and ``ground_truth``, an ``Instances`` in original pixels with
                ``gt_boxes`` and ``gt_classes``.
            outputs: per image ``instances``, an ``Instances`` in original pixels with ``pred_boxes``, ``scores`` and
                ``pred_classes``.

        Raises:
            ValueError: a detection is not finite.
        """
        for image, output in zip(inputs, outputs, strict=True):
            truth, found = image["ground_truth"].to("cpu"), output["instances"].to("cpu")
            rows = _columns(found.pred_boxes.tensor, found.scores[:, None], found.pred_classes[:, None])
            if not np.isfinite(rows).all():
                raise ValueError(
                    f"ObjectEvaluator.process(outputs=) expects finite boxes and scores. {image['file_name']} has NaN "
                    "or inf."
                )
            self._images.append(DetectedImage(int(image["image_id"]), _annotated(truth), rows))

    def evaluate(self) -> dict[str, dict[str, float]]:
        """Numbers over the images of all processes; every process gets the same.

        Returns:
            ``{"bbox": {"AP", "AP50", "AP75", "AP50-<group>", "AP-<class>"}}`` as fractions in [0, 1]; means are over
            the classes that something is annotated of.

        Raises:
            UserError: no image was processed in any process, or nothing is annotated in any.
        """
        images = _merged(self._images)
        annotated = [(image.image_id, int(row[4]) + 1, row[:4].tolist()) for image in images for row in image.truth]
        if not annotated:
            raise UserError(
                f"ObjectEvaluator: there is nothing to evaluate, the test loader gave {len(images)} images and no "
                "annotated thing in them. Check its data."
            )
        results = [row for image in images for row in _result_rows(image)]
        categories = range(1, len(self.classes.names) + 1)
        precision = coco_precision([image.image_id for image in images], annotated, results, categories)
        self.report = self._report(images, precision)
        if self.output_dir is not None and _is_main_process():
            self._write(results)
        scalars = {name: value for name, value in self.report["metrics"].items() if value is not None}
        each = {f"AP-{row['label']}": row["AP"] for row in self.report["per_class"] if row["AP"] is not None}
        return {"bbox": scalars | each}

    def _report(self, images: Sequence[DetectedImage], precision: NDArray[np.float64]) -> dict[str, Any]:
        of_class = np.where(precision < 0, np.nan, precision).mean(1)  # (10, K)
        labels = np.concatenate([image.truth[:, 4] for image in images]).astype(int)
        counts = np.bincount(labels, minlength=len(self.classes.names))
        overall = {"AP": _mean(of_class), "AP50": _mean(of_class[AT_50]), "AP75": _mean(of_class[AT_75])}
        for name, members in self.groups.items():
            overall[f"AP50-{name}"] = _mean(of_class[AT_50, [self.classes.index(member) for member in members]])
        headline = self.dataset.headline
        return {
            "metrics": overall,
            "per_class": [
                {"label": name, "annotated": int(count), "AP": _mean(ap), "AP50": _mean(ap[AT_50])}
                for name, count, ap in zip(self.classes.names, counts, of_class.T, strict=True)
            ],
            "counts": {
                "images": len(images),
                "annotated": len(labels),
                "detections": sum(len(image.found) for image in images),
            },
            "data": {
                "name": self.dataset.name,
                "description": self.dataset.description,
                "split": None if headline is None else headline.split,
                "warnings": [] if headline is None else list(headline.warnings),
            },
            "classes": {"name": self.classes.name, "names": list(self.classes.names)},
        }

    def _write(self, results: Sequence[Mapping[str, Any]]) -> None:
        """The result file; only what this evaluator wrote itself is replaced."""
        assert self.output_dir is not None
        path = self.output_dir / RESULTS
        if not self._written:
            keep_older(path)
            self._written = True
        rows = ",\n".join(json.dumps(row, allow_nan=False) for row in results)
        write_whole(path, f"[\n{rows}\n]\n")


def _annotated(truth: Instances) -> NDArray[np.float64]:
    return _columns(truth.gt_boxes.tensor, truth.gt_classes[:, None])


def _columns(*parts: Any) -> NDArray[np.float64]:
    return np.concatenate([part.detach().double().numpy() for part in parts], axis=1)


def _result_rows(image: DetectedImage) -> list[dict[str, Any]]:
    """Detections in COCO's result format, in their order; categories count from 1, in the order of the classes."""
    return [
        {
            "image_id": image.image_id,
            "category_id": int(label) + 1,
            "bbox": [round(number, 2) for number in (x0, y0, x1 - x0, y1 - y0)],
            "score": round(score, 6),
        }
        for x0, y0, x1, y1, score, label in image.found.tolist()
    ]


def _mean(values: Any) -> float | None:
    """The mean of what is a number; None where nothing is."""
    defined = np.asarray(values)[~np.isnan(values)]
    return float(defined.mean()) if defined.size else None


def _merged(images: list[DetectedImage]) -> list[DetectedImage]:
    """The images of all processes, each once, by their number."""
    shards = [images]
    if dist.is_available() and dist.is_initialized():
        shards = [[] for _ in range(dist.get_world_size())]
        dist.all_gather_object(shards, images)
    found = {image.image_id: image for shard in shards for image in shard}
    return [found[number] for number in sorted(found)]


def _is_main_process() -> bool:
    return not (dist.is_available() and dist.is_initialized()) or dist.get_rank() == 0
