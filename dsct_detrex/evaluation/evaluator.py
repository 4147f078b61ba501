"""The evaluator that training and evaluation scripts call, in detectron2's dialect: reset, process, evaluate.

It keeps one small result per image, gathers them over the processes, and turns them into numbers once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch import distributed as dist

from dsct_detrex.errors import UserError
from dsct_detrex.evaluation.box_ap import BOX_AP
from dsct_detrex.evaluation.coco_results import coco_results
from dsct_detrex.evaluation.files import keep_older
from dsct_detrex.evaluation.groups import attributes_of
from dsct_detrex.evaluation.metrics import COUNT_GROUPS
from dsct_detrex.evaluation.protocols import DEFAULT_NMS_THRESHOLD, MISSED, StrictProtocol, get_protocol
from dsct_detrex.evaluation.report import Dataset, Report, Shortfall, build_report, primary_metric
from dsct_detrex.evaluation.results import ImageResult, merge_images
from dsct_detrex.files import write_whole
from dsct_detrex.layers.boxes import elementwise_box_iou
from dsct_detrex.structures import Emotions, Headline, Instances, MultiLabelEmotions

_BOX_METRICS = ("recall50", "mean_iou", *BOX_AP)


class EmotionEvaluator:
    """Emotion mAP and accuracy of matched people, per-class AP, and the quality of their boxes.

    Args:
        emotions: how logits and targets read.
        protocol: ``"paper"``, ``"official"`` or ``"strict"``, see ``protocols``; the strict one is measured beside
            whichever it is.
        nms_threshold: IoU of the suppression; ``None`` takes the default.
        output_dir: where the main process writes ``<stem>.json`` and every predicted box as
            ``coco_instances_results.json`` (``coco_results``); ``None`` writes nothing. Files that lie there already
            are kept under a number.
        references: name -> value of the data set's primary metric in [0, 1], printed beside the result.
        dataset_name: for the report.
        dataset_description: a sentence for the report.
        dataset_warnings: a sentence, or several, that the report shows beside every result on this data set.

    Attributes:
        temperature: of the probabilities that the report shows; that of ``emotions`` unless it is changed. People are
            ranked at temperature 1 whatever it is, so that no score depends on a calibration.
        stem: name of the report's file, ``"evaluation"`` unless it is changed.
        pictures: how many of the best and of the worst pictures the report names.
        report: after ``evaluate()``, the JSON-serialisable dict that ``report.py`` describes; None before.

    Raises:
        UserError: an unknown protocol, or a threshold that it does not take.
    """

    def __init__(
        self,
        emotions: Emotions,
        protocol: str = "paper",
        nms_threshold: float | None = None,
        output_dir: str | Path | None = None,
        references: Mapping[str, float] | None = None,
        dataset_name: str = "",
        dataset_description: str = "",
        dataset_warnings: str | Sequence[str] = (),
    ) -> None:
        self.emotions = emotions if emotions.temperature == 1 else replace(emotions, temperature=1.0)
        self.temperature = emotions.temperature
        self.protocol = get_protocol(protocol, nms_threshold)
        self.output_dir = None if output_dir is None else Path(output_dir)
        said = (dataset_warnings,) if isinstance(dataset_warnings, str) else tuple(dataset_warnings)
        self.dataset = Dataset(dataset_name, dataset_description, dict(references or {}), said)
        self.stem = "evaluation"
        self.pictures = 6
        self.report: Report | None = None
        own = getattr(self.protocol, "nms_threshold", DEFAULT_NMS_THRESHOLD)
        self._strict = StrictProtocol(own)
        self._images: list[ImageResult] = []
        self._shortfall = Shortfall()
        self._written: set[Path] = set()

    def describe_dataset(self, described: str | Headline) -> None:
        """Say what is evaluated; a ``dataset_description`` of the config stays.

        Args:
            described: what the split holds, or only a line, e.g. ``"head boxes from emotic_val_bi.json"``; EMOTIC's two
                releases are different test sets.
        """
        if isinstance(described, Headline):
            self.dataset = replace(self.dataset, headline=described)
            described = described.description
        if not self.dataset.description:
            self.dataset = replace(self.dataset, description=described)

    def note_shortfall(self, unreadable: int, examples: Sequence[str], cut_short: bool, first: bool) -> None:
        """Say, before ``evaluate``, why there are fewer images than the data set has; see ``report.Shortfall``.

        Args:
            unreadable: in all processes together.
        """
        self._shortfall = Shortfall(unreadable, tuple(examples), cut_short, first)

    def metric_names(self) -> list[str]:
        """Every name that ``evaluate`` can give, as ``group/name``; some have no value on some data."""
        groups = [f"{kind}_n{group}" for group, _, _ in COUNT_GROUPS for kind in ("mAP", "acc")]
        several = ["acc_any"] if isinstance(self.emotions, MultiLabelEmotions) else []
        emotion = ["mAP", "acc", *several, *groups, *(f"AP-{label}" for label in self.emotions.names)]
        strict = [primary_metric(self.emotions), "found"]
        named = (("emotion", emotion), ("bbox", _BOX_METRICS), ("strict", strict))
        return [f"{group}/{name}" for group, names in named for name in names]

    def reset(self) -> None:
        """Forget every image of an earlier evaluation."""
        self._images = []
        self._shortfall = Shortfall()
        self.report = None

    def process(self, inputs: Sequence[Mapping[str, Any]], outputs: Sequence[Mapping[str, Any]]) -> None:
        """Add a batch; inputs and outputs are only read.

        Args:
            inputs: per image ``image_id`` (int), ``file_name`` (str) and ``ground_truth``, an ``Instances`` in original
                pixels with ``gt_boxes`` and the emotions' target field; where the data set names them ``attributes``,
                attribute -> a text for each person, see ``data.DatasetMapper``.
            outputs: per image ``instances``, an ``Instances`` in original pixels with ``pred_boxes`` and
                ``pred_logits`` (N, K + 1), one row per subject query, unfiltered; it may be empty. ``scores`` (N,),
                where they are not what the logits say (given boxes), are read too.

        Raises:
            ValueError: an image without ``ground_truth``, as many inputs as outputs are not given, a prediction is not
                finite, or an attribute has not one text for each person.
        """
        if len(inputs) != len(outputs):
            raise ValueError(
                f"EmotionEvaluator.process(inputs=, outputs=) expects equal lengths. "
                f"Got {len(inputs)} and {len(outputs)}."
            )
        for image, output in zip(inputs, outputs):
            self._images.append(self._match(image, output["instances"].to("cpu")))

    def evaluate(self) -> dict[str, dict[str, float]]:
        """Numbers over the images of all processes; every process gets the same.

        Returns:
            ``{"emotion": {"mAP", "acc", "AP-<label>", "mAP_n1", "acc_n1", ... "acc_n5plus"}, "bbox": {"recall50",
            "mean_iou", "AP", "AP50", "AP75"}, "strict": {"mAP" or "acc", "found"}}`` as fractions in [0, 1]; values
            without meaning are left out. Where the data set is known also ``{"data": {"images", "listed_images"}}``:
            the images that these numbers stand on, and those that the split lists.

        Raises:
            UserError: no image was processed in any process.
        """
        images = merge_images(_gather(self._images))
        if not images:
            lost = self._shortfall.unreadable
            reason = f"none of its {lost:,} pictures can be read" if lost else "the test loader gave no image"
            raise UserError(f"EmotionEvaluator: there is nothing to evaluate, {reason}. Check its data.")
        self.report = build_report(
            images,
            self.emotions,
            self.protocol,
            self._strict,
            self.dataset,
            self._shortfall,
            self.pictures,
            self.temperature,
        )
        if self.output_dir is not None and _is_main_process():
            rows = ",\n".join(json.dumps(row, allow_nan=False) for row in coco_results(images))
            self._write(f"{self.stem}.json", json.dumps(self.report, indent=1, allow_nan=False))
            self._write("coco_instances_results.json", f"[\n{rows}\n]\n")
        return _scalars(self.report)

    def _write(self, name: str, text: str) -> None:
        """A file of ``output_dir``; only what this evaluator wrote itself is replaced."""
        assert self.output_dir is not None
        path = self.output_dir / name
        if path not in self._written:
            keep_older(path)
            self._written.add(path)
        write_whole(path, text)

    def _match(self, image: Mapping[str, Any], predictions: Instances) -> ImageResult:
        """Let the protocol choose a prediction for each annotated person of one image."""
        name = image["file_name"]
        if "ground_truth" not in image:
            raise ValueError(
                f"EmotionEvaluator.process(inputs=) expects 'ground_truth' for every image. {name} has none; "
                "build the test loader with an evaluation mapper."
            )
        truth: Instances = image["ground_truth"].to("cpu")
        boxes, logits = predictions.pred_boxes.tensor.detach(), predictions.pred_logits.detach().float()
        if not (torch.isfinite(boxes).all() and torch.isfinite(logits).all()):
            raise ValueError(
                f"EmotionEvaluator.process(outputs=) expects finite boxes and logits. {name} has NaN or inf."
            )
        given = predictions.scores if predictions.has("scores") else None
        confidence = self.emotions.subject_scores(logits) if given is None else given.detach().float()
        people = truth.gt_boxes.tensor
        sorted_by = self.emotions.mean_scores(logits)
        query, strict = (one.match(boxes, sorted_by, people) for one in (self.protocol, self._strict))
        probabilities = self.emotions.probabilities(logits)
        matched = _chosen(boxes, query, float("nan"))
        return ImageResult(
            image_id=int(image["image_id"]),
            file_name=str(name),
            scores=_chosen(probabilities, query).numpy(),
            targets=self.emotions.multi_hot(truth.get(self.emotions.target_field)).numpy().astype(np.int64),
            found=(query != MISSED).numpy(),
            iou=_paired_iou(people, matched).numpy(),
            boxes=matched.numpy(),
            strict_scores=_chosen(probabilities, strict).numpy(),
            strict_found=(strict != MISSED).numpy(),
            people=people.numpy().copy(),
            detections=torch.cat([boxes, confidence[:, None]], dim=1).numpy(),
            groups=attributes_of(image, len(people)),
        )


def _chosen(rows: Tensor, query: Tensor, missing: float = 0.0) -> Tensor:
    """(N, c) rows of predictions and (n,) indices into them -> (n, c); ``missing`` where a person has none."""
    chosen = torch.full((len(query), rows.shape[-1]), missing)
    chosen[query != MISSED] = rows[query[query != MISSED]]
    return chosen


def _paired_iou(people: Tensor, matched: Tensor) -> Tensor:
    """(n, 4) and (n, 4) xyxy -> (n,) continuous IoU row by row; 0 where the matched box is NaN."""
    iou, _ = elementwise_box_iou(people, matched, eps=0.0)
    return iou.nan_to_num(0.0)


def _gather(images: list[ImageResult]) -> list[list[ImageResult]]:
    """The images of every process, in every process."""
    if not (dist.is_available() and dist.is_initialized()):
        return [images]
    shards: list[list[ImageResult]] = [[] for _ in range(dist.get_world_size())]
    dist.all_gather_object(shards, images)
    return shards


def _is_main_process() -> bool:
    return not (dist.is_available() and dist.is_initialized()) or dist.get_rank() == 0


def _scalars(report: Report) -> dict[str, dict[str, float]]:
    """The floats of a report under the names that loggers and schedulers know."""
    emotion = {name: value for name, value in report["metrics"].items() if name not in _BOX_METRICS}
    emotion |= {f"AP-{row['label']}": row["AP"] for row in report["per_class"]}
    for row in report["by_count"]:
        emotion |= {f"mAP_n{row['group']}": row["mAP"], f"acc_n{row['group']}": row["acc"]}
    boxes = {name: report["metrics"][name] for name in _BOX_METRICS}
    strict = {name: report["strict"][name] for name in (report["primary_metric"], "found")}
    scalars = {"emotion": _defined(emotion), "bbox": _defined(boxes), "strict": _defined(strict)}
    if "listed_images" in report["dataset"]:
        scalars["data"] = {name: float(report["counts"][name]) for name in ("images", "listed_images")}
    return scalars


def _defined(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items() if value is not None}
