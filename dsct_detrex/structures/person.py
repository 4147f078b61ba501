"""One predicted person in words and numbers: what files say, pictures draw and tables list, so that all agree.

Numbers are rounded here, once: boxes to a hundredth of a pixel, confidences and probabilities to four digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dsct_detrex.structures.emotions import Emotions, MultiLabelEmotions
from dsct_detrex.structures.instances import Instances


@dataclass(frozen=True)
class Person:
    """A person as the model sees them.

    Attributes:
        box: xyxy in pixels of the frame of the picture's ``Instances``.
        score: confidence that this is a person, in [0, 1].
        emotions: names of those shown, the most probable first; never empty.
        probabilities: emotion -> probability, all K in the order of the label set.
        track: who it is over the frames of a clip, from 1; 0 where nobody knows.
    """

    box: tuple[float, float, float, float]
    score: float
    emotions: tuple[str, ...]
    probabilities: dict[str, float]
    track: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As it stands in a row of ``predictions.json``."""
        return {
            "box": list(self.box),
            "score": self.score,
            "emotions": list(self.emotions),
            "probabilities": dict(self.probabilities),
            **({"track": self.track} if self.track else {}),
        }


def described(people: Instances, emotions: Emotions, thresholds: Sequence[float]) -> list[Person]:
    """The people of one picture, in their order.

    Args:
        people: ``pred_boxes``, ``scores`` (n,), ``emotion_probs`` (n, K); ``track`` (n,) where they are followed.
        emotions: the label set.
        thresholds: K least probabilities of a shown emotion; see ``shown_emotions``.
    """
    boxes, scores, rows = people.pred_boxes.tensor.tolist(), people.scores.tolist(), people.emotion_probs
    tracks = people.track.tolist() if people.has("track") else [0] * len(scores)
    return [
        Person(
            (round(x0, 2), round(y0, 2), round(x1, 2), round(y1, 2)),
            round(score, 4),
            tuple(emotions.names[index] for index in shown_emotions(row, emotions, thresholds)),
            {name: round(value, 4) for name, value in zip(emotions.names, row.tolist(), strict=True)},
            track,
        )
        for (x0, y0, x1, y1), score, row, track in zip(boxes, scores, rows, tracks, strict=True)
    ]


def shown_emotions(probabilities: Tensor, emotions: Emotions, thresholds: Sequence[float]) -> list[int]:
    """Class indices of the emotions that a person shows, the most probable first.

    Of several those that reach their threshold, else the most probable; where a person shows one, the most probable.

    Args:
        probabilities: (K,).
        thresholds: K numbers in [0, 1].
    """
    order: list[int] = probabilities.argsort(descending=True, stable=True).tolist()
    if not isinstance(emotions, MultiLabelEmotions):
        return order[:1]
    return [index for index in order if float(probabilities[index]) >= thresholds[index]] or order[:1]
