"""What a report is made of: cards at the top, then sections of figures, tables, pictures and notes.

What they say is decided in ``sections/``, how they look in ``templates/report.html.j2``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from PIL import Image


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
        name: of its PNG file beside the page, without suffix; empty for none.
        png: makes that file.
    """

    kind: ClassVar[str] = "figure"
    svg: bytes
    alt: str
    caption: str = ""
    wide: bool = True
    name: str = ""
    png: Callable[[], bytes] | None = None

    @classmethod
    def drawn(
        cls, draw: Callable[..., bytes], name: str, /, *, alt: str, caption: str = "", wide: bool = True, **data: Any
    ) -> Figure:
        """Of a function of ``plots`` and its arguments, for the page and as a file."""
        return cls(draw(**data), alt, caption, wide, name, partial(draw, **data, file_format="png"))


@dataclass(frozen=True)
class Table:
    """Rows of text; the first column is left-aligned and names its row, the others are right-aligned.

    Attributes:
        columns: headings.
        rows: as many cells each as there are headings.
        caption: the line above it.
        text: True where cells are words instead of numbers: all columns left-aligned.
        fixed: of a table of words: the cells are something to be typed, in letters of one width.
        wide: False lets it share a row, see ``Figure``.
        links: where the name of each row leads, as a URL relative to the page; empty for nowhere.
    """

    kind: ClassVar[str] = "table"
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    text: bool = False
    fixed: bool = True
    wide: bool = True
    links: Sequence[str] = ()


@dataclass(frozen=True)
class Picture:
    """A picture with its caption; the caption is also its alternative text unless ``alt`` is given."""

    image: Image.Image
    caption: str
    alt: str = ""


@dataclass(frozen=True)
class Gallery:
    """Pictures in as many columns as fit.

    Attributes:
        title: the line above them.
        name: of their PNG file beside the page, without suffix; empty for none.
    """

    kind: ClassVar[str] = "gallery"
    pictures: Sequence[Picture]
    title: str = ""
    name: str = ""


@dataclass(frozen=True)
class Note:
    """Paragraphs set apart from the rest."""

    kind: ClassVar[str] = "note"
    paragraphs: Sequence[str]


@dataclass(frozen=True)
class Details:
    """A long text that is folded up, on the screen and on paper.

    Attributes:
        title: what stands there while it is folded.
        text: in fixed width, line by line.
    """

    kind: ClassVar[str] = "details"
    title: str
    text: str


Block = Figure | Table | Gallery | Note | Details


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
