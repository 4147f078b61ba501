"""The diagnosis of one model: pictures in, for every decoder layer the means of what its fusion does.

Subjects count twice over: those that speak for a person (IoU of at least 0.5, one for each, as in the strict protocol),
and all N of every picture, most of which speak for nobody.

Shapes: N subjects, M contexts, G groups of what a context lies on, n people.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dsct_detrex.data.dataset import EmotionDataset, Record
from dsct_detrex.data.mapper import DatasetMapper
from dsct_detrex.data.synthetic import Painted, SyntheticScenes
from dsct_detrex.data.transforms import Transform
from dsct_detrex.diagnosis.gradients import gradients_to_contexts
from dsct_detrex.diagnosis.means import Floats, Means
from dsct_detrex.diagnosis.measures import MEASURES, measures_of
from dsct_detrex.diagnosis.passing import Fused, fusions_seen
from dsct_detrex.dsct import DSCT, LayerOutput
from dsct_detrex.dsct.detector import stack_predictions
from dsct_detrex.evaluation.protocols import MISSED
from dsct_detrex.explain.groups import GROUPS, groups_at
from dsct_detrex.explain.reading import Reading, context_points
from dsct_detrex.explain.shares import uniform_shares, weight_shares
from dsct_detrex.objective.targets import target_from_instances
from dsct_detrex.structures import Emotions


@dataclass
class Diagnosis:
    """What was measured.

    Attributes:
        images, people, found: how many pictures, people annotated in them, and people that the model found.
        subjects: N.
        layers: a dict for each layer that fuses: ``layer`` (its number), ``people`` and ``subjects`` (key of
            ``MEASURES`` -> mean, or None), ``lies_on`` and ``contexts`` (G shares, in the order of ``explain.GROUPS``,
            of the weight and of all contexts; None where nobody knows), ``gradient`` (``fusion`` and ``rest``, mean
            norms over annotated pictures; None where there are none).
        no_gradient: why there is none, as the end of a sentence; else empty.
        no_places: likewise of ``lies_on``.
    """

    images: int = 0
    people: int = 0
    found: int = 0
    subjects: int = 0
    layers: list[dict[str, Any]] = field(default_factory=list)
    no_gradient: str = ""
    no_places: str = ""


def why_not(model: DSCT) -> str:
    """Why nothing can be measured, as the end of a sentence; empty where something can."""
    if not model.decoder.use_contexts:
        return "has no contexts to take in (model.use_contexts=False)"
    if all(layer.aggregation is None for layer in model.decoder.layers):
        return "has no layer that fuses (model.aggregation=null)"
    return ""


def diagnose(
    model: DSCT, emotions: Emotions, transforms: Transform, dataset: EmotionDataset, indices: Iterable[int]
) -> Diagnosis:
    """Measure.

    Args:
        model: with contexts and fusion, in evaluation mode; its weights are frozen here.
        emotions: its label set.
        transforms: what evaluation does to a picture.
        dataset: annotated pictures; of drawn scenes it is also known what a context lies on.
        indices: of the pictures, perhaps wrapped in what shows progress.
    """
    model.requires_grad_(False)
    means, found, mapper = Means(), Diagnosis(), DatasetMapper(transforms, dataset.emotions, is_train=False)
    found.no_gradient = _no_loss(model, emotions, dataset)
    scenes = dataset if isinstance(dataset, SyntheticScenes) else None
    found.no_places = "" if scenes else "only drawn scenes say what is where"
    layers: list[int] = []
    for index in indices:
        painted = scenes.painted(index) if scenes else None
        record, image = dataset.record(index), painted.image if painted else dataset.load_image(index)
        entry = mapper(record, image)
        fusions, outputs = _forward(model, entry, emotions, means, learns=not found.no_gradient)
        layers = [fused.layer for fused in fusions]
        people = _speakers(outputs, record, emotions)
        _count(means, fusions, people)
        if painted:
            _count_places(means, painted, fusions, outputs, people)
        found.images += 1
        found.people += len(record["annotations"])
        found.found += len(people)
        found.subjects = outputs[-1].logits.shape[1]
    found.layers = [_row(means, layer) for layer in layers]
    if not found.no_gradient and not any(row["gradient"] for row in found.layers):
        found.no_gradient = "nobody is annotated in these pictures"
    return found


def _no_loss(model: DSCT, emotions: Emotions, dataset: EmotionDataset) -> str:
    if model.criterion is None:
        return "the checkpoint says no criterion (model.criterion=null)"
    if (type(dataset.emotions), dataset.emotions.names) != (type(emotions), emotions.names):
        return f"these pictures are annotated with {dataset.emotions.name}, and the model reads {emotions.name}"
    return ""


def _forward(
    model: DSCT, entry: dict[str, Any], emotions: Emotions, means: Means, learns: bool
) -> tuple[list[Fused], list[LayerOutput]]:
    """One picture: its fusions and outputs, without their graph; the gradients are counted."""
    learns = learns and len(entry["ground_truth"]) > 0
    with torch.set_grad_enabled(learns), fusions_seen(model.decoder) as fusions:
        outputs = model.decode([entry["image"]])
    if learns:
        assert model.criterion is not None
        target = target_from_instances(entry["ground_truth"], emotions).to(model.device)
        losses: dict[str, Tensor] = model.criterion(stack_predictions(outputs), [target])
        of_emotions = sum(loss for name, loss in losses.items() if name.startswith("loss_class"))
        assert isinstance(of_emotions, Tensor)
        for fused, reached in zip(fusions, gradients_to_contexts(of_emotions, fusions), strict=True):
            means.add((fused.layer, "fusion"), _floats(reached.fusion))
            means.add((fused.layer, "rest"), _floats(reached.rest))
    plain = [replace(output, logits=output.logits.detach(), boxes=output.boxes.detach()) for output in outputs]
    return fusions, plain


def _speakers(outputs: Sequence[LayerOutput], record: Record, emotions: Emotions) -> list[tuple[int, int]]:
    """Person and subject, of everybody who is found."""
    boxes = torch.tensor([person["bbox"] for person in record["annotations"]], dtype=torch.float32).reshape(-1, 4)
    speakers = Reading(outputs, (record["height"], record["width"]), emotions).speakers(0, boxes)
    return [(person, subject) for person, subject in enumerate(speakers) if subject != MISSED]


def _count(means: Means, fusions: Sequence[Fused], people: Sequence[tuple[int, int]]) -> None:
    subjects = [subject for _, subject in people]
    for fused in fusions:
        for name, values in measures_of(fused).items():
            of_all = _floats(values[0])
            means.add((fused.layer, "subjects", name), of_all)
            means.add((fused.layer, "people", name), of_all[subjects])


def _count_places(
    means: Means,
    painted: Painted,
    fusions: Sequence[Fused],
    outputs: Sequence[LayerOutput],
    people: Sequence[tuple[int, int]],
) -> None:
    """What the weight of everybody who is found lies on, and what all contexts lie on."""
    for fused in fusions:
        points = _floats(context_points(outputs[fused.layer - 1])[0])
        for person, subject in people:
            groups, weights = groups_at(painted, points, person), _floats(fused.left.weights[0, subject])
            means.add((fused.layer, "contexts"), uniform_shares(groups, len(GROUPS))[None])
            if weights.any():
                means.add((fused.layer, "lies_on"), weight_shares(weights, groups, len(GROUPS))[None])


def _row(means: Means, layer: int) -> dict[str, Any]:
    gradient = {way: means.of((layer, way)) for way in ("fusion", "rest")}
    return {
        "layer": layer,
        "people": {name: means.of((layer, "people", name)) for name in MEASURES},
        "subjects": {name: means.of((layer, "subjects", name)) for name in MEASURES},
        "lies_on": means.row((layer, "lies_on")),
        "contexts": means.row((layer, "contexts")),
        "gradient": None if None in gradient.values() else gradient,
    }


def _floats(tensor: Tensor) -> Floats:
    return np.asarray(tensor.detach().double().cpu().numpy())
