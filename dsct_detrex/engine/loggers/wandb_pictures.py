"""The W&B table of predictions: each image with its annotated and predicted people, their emotions in words.

Shapes: N subject queries of an image, K emotions. Boxes are xyxy in pixels of the original image on both sides; W&B
    gets them as
fractions of it, so they fit the augmented picture too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from dsct_detrex.engine.loggers.record import Prediction
from dsct_detrex.structures import Emotions, Instances

_CONFIDENT = 0.5  # subject queries below this are drawn only if they are the image's best
_WORDS = 3  # emotions named for a predicted person

Drawing = Callable[[Prediction], Any]


def prediction_table(predictions: Sequence[Prediction], emotions: Emotions, draw: Drawing | None = None) -> Any:
    """A ``wandb.Table`` with one row per image."""
    import wandb

    table = wandb.Table(columns=["image_id", "file_name", "picture", "predicted", "annotated"])
    for prediction in predictions:
        people = confident(prediction.outputs["instances"])
        truth: Instances | None = prediction.inputs.get("ground_truth")
        found = [predicted_words(p, emotions) for p in people.emotion_probs]
        annotated = [] if truth is None else annotated_words(truth, emotions)
        if draw is not None:
            picture = wandb.Image(draw(prediction))
        else:
            groups = {"predictions": (people.pred_boxes.tensor, found, people.emotion_probs.argmax(-1).tolist())}
            if truth is not None:
                first = emotions.multi_hot(truth.get(emotions.target_field)).argmax(-1).tolist()
                groups["ground_truth"] = (truth.gt_boxes.tensor, annotated, first)
            picture = _boxed(prediction, groups, emotions)
        row = (prediction.inputs.get("image_id"), prediction.inputs.get("file_name"))
        table.add_data(*row, picture, "; ".join(found), "; ".join(annotated))
    return table


def confident(people: Instances) -> Instances:
    """The predicted people worth drawing: confident ones, or at least the best."""
    keep = people.scores >= _CONFIDENT
    if len(people) and not keep.any():
        keep = torch.arange(len(people)) == people.scores.argmax()
    return people[keep]


def predicted_words(probabilities: Tensor, emotions: Emotions) -> str:
    """(K,) probabilities -> ``"Happiness 0.91, Peace 0.40, ..."``, the highest first."""
    best = probabilities.float().topk(min(_WORDS, emotions.num_emotions))
    return ", ".join(f"{emotions.names[k]} {p:.2f}" for p, k in zip(best.values.tolist(), best.indices.tolist()))


def annotated_words(truth: Instances, emotions: Emotions) -> list[str]:
    """For each annotated person the names of the emotions."""
    rows = emotions.multi_hot(truth.get(emotions.target_field))
    return [", ".join(emotions.names[k] for k in row.nonzero().flatten().tolist()) for row in rows]


def _boxed(prediction: Prediction, groups: dict[str, tuple[Tensor, list[str], list[int]]], emotions: Emotions) -> Any:
    import wandb

    height, width = prediction.inputs["height"], prediction.inputs["width"]
    labels = dict(enumerate(emotions.names))
    boxes = {
        group: {
            "class_labels": labels,
            "box_data": [
                {
                    "position": dict(zip(("minX", "minY", "maxX", "maxY"), _fractions(box, width, height))),
                    "class_id": class_id,
                    "box_caption": caption,
                }
                for box, caption, class_id in zip(rows, captions, class_ids)
            ],
        }
        for group, (rows, captions, class_ids) in groups.items()
    }
    pixels = prediction.inputs["image"].permute(1, 2, 0).cpu().numpy()
    return wandb.Image(pixels, boxes=boxes)


def _fractions(box: Tensor, width: int, height: int) -> list[float]:
    scale = torch.tensor([width, height, width, height], dtype=torch.float32)
    fractions: list[float] = (box.cpu().float() / scale).clamp(0, 1).tolist()
    return fractions
