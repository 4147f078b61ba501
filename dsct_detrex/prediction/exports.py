"""Results in the formats of others: pandas, supervision, COCO. The numbers are those of ``predictions.json``."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from dsct_detrex.errors import UserError
from dsct_detrex.structures import Emotions, MultiLabelEmotions, Person

PERSON = 1
"""COCO's category of a person, for label sets of which a person shows several."""


def data_frame(rows: Iterable[Mapping[str, Any]], emotions: Emotions) -> Any:
    """A ``pandas.DataFrame`` with a row per person; pictures without people have none.

    Columns: ``file``; ``width`` and ``height`` of the picture; ``person``, numbered from 0 in each picture; ``x0``,
    ``y0``, ``x1``, ``y1``, the box in pixels; ``score``, the confidence; ``emotions``, a list of the names shown, the
    most probable first; ``probability_<name>`` for each emotion.

    Args:
        rows: as in ``predictions.json``; those with an error are passed over.

    Raises:
        UserError: pandas is not installed.
    """
    pandas = _package("pandas", "to_pandas")
    columns = ["file", "width", "height", "person", "x0", "y0", "x1", "y1", "score", "emotions"]
    columns += [f"probability_{name}" for name in emotions.names]
    table = [
        [row["file"], row["width"], row["height"], number, *person["box"], person["score"], person["emotions"]]
        + [person["probabilities"][name] for name in emotions.names]
        for row in rows
        for number, person in enumerate(row.get("people", ()))
    ]
    frame = pandas.DataFrame(table, columns=columns)
    return frame if table else frame.astype(dict.fromkeys(columns[1:4], "int64") | dict.fromkeys(columns[4:9], float))


def detections(people: Sequence[Person], emotions: Emotions) -> Any:
    """A ``supervision.Detections`` of one picture.

    ``xyxy`` in pixels, ``confidence``, ``class_id`` and ``data["class_name"]`` of the most probable emotion;
    ``data["emotions"]``: all names shown, joined by ``", "``; ``data["probabilities"]``: (n, K).

    Raises:
        UserError: supervision is not installed.
    """
    supervision = _package("supervision", "to_supervision")
    first = [person.emotions[0] for person in people]
    probabilities = [list(person.probabilities.values()) for person in people]
    return supervision.Detections(
        xyxy=np.array([person.box for person in people], dtype=np.float32).reshape(-1, 4),
        confidence=np.array([person.score for person in people], dtype=np.float32),
        class_id=np.array([emotions.index(name) for name in first], dtype=np.int64),
        data={
            "class_name": np.array(first, dtype=str),
            "emotions": np.array([", ".join(person.emotions) for person in people], dtype=str),
            "probabilities": np.array(probabilities, dtype=np.float32).reshape(-1, emotions.num_emotions),
        },
    )


def coco_results(people: Sequence[Person], emotions: Emotions, image_id: int | str) -> list[dict[str, Any]]:
    """COCO results of one picture, as ``pycocotools``' ``loadRes`` reads them: a dict per person.

    Keys: ``image_id``; ``category_id``, the class index of the emotion, or 1 (person) where a person shows several;
    ``bbox`` [x, y, width, height] in pixels; ``score``; besides those of the format ``emotions``, the names shown, and
    ``probabilities``.
    """
    several = isinstance(emotions, MultiLabelEmotions)
    return [
        {
            "image_id": image_id,
            "category_id": PERSON if several else emotions.index(person.emotions[0]),
            "bbox": [x0, y0, round(x1 - x0, 2), round(y1 - y0, 2)],
            "score": person.score,
            "emotions": list(person.emotions),
            "probabilities": dict(person.probabilities),
        }
        for person in people
        for x0, y0, x1, y1 in [person.box]
    ]


def _package(name: str, method: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UserError(
            f"Prediction.{method} needs {name}, which cannot be imported ({error}). Install it with: pip install {name}"
        ) from error
