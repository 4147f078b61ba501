"""One self-contained HTML page out of blocks, and the same plots and pictures as PNG files beside it.

The page follows the reader's light or dark setting, fits a phone, prints, and refers to nothing outside itself, so that
it can be mailed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dsct_detrex.files import replacing, write_whole
from dsct_detrex.visualization.blocks import Card, Figure, Gallery, Section
from dsct_detrex.visualization.figures import picture_data, svg_for_page
from dsct_detrex.visualization.sheet import contact_sheet

_COLUMNS = 3


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
    write_whole(path, page)
    return path


def _inline_svg(figure: Figure, key: str) -> Markup:
    """Our own plots are trusted markup; everything else in the page is escaped."""
    return Markup(svg_for_page(figure.svg, figure.alt, key))


def write_pngs(folder: Path, sections: Sequence[Section]) -> list[Path]:
    """Write every named figure, and every named gallery as one sheet; missing folders are made.

    Returns:
        The paths written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for block in (block for section in sections for block in section.blocks):
        if not isinstance(block, Figure | Gallery) or not block.name:
            continue
        path = folder / f"{block.name}.png"
        if isinstance(block, Gallery):
            captions = [picture.caption for picture in block.pictures]
            with replacing(path) as unfinished:
                contact_sheet([p.image for p in block.pictures], _COLUMNS, captions).save(unfinished)
        elif block.png is not None:
            write_whole(path, block.png())
        else:
            continue
        written.append(path)
    return written
