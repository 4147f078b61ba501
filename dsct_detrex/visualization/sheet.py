"""Pictures in rows on white, for a look at many."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from dsct_detrex.visualization.chips import Font
from dsct_detrex.visualization.style import INK

_TALLEST = 1.25
"""Height of a cell over its width, at most: a taller picture is scaled to that and stands in the middle."""


def contact_sheet(
    images: list[Image.Image], columns: int = 3, captions: list[str] | None = None, cell_width: int = 480
) -> Image.Image:
    """Pictures in rows on white, each as wide as its cell or as high as a cell can be, with a caption under it.

    Args:
        images: at least one.
        columns: pictures per row; fewer pictures make a narrower sheet.
        captions: one per picture; longer ones are cut with an ellipsis.
        cell_width: pixels of a picture's width.

    Raises:
        ValueError: no picture, no column, or not as many captions as pictures.
    """
    if not images or columns < 1:
        raise ValueError(f"contact_sheet expects pictures and columns. Got {len(images)} pictures, {columns} columns.")
    if captions is not None and len(captions) != len(images):
        raise ValueError(f"contact_sheet(captions=) expects {len(images)} captions. Got {len(captions)}.")
    cells = [_scaled(image.convert("RGB"), cell_width) for image in images]
    font = ImageFont.load_default(max(11, cell_width // 24))
    gap, text_height = max(8, cell_width // 40), 0 if captions is None else round(2 * font.getbbox("Ag")[3])
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    heights = [max(cell.height for cell in row) + text_height for row in rows]
    width = min(columns, len(cells)) * (cell_width + gap) + gap
    sheet = Image.new("RGB", (width, sum(heights) + gap * (len(rows) + 1)), "white")
    draw = ImageDraw.Draw(sheet)
    top = gap
    for index, row in enumerate(rows):
        for column, cell in enumerate(row):
            left = gap + column * (cell_width + gap)
            sheet.paste(cell, (left + (cell_width - cell.width) // 2, top))
            if captions is not None:
                text = _shortened(captions[index * columns + column], font, cell_width)
                draw.text((left, top + cell.height + text_height / 2), text, fill=INK, font=font, anchor="lm")
        top += heights[index] + gap
    return sheet


def _scaled(image: Image.Image, width: int) -> Image.Image:
    factor = min(width / image.width, _TALLEST * width / image.height)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _shortened(text: str, font: Font, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"
