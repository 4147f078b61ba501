"""Small data sets in every layout that ``dsct data`` knows, to be damaged: the golden ones and two that are written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

GOLDEN = Path(__file__).parents[1] / "golden" / "data"
SIZE = (64, 48)


@dataclass(frozen=True)
class Layout:
    """One way in which a data set lies on a disk.

    Attributes:
        card: name in the catalogue.
        write: makes one in an empty folder.
        annotations: the file of the split ``train``, below the root.
        picture: of that split, below the root.
        options: of the reader.
    """

    card: str
    write: Callable[[Path], None]
    annotations: str
    picture: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def made(self, root: Path) -> Path:
        root.mkdir(parents=True, exist_ok=True)
        self.write(root)
        return root


def _golden(name: str, *without: str) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        shutil.copytree(GOLDEN / name, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*without))

    return write


def picture(path: Path, shade: int = 90) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SIZE, (shade, 100, 200 - shade)).save(path)
    return path


def coco_content(pictures: int = 4) -> dict[str, Any]:
    """COCO-style: two people in each picture, each with one of two moods."""
    return {
        "images": [
            {"id": n, "file_name": f"{n}.png", "width": SIZE[0], "height": SIZE[1]} for n in range(1, pictures + 1)
        ],
        "annotations": [
            {"id": 2 * n + k, "image_id": n, "bbox": [4 + 30 * k, 6, 20, 30], "category_id": k + 1, "iscrowd": 0}
            for n in range(1, pictures + 1)
            for k in range(2)
        ],
        "categories": [{"id": 1, "name": "calm"}, {"id": 2, "name": "tense"}],
    }


def _coco(root: Path) -> None:
    for number in range(1, 5):
        picture(root / "train" / f"{number}.png", 20 * number)
    (root / "annotations").mkdir()
    (root / "annotations" / "train.json").write_text(json.dumps(coco_content()))


def _expw(root: Path) -> None:
    (root / "label").mkdir()
    lines = [f"{n}.png 0 5 {4 + n} 30 40 9{n}.5 {n}\n" for n in range(4)]
    (root / "label" / "label.lst").write_text("".join(lines))
    for number in range(4):
        picture(root / "image" / "origin" / f"{number}.png", 20 * number)


LAYOUTS: Mapping[str, Layout] = {
    "EMOTIC, Annotations.mat": Layout(
        "emotic",
        _golden("emotic", "*.json", "csv"),
        "Annotations/Annotations.mat",
        "emotic/mscoco/images/tiny_000001.jpg",
        {"boxes": "body"},
    ),
    "EMOTIC, official JSON": Layout(
        "emotic",
        _golden("emotic", "Annotations", "csv", "expected.json"),
        "emotic_train_bi.json",
        "emotic/mscoco/images/tiny_000001.jpg",
        {"boxes": "head"},
    ),
    "CAER-S, lines": Layout(
        "caer_s",
        _golden("caer_s", "*.json"),
        "train.txt",
        "train/Anger/0001.png",
    ),
    "CAER-S, official JSON": Layout(
        "caer_s",
        _golden("caer_s", "*.txt", "expected.json"),
        "caer_train.json",
        "train/Anger/0001.png",
    ),
    "COCO-style": Layout("coco", _coco, "annotations/train.json", "train/2.png"),
    "ExpW": Layout("expw", _expw, "label/label.lst", "image/origin/2.png", {"shares": (1, 0, 0)}),
}


def files_below(root: Path) -> dict[str, bytes]:
    """All that lies in a folder, to see that nothing was added or changed."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
