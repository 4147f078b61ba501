"""How results show themselves: as text in a console, as picture and table in a notebook."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from PIL import Image

from dsct_detrex.counting import counted
from dsct_detrex.errors import UserError
from dsct_detrex.visualization import PEOPLE_COLORS

MOST = 12
"""Pictures of a list that a notebook shows."""
_WIDEST = 800
"""Pixels of the picture in a notebook, on its longer side; cells are no wider, and the notebook file stays small."""


def text(row: Mapping[str, Any]) -> str:
    """A row of ``predictions.json`` in lines: the picture, then each person."""
    name = row["file"] or "picture"
    if "error" in row:
        return f"{name}: not read. {row['error']}"
    people = row["people"]
    count = counted(len(people), "person") if people else "nobody"
    lines = [f"  {number}: {_emotions(person)}; {_place(person)}" for number, person in enumerate(people)]
    return "\n".join([f"{name}, {row['width']} x {row['height']}: {count}", *lines])


def html(row: Mapping[str, Any], plot: Callable[[], Image.Image] | None) -> str:
    """The drawing above a table of the people, whose numbers have their colours.

    Args:
        plot: makes the drawing; None where there is none. Where it cannot be made any more, the reason stands instead.
    """
    first, *_ = text(row).splitlines()
    parts = [f"<p>{escape(first)}</p>"]
    if plot is not None:
        try:
            parts.append(_image(plot()))
        except UserError as error:
            parts.append(f"<p>{escape(str(error))}</p>")
    if row.get("people"):
        parts.append(_table(row["people"]))
    return f"<div>{''.join(parts)}</div>"


def _table(people: list[Mapping[str, Any]]) -> str:
    rows = [
        f'<tr><td style="border-left: 6px solid {PEOPLE_COLORS[number % len(PEOPLE_COLORS)]}">{number}</td>'
        f'<td style="text-align: left">{escape(_emotions(person))}</td><td>{person["score"]:.2f}</td>'
        f'<td style="white-space: nowrap">{_box(person)}</td></tr>'
        for number, person in enumerate(people)
    ]
    head = '<tr><th></th><th style="text-align: left">emotions</th><th>score</th><th>box (x0, y0, x1, y1)</th></tr>'
    return f"<table>{head}{''.join(rows)}</table>"


def _image(picture: Image.Image) -> str:
    picture.thumbnail((_WIDEST, _WIDEST))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90, subsampling=0)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img src="data:image/jpeg;base64,{data}" width="{picture.width}" height="{picture.height}">'


def _emotions(person: Mapping[str, Any]) -> str:
    """For example ``Happiness 91 %, Peace 40 %``; the numbers as the drawing has them."""
    return ", ".join(f"{name} {100 * person['probabilities'][name]:.0f} %" for name in person["emotions"])


def _place(person: Mapping[str, Any]) -> str:
    return f"score {person['score']:.2f}, box {_box(person)}"


def _box(person: Mapping[str, Any]) -> str:
    return ", ".join(f"{value:g}" for value in person["box"])
