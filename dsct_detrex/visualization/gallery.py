"""A contact sheet of a data set: its first pictures with the boxes and emotions of their people, to look them over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Protocol

import torch
from PIL import Image, ImageDraw, ImageFont

from dsct_detrex.counting import counted
from dsct_detrex.errors import UserError
from dsct_detrex.structures import Boxes, Emotions, Instances
from dsct_detrex.visualization.draw import draw_annotations
from dsct_detrex.visualization.sheet import contact_sheet
from dsct_detrex.visualization.style import GRID, INK

_COLUMNS = 3
_CELL = 480
_LONG_SIDE = 1200


class Pictures(Protocol):
    """What a gallery asks of a data set: ``data.EmotionDataset`` has it."""

    @property
    def emotions(self) -> Emotions: ...

    def __len__(self) -> int: ...

    def record(self, index: int) -> Any: ...

    def load_image(self, index: int) -> Image.Image: ...


def draw_gallery(dataset: Pictures, count: int) -> Image.Image:
    """The first ``count`` pictures, three in a row; one that cannot be read is a grey field that says so.

    Raises:
        UserError: the data set has no picture.
    """
    shown = range(min(max(1, count), len(dataset)))
    if not shown:
        raise UserError("The gallery has nothing to show: no picture of the data set can be used.")
    records = [dataset.record(index) for index in shown]
    images = [_annotated(dataset, index, record) for index, record in zip(shown, records)]
    return contact_sheet(images, _COLUMNS, [_caption(record) for record in records], _CELL)


def _annotated(dataset: Pictures, index: int, record: Mapping[str, Any]) -> Image.Image:
    try:
        image = dataset.load_image(index)
    except (UserError, OSError):
        return _unreadable()
    people = record["annotations"]
    boxes = torch.tensor([person["bbox"] for person in people], dtype=torch.float32).reshape(-1, 4)
    truth = Instances((image.height, image.width), gt_boxes=Boxes(boxes))
    truth.set(dataset.emotions.target_field, dataset.emotions.encode([person["labels"] for person in people]))
    image.thumbnail((_LONG_SIDE, _LONG_SIDE), Image.Resampling.LANCZOS)
    return draw_annotations(image, truth, dataset.emotions)


def _caption(record: Mapping[str, Any]) -> str:
    """For example ``Happy/0001.png: 1 person``."""
    name = "/".join(PurePath(record["file_name"]).parts[-2:])
    return f"{name}: {counted(len(record['annotations']), 'person')}"


def _unreadable() -> Image.Image:
    field = Image.new("RGB", (640, 400), GRID)
    font = ImageFont.load_default(28)
    ImageDraw.Draw(field).text((320, 200), "cannot be read", fill=INK, font=font, anchor="mm")
    return field
