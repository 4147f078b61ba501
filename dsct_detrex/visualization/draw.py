"""Pictures of predictions: each person's box with what the model reads, and the annotation beside it if there is one.

Boxes arrive in the frame of their ``Instances.image_size`` and are drawn in that of the picture, which may be a resized
copy. Small pictures are enlarged by a whole factor first, so that text stays readable.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from dsct_detrex.structures import Emotions, Instances, MultiLabelEmotions, Person, described
from dsct_detrex.visualization.chips import Box, Font, bars_chip, label_chip, list_chip, place_chip
from dsct_detrex.visualization.style import PEOPLE_COLORS

Picture = Image.Image | NDArray[np.uint8] | Tensor

DEFAULT_THRESHOLD = 0.3
"""Least confidence of a person that is drawn."""

_SMALLEST_LONG_SIDE = 640
_LINES_PER_PICTURE = 6
_HALO = "#10141b"
_TRUTH_COLOR = "#ffffff"


def draw_predictions(
    image: Picture,
    instances: Instances,
    emotions: Emotions,
    threshold: float = DEFAULT_THRESHOLD,
    max_emotions: int = 3,
    ground_truth: Instances | None = None,
    thresholds: Sequence[float] | None = None,
) -> Image.Image:
    """An annotated copy of a picture.

    One emotion per person: a chip with the most probable one. Several: those shown, with small bars. Names and numbers
    are those of ``structures.described``, as in ``predictions.json``. A person's colour belongs to its row, so another
    threshold recolours nobody; or to its ``track`` where there is one, whose number stands before the emotion.
    Annotations are dashed and white.

    Args:
        image: PIL image, (H, W, 3) uint8 array or (3, H, W) uint8 tensor, RGB.
        instances: ``pred_boxes``, ``scores`` (N,), ``emotion_probs`` (N, K).
        emotions: names of the K categories, and whether a person shows one or several.
        threshold: least ``scores`` of a person to be drawn.
        max_emotions: most lines per person with several emotions, at least 1; fewer are drawn where more than two
            people share the picture, so that their chips do not cover each other.
        ground_truth: ``gt_boxes`` and the emotions' target field, drawn dashed.
        thresholds: K least probabilities of an emotion that is shown; how many of these have no line is said in a last
            one. None: nothing is claimed to be shown, and the most probable emotions have the lines.

    Returns:
        A new RGB image; a whole multiple of the given size if its long side is below 640 pixels.

    Raises:
        ValueError: the image is none of the accepted kinds, or ``max_emotions`` is below 1.
    """
    if max_emotions < 1:
        raise ValueError(f"draw_predictions(max_emotions=) expects at least 1. Got {max_emotions}.")
    canvas = _enlarged(to_pil(image))
    font = ImageFont.load_default(_font_size(canvas))
    people = [row for row, score in enumerate(instances.scores.tolist()) if score >= threshold]
    boxes = _canvas_boxes(instances.pred_boxes.tensor, instances, canvas)
    lines = max(1, min(max_emotions, _LINES_PER_PICTURE // max(1, len(people))))
    truths = [] if ground_truth is None else _canvas_boxes(ground_truth.gt_boxes.tensor, ground_truth, canvas)

    colors = _colors(instances)
    draw, line = ImageDraw.Draw(canvas), _line(canvas)
    for row in people:
        _solid_box(draw, boxes[row], colors[row], line)
    for box in truths:
        _dashed_box(draw, box, line)

    chips: list[Box] = []
    visible = [boxes[row] for row in people]
    persons = described(instances, emotions, (0.0,) * emotions.num_emotions if thresholds is None else thresholds)
    for row in people:
        more = 0 if thresholds is None else max(0, len(persons[row].emotions) - lines)
        chip = _emotion_chip(persons[row], emotions, lines, more, colors[row], font)
        chips.append(_put(canvas, chip, boxes[row], chips, visible))
    if ground_truth is not None:
        for box, text in zip(truths, _truth_texts(ground_truth, emotions, lines if len(truths) < 3 else 1)):
            chip = label_chip(text, _TRUTH_COLOR, font)
            chips.append(_put(canvas, chip, box, chips, visible, below=True))
    return canvas


def draw_annotations(image: Picture, ground_truth: Instances, emotions: Emotions, max_emotions: int = 8) -> Image.Image:
    """A copy of a picture with its annotations alone, drawn as predictions are: a colour and a chip for each person.

    Args:
        image: as ``draw_predictions`` takes it.
        ground_truth: ``gt_boxes`` and the emotions' target field.
        max_emotions: most emotions named in the whole picture, but at least one a person; the rest are counted.
    """
    canvas = _enlarged(to_pil(image))
    font = ImageFont.load_default(_font_size(canvas))
    boxes = _canvas_boxes(ground_truth.gt_boxes.tensor, ground_truth, canvas)
    colors = [PEOPLE_COLORS[row % len(PEOPLE_COLORS)] for row in range(len(boxes))]
    draw = ImageDraw.Draw(canvas)
    for box, color in zip(boxes, colors):
        _solid_box(draw, box, color, _line(canvas))
    most = max(1, max_emotions // max(1, len(boxes)))
    chips: list[Box] = []
    for box, color, (names, more) in zip(boxes, colors, _truths(ground_truth, emotions, most)):
        lines = [*names, *([f"+{more} more"] if more else [])] or ["no emotion"]
        chips.append(_put(canvas, list_chip(lines, color, font), box, chips, boxes))
    return canvas


def to_pil(image: Picture) -> Image.Image:
    """Any accepted picture as a new PIL RGB image; drawing on it does not change the given one.

    Raises:
        ValueError: an array or tensor of another shape or type.
    """
    if isinstance(image, Image.Image):
        return image.convert("RGB")
    array = image.detach().cpu().numpy().transpose(1, 2, 0) if isinstance(image, Tensor) and image.ndim == 3 else image
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8 or array.ndim != 3 or array.shape[-1] != 3:
        raise ValueError(
            "draw_predictions(image=) expects a PIL image, a uint8 array (H, W, 3) or a uint8 tensor (3, H, W). "
            f"Got {type(image).__name__} {getattr(image, 'dtype', '')} {tuple(getattr(image, 'shape', ()))}."
        )
    return Image.fromarray(np.ascontiguousarray(array))


def _enlarged(image: Image.Image) -> Image.Image:
    factor = max(1, math.ceil(_SMALLEST_LONG_SIDE / max(image.size)))
    if factor == 1:
        return image
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.LANCZOS)


def _font_size(canvas: Image.Image) -> int:
    """Text that is readable when the picture is shown 380 pixels wide, as in the report, and fits into a flat one."""
    return max(12, round(min(0.034 * max(canvas.size), 0.1 * min(canvas.size))))


def _line(canvas: Image.Image) -> int:
    """Width of a box's frame."""
    return max(3, round(max(canvas.size) / 190))


