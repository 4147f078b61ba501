"""A sheet to look over before the boxes are used: pictures with one face, with several and with none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from PIL import Image, ImageDraw, ImageFont

from dsct_detrex.data.images import frame_size, read_rgb
from dsct_detrex.faces.detector import Face
from dsct_detrex.faces.outcome import Outcome, Shown
from dsct_detrex.visualization import contact_sheet
from dsct_detrex.visualization.chips import Box, label_chip, place_chip
from dsct_detrex.visualization.style import PEOPLE_COLORS

_EACH = 4
_WIDTH = 640  # pixels that small pictures are enlarged to, so that text stays readable
_KINDS = ("one", "several", "none")
_OTHER = "#c9ced6"
_HALO = "#10141b"

Item = TypeVar("Item")


def gallery(outcome: Outcome) -> Image.Image | None:
    """At most four pictures of each kind, from all over the data; None where nothing could be read.

    Faces in the box file have the label of their picture, all others are grey; both with the detector's confidence.
    """
    sheets = [_sheet(shown) for kind in _KINDS if (shown := outcome.shown.get(kind))]
    if not sheets:
        return None
    whole = Image.new("RGB", (max(sheet.width for sheet in sheets), sum(sheet.height for sheet in sheets)), "white")
    top = 0
    for sheet in sheets:
        whole.paste(sheet, (0, top))
        top += sheet.height
    return whole


def _sheet(shown: Sequence[Shown]) -> Image.Image:
    """Pictures of one kind in a row."""
    pictures, captions = [], []
    for frame, faces, chosen in _spread(shown, _EACH):
        picture = read_rgb(str(frame.file), frame_size(str(frame.file)))
        pictures.append(_drawn(picture, frame.label, faces, chosen))
        captions.append(f"{frame.path}: {len(faces) or 'no'} {'face' if len(faces) < 2 else 'faces'}")
    return contact_sheet(pictures, _EACH, captions)


def _spread(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many, evenly from first to last."""
    count = min(most, len(items))
    return [items[(2 * at + 1) * len(items) // (2 * count)] for at in range(count)]


def _drawn(picture: Image.Image, label: str, faces: Sequence[Face], chosen: Sequence[Face]) -> Image.Image:
    scale = max(1.0, _WIDTH / picture.width)
    canvas = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(max(12, canvas.width // 26))
    line = max(3, canvas.width // 190)
    boxes: list[Box] = [(x0 * scale, y0 * scale, x1 * scale, y1 * scale) for x0, y0, x1, y1 in (f.box for f in faces)]
    colors = [PEOPLE_COLORS[0] if face in chosen else _OTHER for face in faces]
    for box, color in zip(boxes, colors):
        draw.rectangle(box, outline=_HALO, width=line + 2)
        draw.rectangle((box[0] + 1, box[1] + 1, box[2] - 1, box[3] - 1), outline=color, width=line)
    chips: list[Box] = []
    for face, box, color in zip(faces, boxes, colors):
        chip = label_chip(f"{label} {face.score:.2f}" if face in chosen else f"{face.score:.2f}", color, font)
        chip = chip.crop((0, 0, min(chip.width, canvas.width), min(chip.height, canvas.height)))
        chips.append(place_chip(chip.size, box, canvas.size, chips, boxes))
        canvas.paste(chip, (int(chips[-1][0]), int(chips[-1][1])), chip)
    return canvas
