"""Label chips: small blocks of text that stand beside a box and never leave the picture.

A chip is drawn on its own, then placed where it hides least: it prefers its box's edges, avoids chips already placed
and other people's boxes. Ties go to the first place in the list, so a picture is always the same.

Boxes are xyxy in pixels of the canvas.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw
from PIL.ImageFont import FreeTypeFont, ImageFont

from dsct_detrex.visualization.style import text_color_on

Box = tuple[float, float, float, float]
Font = ImageFont | FreeTypeFont

_BAR_BACKGROUND = (18, 22, 30, 225)
_BAR_TEXT = "#f4f6f9"
_BAR_TRACK = (62, 66, 74, 255)
"""What is left of a bar to 100 %. It is opaque: a half-transparent colour drawn into a chip would replace the ground of
the chip instead of covering it, and the picture behind would shine through as if it were the bar."""


def label_chip(text: str, color: str, font: Font) -> Image.Image:
    """One line of text on a coloured ground, RGBA."""
    height, padding = _line_height(font), _padding(font)
    width = round(font.getlength(text)) + 2 * padding
    chip, draw = _blank(width, height + padding, color, radius=padding // 2)
    draw.text((padding, (height + padding) / 2), text, fill=text_color_on(color), font=font, anchor="lm")
    return chip


def bars_chip(rows: Sequence[tuple[str, float]], color: str, font: Font, more: int = 0) -> Image.Image:
    """Several emotions as lines with small bars, RGBA.

    Args:
        rows: name and probability in [0, 1] of each line, from the top.
        color: of the bars and of the left edge that ties the chip to its box.
        more: how many emotions have no line; said in a last one.
    """
    height, padding = _line_height(font), _padding(font)
    names = max(font.getlength(name) for name, _ in rows)
    numbers = font.getlength("100 %")
    track = round(2.6 * height)
    edge = max(3, padding // 2)
    width = round(edge + names + track + numbers + 4 * padding)
    lines = len(rows) + (more > 0)
    chip, draw = _blank(width, height * lines + padding, _BAR_BACKGROUND, radius=padding // 2)
    draw.rectangle((0, 0, edge - 1, chip.height), fill=color)
    for row, (name, probability) in enumerate(rows):
        middle = padding / 2 + (row + 0.5) * height
        left = edge + padding
        draw.text((left, middle), name, fill=_BAR_TEXT, font=font, anchor="lm")
        left = round(left + names + padding)
        half = max(2, height // 6)
        top, bottom = round(middle - half), round(middle + half)
        filled = round(track * min(max(probability, 0.0), 1.0))
        draw.rectangle((left, top, left + track - 1, bottom), fill=_BAR_TRACK)
        if filled:
            draw.rectangle((left, top, left + filled - 1, bottom), fill=color)
        draw.text((width - padding, middle), f"{100 * probability:.0f} %", fill=_BAR_TEXT, font=font, anchor="rm")
    if more:
        middle = padding / 2 + (lines - 0.5) * height
        draw.text((edge + padding, middle), f"+{more} more", fill=_BAR_TEXT, font=font, anchor="lm")
    return chip


def list_chip(lines: Sequence[str], color: str, font: Font) -> Image.Image:
    """Lines of text below each other on a coloured ground, RGBA."""
    height, padding = _line_height(font), _padding(font)
    width = round(max(font.getlength(line) for line in lines)) + 2 * padding
    chip, draw = _blank(width, height * len(lines) + padding, color, radius=padding // 2)
    for row, line in enumerate(lines):
        middle = padding / 2 + (row + 0.5) * height
        draw.text((padding, middle), line, fill=text_color_on(color), font=font, anchor="lm")
    return chip


def place_chip(
    size: tuple[int, int],
    box: Box,
    canvas: tuple[int, int],
    chips: Sequence[Box],
    boxes: Sequence[Box],
    below: bool = False,
) -> Box:
    """Where a chip hides least.

    Args:
        size: (width, height) of the chip, not larger than the canvas.
        box: the box it labels.
        canvas: (width, height) of the picture.
        chips: chips already placed.
        boxes: all boxes of the picture, whose inside should stay visible.
        below: prefer the lower edge of the box to the upper one.

    Returns:
        xyxy of the chip, inside the canvas.
    """
    places = [_inside(corner, size, canvas) for corner in _corners(size, box, below)]

    def hidden(place: Box) -> float:
        """In tenths of the chip's own area, so that a pixel of rounding does not outweigh the preference."""
        shared = 20 * sum(_shared(place, chip) for chip in chips) + sum(_shared(place, other) for other in boxes)
        return round(10 * shared / (size[0] * size[1]))

    return min(places, key=hidden)


def _corners(size: tuple[int, int], box: Box, below: bool) -> list[tuple[float, float]]:
    """Upper left corners to try, the preferred first: at an edge, beside, one chip away from an edge, then inside."""
    width, height = size
    x0, y0, x1, y1 = box
    over = [(x0, y0 - height), (x1 - width, y0 - height)]
    under = [(x0, y1), (x1 - width, y1)]
    beside = [(x1, y0), (x0 - width, y0), (x1, y1 - height), (x0 - width, y1 - height)]
    within = [(x0, y1 - height), (x0, y0)] if below else [(x0, y0), (x0, y1 - height)]
    near = under + over if below else over + under
    farther = [(x, y + height) for x, y in under] + [(x, y - height) for x, y in over]
    return [*near, *beside, *farther, *within]


def _inside(corner: tuple[float, float], size: tuple[int, int], canvas: tuple[int, int]) -> Box:
    x, y = (min(max(round(c), 0), room - length) for c, length, room in zip(corner, size, canvas))
    return (x, y, x + size[0], y + size[1])


def _shared(a: Box, b: Box) -> float:
    """Common area in square pixels."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0)


def _blank(
    width: int, height: int, color: str | tuple[int, int, int, int], radius: int
) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    chip = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(chip)
    draw.rounded_rectangle((0, 0, width - 1, height - 1), radius=radius, fill=color)
    return chip, draw


def _line_height(font: Font) -> int:
    _, top, _, bottom = font.getbbox("Ag%")
    return round(1.25 * (bottom - top))


def _padding(font: Font) -> int:
    return max(4, round(0.35 * _line_height(font)))
