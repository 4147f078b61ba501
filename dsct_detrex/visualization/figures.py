"""Figures as a page carries them: SVG inline in the page's own colours, pictures inside the page as data.

Nothing refers to another file or site, so a page can be mailed, archived and opened without a network.
"""

from __future__ import annotations

import base64
import re
from html import escape
from io import BytesIO

from PIL import Image

from dsct_detrex.visualization.style import FONT_STACK, PAGE_VARIABLES

_COLORS_OF_A_DRAWING = 1024


def svg_for_page(svg: bytes, alt: str, key: str) -> str:
    """A plot's SVG as an element of a page: scales with its column, follows light and dark, says what it shows.

    Args:
        svg: the file that a function of ``plots`` returned.
        alt: what a reader who cannot see it should know.
        key: unique in the page; prefixed to the SVG's own ids.
    """
    text = svg.decode("utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{key}-', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{key}-", text)
    text = text.replace("'DejaVu Sans'", FONT_STACK.replace('"', "'"))
    for color, variable in PAGE_VARIABLES.items():
        text = text.replace(color, variable)
    opening, rest = text.split(">", 1)
    width = re.search(r' width="([\d.]+)pt"', opening)
    assert width is not None, "matplotlib writes the width in points"
    opening = re.sub(r' (width|height)="[\d.]+pt"', "", opening)
    pixels = round(float(width.group(1)) * 96 / 72)
    said = f'role="img" aria-label="{escape(alt)}" style="width:100%;max-width:{pixels}px"'
    return f"{opening.replace('<svg', f'<svg {said}', 1)}>{rest}"


def picture_data(image: Image.Image) -> str:
    """A picture as a data URI: PNG for drawings of few colours, JPEG for photographs."""
    picture = image.convert("RGB")
    drawing = picture.getcolors(_COLORS_OF_A_DRAWING) is not None
    kind, options = ("png", {}) if drawing else ("jpeg", {"quality": 88, "subsampling": 0})
    buffer = BytesIO()
    picture.save(buffer, format=kind, optimize=True, **options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
