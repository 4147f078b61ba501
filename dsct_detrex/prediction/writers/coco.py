"""COCO results, as ``pycocotools``' ``loadRes`` reads them, complete after every picture.

Keys of ``exports.coco_results``, and ``file_name``, for ``image_id`` is only the number of the picture (or frame, then
with ``frame``) among the rows, from 1. Pictures that cannot be read count, and have no results.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsct_detrex.prediction.exports import coco_results
from dsct_detrex.prediction.growing_list import GrowingList
from dsct_detrex.structures import Emotions, Person

SUFFIX = ".coco.json"


def check() -> None:
    """Nothing but Python is needed."""


class Writer:
    """The file."""

    def __init__(self, path: Path, emotions: Emotions) -> None:
        self._list = GrowingList(path)
        self._emotions = emotions
        self._number = 0

    def add(self, row: Mapping[str, Any]) -> None:
        if "frames" in row:
            return
        self._number += 1
        about = {"file_name": row["file"], **({"frame": row["frame"]} if "frame" in row else {})}
        people = [_person(person) for person in row.get("people", ())]
        for result in coco_results(people, self._emotions, self._number):
            self._list.add({**result, **about})

    def close(self) -> None:
        self._list.close()


def _person(person: Mapping[str, Any]) -> Person:
    x0, y0, x1, y1 = person["box"]
    return Person((x0, y0, x1, y1), person["score"], tuple(person["emotions"]), person["probabilities"])
