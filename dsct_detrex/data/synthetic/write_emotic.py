"""EMOTIC on disk: pictures in four source folders, ``Annotations.mat`` with body boxes, DSCT's JSON with head boxes.

Both files describe the same people with the same labels. As in the data set, a training person has one annotator;
a validation or test person has several, each of whom saw a part of the labels, and their union is the annotation.
"""

from __future__ import annotations

import json
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

from dsct_detrex.data.dataset import Annotation, Record
from dsct_detrex.files import replacing, write_whole
from dsct_detrex.structures import EMOTIC

from .coco_style import coco_file
from .dataset import SyntheticScenes
from .dice import Dice

_SOURCES = {"mscoco": 70.0, "framesdb": 16.0, "emodb_small": 10.0, "ade20k": 4.0}  # percent, roughly as in EMOTIC
_ANNOTATORS = (2, 5)  # fewest and most, for validation and test

_VALENCE_AROUSAL_DOMINANCE = {  # usual answers, 1 to 10
    "Anger": (3, 8, 7), "Disgust": (3, 6, 6), "Fear": (2, 8, 3), "Happy": (8, 7, 7), "Neutral": (6, 4, 6),
    "Sad": (2, 3, 3), "Surprise": (6, 8, 5),
}  # fmt: skip


def write_emotic(root: Path, sizes: dict[str, int], seed: int, kinds: tuple[str, ...], size: tuple[int, int]) -> None:
    """See ``writer.write_dataset``; ``kinds`` are some of ``mat`` and ``json``."""
    variables: dict[str, Any] = {}
    for split, length in sizes.items():
        scenes = SyntheticScenes("emotic", split, length, seed, size, boxes="body")
        records = [scenes.record(i) for i in range(length)]
        sources = [_source(seed, split, i) for i in range(length)]
        for i, source in enumerate(sources):
            place = root / "emotic" / source / "images" / _file_name(split, i)
            with replacing(place, flush=False) as unfinished:
                # No chroma subsampling: flat colours would show it.
                scenes.load_image(i).save(unfinished, quality=92, subsampling=0)
        if "json" in kinds:
            images = [_coco_image(record, source, split, i) for i, (record, source) in enumerate(zip(records, sources))]
            text = json.dumps(coco_file("EMOTIC-Detection", images), indent=1)
            write_whole(root / f"emotic_{split}_bi.json", text)
        entries = [
            _mat_image(record, source, split, i, Dice(seed, split, i, "annotators"))
            for i, (record, source) in enumerate(zip(records, sources))
        ]
        variables[split] = _structs(entries)
    if "mat" in kinds:
        with replacing(root / "Annotations" / "Annotations.mat") as unfinished:
            savemat(unfinished, variables, do_compression=True)  # as MATLAB does


def pack_bits(labels: list[int]) -> int:
    """The official ``category_id``: one bit per category, the first (Affection) most significant."""
    return sum(1 << (EMOTIC.num_emotions - 1 - index) for index in labels)


def _source(seed: int, split: str, index: int) -> str:
    return list(_SOURCES)[Dice(seed, split, index, "source").index(list(_SOURCES.values()))]


def _file_name(split: str, index: int) -> str:
    return f"synthetic_{split}_{index + 1:06d}.jpg"


def _whole(box: list[float]) -> list[int]:
    """The smallest box of whole pixels around an xyxy box."""
    return [floor(box[0]), floor(box[1]), ceil(box[2]), ceil(box[3])]


def _coco_image(record: Record, source: str, split: str, index: int) -> Any:
    people = [(pack_bits(person["labels"]), _whole(person["extra"]["head"])) for person in record["annotations"]]
    return f"{source}/images/{_file_name(split, index)}", (record["width"], record["height"]), people


def _mat_image(record: Record, source: str, split: str, index: int, dice: Dice) -> dict[str, Any]:
    info = {"image_id": float(index + 1), "annotations_id": float(index + 1)}
    return {
        "filename": _file_name(split, index),
        "folder": f"{source}/images",
        "image_size": _structs([{"n_col": float(record["width"]), "n_row": float(record["height"])}]),
        "original_database": _structs([{"name": source, "info": _structs([info])}]),
        "person": _structs([_mat_person(person, split, dice) for person in record["annotations"]]),
    }


def _mat_person(person: Annotation, split: str, dice: Dice) -> dict[str, Any]:
    """The fields of a person in the order of the official file, which some converters read by position."""
    emotion = person["extra"]["cues"]["emotion"]
    count = 1 if split == "train" else int(dice.between(_ANNOTATORS[0], _ANNOTATORS[1] + 1))
    ticked = _share_out(person["labels"], count, dice)
    answers = [_answer(emotion, dice) for _ in range(count)]
    fields: dict[str, Any] = {
        "body_bbox": np.array([_whole(person["extra"]["body"])], dtype=float),
        "annotations_categories": _structs([{"categories": _cell(labels)} for labels in ticked]),
    }
    if split != "train":
        fields["combined_categories"] = _cell(person["labels"])
    fields["annotations_continuous"] = _structs(answers)
    if split != "train":
        combined = {name: float(np.mean([answer[name] for answer in answers])) for name in answers[0]}
        fields["combined_continuous"] = _structs([combined])
    return {**fields, "gender": person["extra"]["gender"], "age": person["extra"]["age"]}


def _share_out(labels: list[int], count: int, dice: Dice) -> list[list[int]]:
    """Who ticked what: every label has at least one annotator, others agree half of the time."""
    first = [int(dice.between(0, count)) for _ in labels]
    return [[c for c, owner in zip(labels, first) if owner == i or dice.chance(0.5)] for i in range(count)]


def _answer(emotion: str, dice: Dice) -> dict[str, float]:
    usual = _VALENCE_AROUSAL_DOMINANCE[emotion]
    values = [float(min(10, max(1, value + int(dice.between(-1, 2))))) for value in usual]
    return dict(zip(("valence", "arousal", "dominance"), values))


def _cell(labels: list[int]) -> Any:
    """A 1 x n MATLAB cell of category names."""
    cell = np.empty((1, len(labels)), dtype=object)
    cell[0, :] = [EMOTIC.names[index] for index in labels]
    return cell


def _structs(items: list[dict[str, Any]]) -> Any:
    """A 1 x n MATLAB struct array; all items have the fields of the first."""
    array = np.empty((1, len(items)), dtype=[(name, object) for name in items[0]])
    for i, item in enumerate(items):
        array[0, i] = tuple(item.values())
    return array
