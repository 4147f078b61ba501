"""Predictions beside annotations, one colour a person (paper Figures 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image
from scipy.optimize import linear_sum_assignment
from torchvision.ops import box_iou

from dsct_detrex.figures.contracts import Drawing, Material
from dsct_detrex.figures.looking import Looking
from dsct_detrex.figures.samples import Sample
from dsct_detrex.structures import Boxes, Instances
from dsct_detrex.visualization import draw_annotations, draw_predictions

_WIDTH = 5.0
_SAME = 0.3
"""Least overlap (IoU) of an annotated and a found person who get one colour."""


def draw(material: Material) -> Iterator[Drawing]:
    """A picture each, two panels where it is annotated."""
    for number, sample in material.drawn():
        panels = _panels(material.model, sample)
        annotated = "annotations beside what the model says" if len(panels) > 1 else "what the model says"
        shape = next(iter(panels.values())).size

        def paint(figure: Any, panels: dict[str, Image.Image] = panels) -> None:
            for axes, (title, picture) in zip(np.ravel(figure.subplots(1, len(panels))), panels.items()):
                axes.imshow(np.asarray(picture))
                axes.set_title(title)
                axes.set_axis_off()

        yield Drawing(
            f"predictions_{number}",
            paint,
            (_WIDTH * len(panels), _WIDTH * shape[1] / shape[0] + 0.4),
            f"The people of a picture, {annotated}, one colour a person.",
            [sample.name],
        )


def _panels(model: Looking, sample: Sample) -> dict[str, Image.Image]:
    people, predictor = model.look(sample).people, model.predictor
    panels = {}
    if sample.truth is not None and sample.emotions is not None:
        panels["Annotated"] = draw_annotations(sample.photo.pixels, sample.truth, sample.emotions)
        people = in_the_order_of(sample.truth, people)
    panels[model.name] = draw_predictions(
        sample.photo.pixels, people, predictor.emotions, 0.0, thresholds=predictor.emotion_thresholds
    )
    return panels


def in_the_order_of(truth: Instances, people: Instances) -> Instances:
    """People in the rows of those who are annotated, further ones behind; nobody (score -1) where one was not found.

    The rows are what gives people their colours.
    """
    annotated = truth.gt_boxes.tensor
    overlap = box_iou(annotated, people.pred_boxes.tensor)
    pairs = {int(a): int(p) for a, p in zip(*linear_sum_assignment(-overlap.numpy())) if overlap[a, p] >= _SAME}
    others = [row for row in range(len(people)) if row not in pairs.values()]
    rows = [pairs.get(row) for row in range(len(annotated))] + others
    found = torch.tensor([row is not None for row in rows], dtype=torch.bool)
    index = torch.tensor([row or 0 for row in rows], dtype=torch.int64)
    if not len(people):
        size, count = len(rows), people.emotion_probs.shape[-1]
        fields = {"scores": -torch.ones(size), "emotion_probs": torch.zeros(size, count)}
        return Instances(people.image_size, pred_boxes=Boxes(annotated), **fields)
    return Instances(
        people.image_size,
        pred_boxes=people.pred_boxes[index],
        scores=torch.where(found, people.scores[index], -1.0),
        emotion_probs=people.emotion_probs[index],
    )
