"""The evaluation as one JSON-serialisable dict: the source of every table, picture and file.

Keys of a report (fractions in [0, 1]; a value without meaning is None):

* ``protocol``: ``name`` and ``sentence``.
* ``dataset``: ``name``, ``description``, ``coverage`` (``"2 of 4 images"`` where the numbers stand on fewer images than
  the split lists, else None), and where the split is known its ``headline`` in a sentence and ``Headline``'s ``split``,
  ``source``, ``boxes``, ``images``, ``listed_images``, ``lost_images``, ``people``, ``labels``, ``findings``,
  ``warnings``, all as before any picture was opened.
* ``emotions``: ``name``, ``labels``, ``multi_label``.
* ``primary_metric``: ``"acc"`` for one emotion per person, ``"mAP"`` for several, as in the paper; what ``references``
  bound.
* ``counts``: ``images``, ``listed_images``, ``lost_images`` (missing or broken), ``emptied_images`` (left out because
  nobody in them can be used), ``images_without_people``, ``people``, ``missed_people``, ``predictions``.
* ``metrics``: ``mAP``, ``acc``, for several emotions per person ``acc_any``; ``recall50``, ``mean_iou`` of the boxes
  that speak for people, and COCO's ``AP``, ``AP50``, ``AP75`` of all predicted boxes.
* ``strict``: the primary metric under the strict protocol, ``found`` (share of people found by it), ``people_found``,
  ``sentence``.
* ``per_class``: ``label``, ``people``, ``AP`` of every class.
* ``confusion``: ``matrix`` (annotated by predicted), ``missed`` (people of each class without any prediction).
* ``by_count``: rows of ``metrics.CountRow``.
* ``groups``: tables by gender, by age, where the data set names them (``groups.by_groups``).
* ``calibration``: ``temperature`` of the probabilities, which every probability and threshold of the report is read at,
  and ``ECE`` and ``Brier`` (``reliability.py``) of the people whom the strict protocol finds.
* ``thresholds``: multi-label only, per class the probability with the best F1 here (``metrics.best_f1_thresholds``).
* ``pr_curves``: ``label``, ``recall``, ``precision`` of every class that occurs, at recalls of whole per cent;
  ``pr_mean``: ``recall``, ``precision`` of their mean (``curves.py``).
* ``together``: multi-label only, which emotions are annotated and read together (``together.py``).
* ``references``: name -> value of the primary metric, e.g. chance or an exact bound of a synthetic data set.
* ``warnings``: sentences that belong beside the numbers.
* ``samples``: the first images with their people: ``truth``, ``predicted`` (best three), boxes, IoU.
* ``pictures``: ``best`` and ``worst``, those that are read best and worst, as ``samples`` (``extremes.py``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from dsct_detrex.evaluation import metrics
from dsct_detrex.evaluation.box_ap import box_average_precision
from dsct_detrex.evaluation.cautions import cautions
from dsct_detrex.evaluation.curves import mean_precision_recall, precision_recall
from dsct_detrex.evaluation.extremes import best_and_worst, picture_facts
from dsct_detrex.evaluation.groups import by_groups
from dsct_detrex.evaluation.protocols import Protocol, StrictProtocol
from dsct_detrex.evaluation.reliability import reliability, tempered
from dsct_detrex.evaluation.results import ImageResult, PeopleTable, stack_people
from dsct_detrex.evaluation.together import together
from dsct_detrex.structures import Emotions, Headline, MultiLabelEmotions

Report = dict[str, Any]

_SAMPLE_IMAGES = 24


@dataclass(frozen=True)
class Dataset:
    """What the numbers were measured on.

    Attributes:
        name: as the data set calls itself.
        description: a sentence for reports.
        references: name -> value of the primary metric, printed beside the result.
        warnings: sentences to be shown beside any result on it, besides those of the headline.
        headline: what the split holds, where that is known.
    """

    name: str = ""
    description: str = ""
    references: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    headline: Headline | None = None


@dataclass(frozen=True)
class Shortfall:
    """Why an evaluation saw fewer images than its data set has.

    Attributes:
        unreadable: pictures that could not be read while evaluating, in all processes.
        examples: some of them.
        cut_short: it stopped after some batches on purpose.
        first: the images it saw are then the first ones.
    """

    unreadable: int = 0
    examples: Sequence[str] = ()
    cut_short: bool = False
    first: bool = False


def build_report(
    images: Sequence[ImageResult],
    emotions: Emotions,
    protocol: Protocol,
    strict: StrictProtocol,
    dataset: Dataset,
    shortfall: Shortfall,
    pictures: int = 6,
    temperature: float = 1.0,
) -> Report:
    """Every number of an evaluation, and ``pictures`` at each end; see the module docstring for the keys.

    Args:
        images: with probabilities at temperature 1, by which people are ranked.
        temperature: of the probabilities shown.
    """
    table = stack_people(images, emotions.num_emotions, strict=isinstance(protocol, StrictProtocol))
    multi_label = isinstance(emotions, MultiLabelEmotions)
    precisions = metrics.average_precisions(table)
    people = table.targets.sum(axis=0).tolist()
    matrix, missed = metrics.confusion(table)
    values = {"mAP": metrics.mean_average_precision(precisions), "acc": metrics.accuracy(table)}
    if multi_label:
        values["acc_any"] = metrics.any_label_accuracy(table)
    shown = [replace(image, scores=tempered(image.scores, temperature, multi_label)) for image in images]
    said = replace(table, scores=tempered(table.scores, temperature, multi_label))
    thresholds = metrics.best_f1_thresholds(said) if multi_label else None
    found = stack_people(images, emotions.num_emotions, strict=True)
    report: Report = {
        "protocol": {"name": protocol.name, "sentence": protocol.sentence},
        "dataset": _dataset(dataset, len(images), shortfall),
        "emotions": {"name": emotions.name, "labels": list(emotions.names), "multi_label": multi_label},
        "primary_metric": primary_metric(emotions),
        "counts": _counts(images, table, dataset, shortfall),
        "metrics": {**values, **metrics.box_quality(table), **box_average_precision(images)},
        "strict": _strict(found, emotions, strict),
        "per_class": [
            {"label": label, "people": count, "AP": float(value)}
            for label, count, value in zip(emotions.names, people, precisions)
        ],
        "confusion": {"matrix": matrix.tolist(), "missed": missed.tolist()},
        "by_count": [asdict(row) for row in metrics.by_people_count(table)],
        "groups": by_groups(images, table),
        "calibration": _calibration(found, emotions, temperature),
        "pr_curves": _pr_curves(table, emotions),
        "pr_mean": mean_precision_recall(table),
        **({"together": together(table)} if multi_label else {}),
        "thresholds": thresholds,
        "references": dict(dataset.references),
        "warnings": [],
        "samples": [picture_facts(image, emotions) for image in shown[:_SAMPLE_IMAGES]],
        "pictures": best_and_worst(shown, emotions, pictures),
    }
    report["warnings"] = cautions(report, shortfall.unreadable, shortfall.examples, shortfall.cut_short)
    cleaned: Report = _without_nan(report)
    return cleaned


def primary_metric(emotions: Emotions) -> str:
    """The metric that the paper ranks models by: ``"mAP"`` for several emotions per person, ``"acc"`` for one."""
    return "mAP" if isinstance(emotions, MultiLabelEmotions) else "acc"


def _dataset(dataset: Dataset, images: int, shortfall: Shortfall) -> dict[str, Any]:
    headline = dataset.headline
    warnings = list(dict.fromkeys([*(headline.warnings if headline else ()), *dataset.warnings]))
    block = {"name": dataset.name, "description": dataset.description, "coverage": None, "warnings": warnings}
    if headline is None:
        return block
    facts = headline.to_dict()
    facts["headline"] = facts.pop("sentence")
    return {**facts, **block, "coverage": headline.coverage(images, shortfall.cut_short, shortfall.first)}


def _strict(table: PeopleTable, emotions: Emotions, protocol: StrictProtocol) -> dict[str, Any]:
    name = primary_metric(emotions)
    if name == "acc":
        value = metrics.accuracy(table)
    else:
        value = metrics.mean_average_precision(metrics.average_precisions(table))
    found = int(table.found.sum())
    share = found / len(table) if len(table) else float("nan")
    return {name: value, "found": share, "people_found": found, "sentence": protocol.sentence}


def _calibration(table: PeopleTable, emotions: Emotions, temperature: float) -> dict[str, float]:
    several, found = isinstance(emotions, MultiLabelEmotions), table.rows(table.found)
    measured = reliability(tempered(found.scores, temperature, several), found.targets, emotions.names, several)
    return {"temperature": temperature, **{name: measured[name] for name in ("ECE", "Brier")}}


def _counts(
    images: Sequence[ImageResult], table: PeopleTable, dataset: Dataset, shortfall: Shortfall
) -> dict[str, int]:
    headline = dataset.headline
    lost = shortfall.unreadable + (headline.lost_images if headline else 0)
    return {
        "images": len(images),
        "listed_images": headline.listed_images if headline else len(images) + lost,
        "lost_images": lost,
        "emptied_images": headline.emptied_images if headline else 0,
        "images_without_people": sum(len(image.targets) == 0 for image in images),
        "people": len(table),
        "missed_people": int((~table.found).sum()),
        "predictions": sum(len(image.detections) for image in images),
    }


def _pr_curves(table: PeopleTable, emotions: Emotions) -> list[dict[str, Any]]:
    shown = [(k, label) for k, label in enumerate(emotions.names) if table.targets[:, k].any()]
    return [{"label": label, **precision_recall(table, k)} for k, label in shown]


def _without_nan(value: Any) -> Any:
    """JSON knows no NaN: None takes its place, at every depth."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
