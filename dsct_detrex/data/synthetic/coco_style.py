"""The COCO-style file of the official DSCT code, for EMOTIC and CAER-S alike.

Image ids start at 1, annotation ids at 0, and ``bbox`` is x, y, width, height in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

CocoImage = tuple[str, tuple[int, int], Sequence[tuple[int, Sequence[float]]]]
"""File name, (width, height), and (category_id, xyxy box in pixels) of every person."""


def coco_file(info: str, images: Sequence[CocoImage], categories: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """The content of the file, ready for ``json.dump``."""
    people = [(number, person) for number, (_, _, people) in enumerate(images, start=1) for person in people]
    return {
        "info": info,
        "license": ["none"],
        "images": [
            {"height": size[1], "width": size[0], "id": number, "file_name": name}
            for number, (name, size, _) in enumerate(images, start=1)
        ],
        "annotations": [_annotation(i, image_id, *person) for i, (image_id, person) in enumerate(people)],
        "categories": list(categories),
    }


def _annotation(number: int, image_id: int, category_id: int, box: Sequence[float]) -> dict[str, Any]:
    x0, y0, x1, y1 = box
    width, height = x1 - x0, y1 - y0
    return {
        "id": number,
        "image_id": image_id,
        "category_id": category_id,
        "segmentation": [[x0, y0, x1, y0, x0, y1, x1, y1]],
        "bbox": [x0, y0, width, height],
        "iscrowd": 0,
        "area": width * height,
    }
