"""Small data sets on disk, and the golden ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="session")
def golden_emotic() -> Path:
    return GOLDEN / "data" / "emotic"


@pytest.fixture(scope="session")
def golden_caer() -> Path:
    return GOLDEN / "data" / "caer_s"


@pytest.fixture(scope="session")
def golden_json() -> Callable[[str], Any]:
    return lambda name: json.loads((GOLDEN / name).read_text())


@pytest.fixture
def make_emotic(tmp_path: Path) -> Callable[..., Path]:
    """Write an EMOTIC folder: ``make_emotic(images=n, size=(w, h), people=[...])``; every image gets ``people``."""

    def make(
        images: int = 1,
        size: tuple[int, int] = (64, 48),
        people: list[dict[str, Any]] | None = None,
        split: str = "train",
    ) -> Path:
        folder = tmp_path / "emotic" / "mscoco" / "images"
        folder.mkdir(parents=True, exist_ok=True)
        if people is None:
            people = [{"bbox": [5, 6, 20, 30], "category_id": 2**25}, {"bbox": [30, 4, 20, 40], "category_id": 3}]
        entries, annotations = [], []
        for number in range(1, images + 1):
            picture = Image.new("RGB", size, (number * 7 % 256, 100, 200 - number % 200))
            picture.putpixel((number % size[0], 3), (255, 255, 255))
            picture.save(folder / f"{number:04d}.jpg", quality=95)
            entries.append(
                {"id": number, "file_name": f"mscoco/images/{number:04d}.jpg", "width": size[0], "height": size[1]}
            )
            annotations += [{"id": len(annotations) + k, "image_id": number, **p} for k, p in enumerate(people)]
        content = {"images": entries, "annotations": annotations, "categories": []}
        (tmp_path / f"emotic_{split}_bi.json").write_text(json.dumps(content))
        return tmp_path

    return make
