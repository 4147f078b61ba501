"""One self-contained HTML page out of cards, figures, tables and pictures.

The page follows the reader's light or dark setting, fits a phone, prints, and refers to nothing outside itself. What
it says is decided elsewhere (``demo_report.py``); its looks live in ``templates/report.html.j2``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from dsct_detrex.visualization.figures import picture_data, svg_for_page


@dataclass(frozen=True)
class Card:
    """A number at the top of the page.

    Attributes:
        label: what it is.
        value: the number as text.
        detail: a short line under it.
        accent: True for the number that the page is about.
    """

    label: str
    value: str
    detail: str = ""
    accent: bool = False


@dataclass(frozen=True)
class Figure:
    """A plot.

    Attributes:
        svg: SVG file, as the functions of ``plots`` return it.
        alt: what it shows, for readers who cannot see it.
        caption: the line under it.
        wide: False lets it share a row with the next one that is not wide, where the page has room.
    """

    kind: ClassVar[str] = "figure"
    svg: bytes
    alt: str
    caption: str = ""
    wide: bool = True


@dataclass(frozen=True)
class Table:
    """Rows of text; the first column is left-aligned and names its row, the others are right-aligned.

    Attributes:
        columns: headings.
        rows: as many cells each as there are headings.
        caption: the line above it.
        text: True where cells are words instead of numbers: all columns left-aligned, the second in fixed width.
        wide: False lets it share a row, see ``Figure``.
    """

    kind: ClassVar[str] = "table"
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    text: bool = False
    wide: bool = True


@dataclass(frozen=True)
class Picture:
    """A picture with its caption; the caption is also its alternative text unless ``alt`` is given."""

    image: Image.Image
    caption: str
    alt: str = ""


@dataclass(frozen=True)
class Gallery:
    """Pictures in as many columns as fit."""

    kind: ClassVar[str] = "gallery"
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Note:
    """Paragraphs set apart from the rest."""

    kind: ClassVar[str] = "note"
    paragraphs: Sequence[str]


Block = Figure | Table | Gallery | Note


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it.

    Attributes:
        key: anchor, unique in the page.
        title: heading.
        blocks: in reading order.
        lead: sentence under the heading.
    """

    key: str
    title: str
    blocks: Sequence[Block]
    lead: str = ""


def write_report(
    path: str | Path, title: str, first_line: str, sections: Sequence[Section], cards: Sequence[Card] = ()
) -> Path:
    """Write a page.

    Args:
        path: the HTML file; missing folders are made.
        title: heading of the page.
        first_line: the one sentence that a hurried reader takes away.
        sections: in reading order.
        cards: numbers at the top.

    Returns:
        The path written.
    """
    environment = Environment(
        loader=PackageLoader("dsct_detrex.visualization"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html.j2").render(
        title=title,
        first_line=first_line,
        sections=sections,
        cards=cards,
        inline_svg=_inline_svg,
        picture_data=picture_data,
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def _inline_svg(figure: Figure, key: str) -> Markup:
    """Our own plots are trusted markup; everything else in the page is escaped."""
    return Markup(svg_for_page(figure.svg, figure.alt, key))
