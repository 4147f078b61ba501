"""Predictions beside annotations, one colour a person (paper Figures 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from dsct_detrex.figures.contracts import Drawing, Material
from dsct_detrex.figures.looking import Looking
from dsct_detrex.figures.samples import Sample
from dsct_detrex.structures import Boxes, Instances
from dsct_detrex.visualization import draw_annotations, draw_predictions

_WIDTH = 5.0


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
    look, predictor = model.look(sample), model.predictor
    panels = {}
    if sample.truth is not None and sample.emotions is not None:
        panels["Annotated"] = draw_annotations(sample.photo.pixels, sample.truth, sample.emotions)
    panels[model.name] = draw_predictions(
        sample.photo.pixels,
        in_rows(look.people, look.rows),
        predictor.emotions,
        0.0,
        thresholds=predictor.emotion_thresholds,
    )
    return panels


def in_rows(people: Instances, rows: Sequence[int | None]) -> Instances:
    """People in the rows that give them their colours; nobody (score -1) where a row has none."""
    blank = Instances(
        people.image_size,
        pred_boxes=Boxes(torch.zeros(1, 4)),
        scores=-torch.ones(1),
        emotion_probs=torch.zeros(1, people.emotion_probs.shape[-1]),
    )
    index = [len(people) if row is None else row for row in rows]
    return Instances(
        people.image_size,
        pred_boxes=Boxes(torch.cat([people.pred_boxes.tensor, blank.pred_boxes.tensor])[index]),
        scores=torch.cat([people.scores, blank.scores])[index],
        emotion_probs=torch.cat([people.emotion_probs, blank.emotion_probs])[index],
    )
