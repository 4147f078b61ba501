"""CAER-S on disk: class folders of frames, one labelled face per frame, boxes in text and COCO-style files.

As in the data set, the other people of a frame are there but not labelled; the labelled one is the largest, and of
equals the most central. Validation frames lie in ``train/``, as in the official data loader.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from dsct_detrex.data.dataset import Annotation, Record
from dsct_detrex.files import replacing, write_whole
from dsct_detrex.structures import CAER_S

from .coco_style import coco_file
from .dataset import SyntheticScenes

Row = tuple[str, int, list[float], tuple[int, int]]
"""Path below the split's folder, label, box (xyxy, whole pixels), (width, height)."""

_CATEGORIES = [{"id": i, "name": name, "supercategory": "expression"} for i, name in enumerate(CAER_S.names)]


def write_caer_s(root: Path, sizes: dict[str, int], seed: int, kinds: tuple[str, ...], size: tuple[int, int]) -> None:
    """See ``writer.write_dataset``; ``kinds`` are some of ``txt`` and ``json``."""
    numbers: Counter[tuple[str, int]] = Counter()
    for split, length in sizes.items():
        scenes = SyntheticScenes("caer_s", split, length, seed, size, boxes="head")
        rows = sorted(_write_frames(scenes, root / ("test" if split == "test" else "train"), numbers))
        if "txt" in kinds:
            lines = [f"{path},{label},{','.join(str(int(side)) for side in box)}\n" for path, label, box, _ in rows]
            write_whole(root / f"{split}.txt", "".join(lines))
        if "json" in kinds:
            content = coco_file("CAER", [(path, size, [(label, box)]) for path, label, box, size in rows], _CATEGORIES)
            write_whole(root / f"caer_{split}.json", json.dumps(content, indent=1))


def labelled_person(record: Record) -> Annotation:
    """The person whose label the frame carries."""
    middle = record["width"] / 2

    def prominence(person: Annotation) -> tuple[float, float]:
        x0, y0, x1, y1 = person["bbox"]
        return round(y1 - y0), -abs((x0 + x1) / 2 - middle)

    return max(record["annotations"], key=prominence)


def _write_frames(scenes: SyntheticScenes, folder: Path, numbers: Counter[tuple[str, int]]) -> list[Row]:
    rows = []
    for index in range(len(scenes)):
        record = scenes.record(index)
        person = labelled_person(record)
        label = person["labels"][0]
        numbers[folder.name, label] += 1
        path = f"{CAER_S.names[label]}/{numbers[folder.name, label]:04d}.png"
        with replacing(folder / path, flush=False) as unfinished:
            scenes.load_image(index).save(unfinished)
        box = [float(round(side)) for side in person["bbox"]]
        rows.append((path, label, box, (record["width"], record["height"])))
    return rows
