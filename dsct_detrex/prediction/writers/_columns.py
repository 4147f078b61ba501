"""Rows as records of a flat table: one a person; a picture without people, or one that cannot be read, has one too.

Columns: ``file``; ``frame`` and ``seconds`` of a clip; ``width`` and ``height`` of the picture; ``person``, numbered
from 0 in each picture; ``track``, who it is in a clip; ``x0``, ``y0``, ``x1``, ``y1``, the box in pixels of the upright
picture; ``score``; ``emotions`` shown, the most probable first; ``probability_<name>`` of each emotion; ``error``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dsct_detrex.structures import Emotions

WHOLE = ("frame", "width", "height", "person", "track")
"""Columns of whole numbers."""
NUMBERS = ("seconds", "x0", "y0", "x1", "y1", "score")
_FIRST = ("file", "frame", "seconds", "width", "height", "person", "track", "x0", "y0", "x1", "y1", "score", "emotions")


def columns(emotions: Emotions) -> list[str]:
    """Names, in order."""
    return [*_FIRST, *(f"probability_{name}" for name in emotions.names), "error"]


def records(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The records of a row; what a record has nothing to say of is not in it. ``emotions`` is a list."""
    if "frames" in row and "error" not in row:
        return  # a clip that ended well: its frames have said all
    about = {key: row[key] for key in ("frame", "seconds", "width", "height", "error") if key in row}
    about["file"] = text(row["file"])
    if not row.get("people"):
        yield about
    for number, person in enumerate(row.get("people", ())):
        yield {
            **about,
            "person": number,
            **({"track": person["track"]} if "track" in person else {}),
            **dict(zip(("x0", "y0", "x1", "y1"), person["box"], strict=True)),
            "score": person["score"],
            "emotions": person["emotions"],
            **{f"probability_{name}": value for name, value in person["probabilities"].items()},
        }


def text(name: str) -> str:
    r"""A name that UTF-8 can write: bytes that are no UTF-8 become ``\udcff`` and the like."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
