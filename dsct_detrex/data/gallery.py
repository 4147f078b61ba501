"""A contact sheet: the first pictures of a data set with the boxes and labels of their people, to look them over."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from dsct_detrex.data.dataset import EmotionDataset
from dsct_detrex.data.images import ImageError

_TILE = 320
_COLUMNS = 4
_CAPTION = 14
_INK = (255, 200, 0)


def draw_gallery(dataset: EmotionDataset, count: int) -> Image.Image:
    """The first ``count`` pictures, four in a row, each inside a square of 320 pixels."""
    count = max(1, min(count, len(dataset)))
    columns = min(count, _COLUMNS)
    sheet = Image.new("RGB", (columns * _TILE, -(-count // columns) * _TILE))
    for index in range(count):
        sheet.paste(_tile(dataset, index), (index % columns * _TILE, index // columns * _TILE))
    return sheet


def _tile(dataset: EmotionDataset, index: int) -> Image.Image:
    try:
        image = dataset.load_image(index)
    except ImageError:
        return _unreadable(dataset.record(index)["file_name"])
    scale = _TILE / max(image.size)
    image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    draw = ImageDraw.Draw(image)
    for person in dataset.record(index)["annotations"]:
        x0, y0, x1, y1 = (side * scale for side in person["bbox"])
        draw.rectangle((x0, y0, x1, y1), outline=_INK, width=2)
        caption = ", ".join(dataset.emotions.names[label] for label in person["labels"])
        draw.text((x0 + 3, max(0, y0 - _CAPTION)), caption, fill=_INK, stroke_width=1, stroke_fill=(0, 0, 0))
    return image


def _unreadable(file_name: str) -> Image.Image:
    tile = Image.new("RGB", (_TILE, _TILE), (90, 0, 0))
    ImageDraw.Draw(tile).text((3, _TILE // 2), f"unreadable: {Path(file_name).name}", fill=_INK)
    return tile