def _canvas_boxes(boxes: Tensor, owner: Instances, canvas: Image.Image) -> list[Box]:
    """(n, 4) xyxy in the owner's frame -> boxes on the canvas, cut at its border."""
    height, width = owner.image_size
    across, down = canvas.width / width, canvas.height / height
    return [
        (
            min(max(x0 * across, 0), canvas.width - 1),
            min(max(y0 * down, 0), canvas.height - 1),
            min(max(x1 * across, 0), canvas.width - 1),
            min(max(y1 * down, 0), canvas.height - 1),
        )
        for x0, y0, x1, y1 in boxes.tolist()
    ]


def _solid_box(draw: ImageDraw.ImageDraw, box: Box, color: str, line: int) -> None:
    """A coloured frame, its middle on the box, between two thin dark lines that part it from any ground."""
    half = line / 2
    outer = (box[0] - half - 1, box[1] - half - 1, box[2] + half + 1, box[3] + half + 1)
    draw.rectangle(outer, outline=_HALO, width=line + 2)
    draw.rectangle((outer[0] + 1, outer[1] + 1, outer[2] - 1, outer[3] - 1), outline=color, width=line)


def _dashed_box(draw: ImageDraw.ImageDraw, box: Box, line: int) -> None:
    """White dashes with dark gaps."""
    x0, y0, x1, y1 = box
    for start, end in (((x0, y0), (x1, y0)), ((x1, y0), (x1, y1)), ((x0, y1), (x1, y1)), ((x0, y0), (x0, y1))):
        _dashes(draw, start, end, dash=4 * line, line=max(2, line - 1))


def _dashes(
    draw: ImageDraw.ImageDraw, start: tuple[float, float], end: tuple[float, float], dash: int, line: int
) -> None:
    across, down = end[0] - start[0], end[1] - start[1]
    pieces = max(1, round(math.hypot(across, down) / dash))
    for piece in range(pieces):
        near, far = piece / pieces, (piece + 0.6) / pieces
        points = (start[0] + near * across, start[1] + near * down, start[0] + far * across, start[1] + far * down)
        draw.line(points, fill=_HALO, width=line + 2)
        draw.line(points, fill=_TRUTH_COLOR, width=line)


def _colors(people: Instances) -> list[str]:
    """Of each row: by who it is where that is known, else by the row."""
    tracks = people.track.tolist() if people.has("track") else [0] * len(people)
    numbers = [track - 1 if track else row for row, track in enumerate(tracks)]
    return [PEOPLE_COLORS[number % len(PEOPLE_COLORS)] for number in numbers]


def _emotion_chip(person: Person, emotions: Emotions, lines: int, more: int, color: str, font: Font) -> Image.Image:
    rows = [(name, person.probabilities[name]) for name in person.emotions[:lines]]
    if person.track:
        rows[0] = (f"#{person.track} {rows[0][0]}", rows[0][1])
    if isinstance(emotions, MultiLabelEmotions):
        return bars_chip(rows, color, font, more)
    return label_chip(f"{rows[0][0]} {100 * rows[0][1]:.0f} %", color, font)


def _truth_texts(ground_truth: Instances, emotions: Emotions, most: int) -> list[str]:
    """What each person shows: at most ``most`` names, then how many more."""
    return [
        f"truth: {', '.join(names) or 'none'}{f' +{more}' if more else ''}"
        for names, more in _truths(ground_truth, emotions, most)
    ]


def _truths(ground_truth: Instances, emotions: Emotions, most: int) -> list[tuple[list[str], int]]:
    """Of each person at most ``most`` names, and how many there are besides."""
    rows = emotions.multi_hot(ground_truth.get(emotions.target_field)).tolist()
    shown = [[name for name, on in zip(emotions.names, row) if on] for row in rows]
    return [(names[:most], max(0, len(names) - most)) for names in shown]


def _put(
    canvas: Image.Image, chip: Image.Image, box: Box, chips: list[Box], boxes: list[Box], below: bool = False
) -> Box:
    """Paste a chip beside its box and return where it went; a chip larger than the picture is cut to it."""
    chip = chip.crop((0, 0, min(chip.width, canvas.width), min(chip.height, canvas.height)))
    place = place_chip(chip.size, box, canvas.size, chips, boxes, below)
    canvas.paste(chip, (int(place[0]), int(place[1])), chip)
    return place
