"""What a search came to: the people of the box files, and counts of pictures with no face, one and several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table

from dsct_detrex.faces.choice import CHOICES, confident
from dsct_detrex.faces.detector import Face
from dsct_detrex.faces.frames import Frame
from dsct_detrex.faces.journal import Found

Shown = tuple[Frame, list[Face], list[Face]]
"""A picture, its faces, and those of them that are written."""


@dataclass
class SplitCount:
    """Pictures of one split by what was found in them, and people written."""

    pictures: int = 0
    no_face: int = 0
    one_face: int = 0
    several_faces: int = 0
    unreadable: int = 0
    written: int = 0


@dataclass
class Outcome:
    """The result for one ``min_score`` and one choice.

    Attributes:
        people: split -> (picture, face) of every line to be written; faces have an area in whole pixels.
        counts: split -> its pictures.
        left_out: picture -> why it has no line.
        shown: ``one``, ``several``, ``none`` -> the pictures of that kind.
    """

    people: dict[str, list[tuple[Frame, Face]]] = field(default_factory=dict)
    counts: dict[str, SplitCount] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    shown: dict[str, list[Shown]] = field(default_factory=dict)

    def table(self) -> Table:
        """One row per split, for a terminal of 80 columns."""
        table = Table()
        table.add_column("split")
        for name in SplitCount.__dataclass_fields__:
            table.add_column(name.replace("_", " "), justify="right")
        for split, count in self.counts.items():
            table.add_row(split, *(f"{number:,}" for number in vars(count).values()))
        return table

    def counts_as_dict(self) -> dict[str, Any]:
        """As plain types, for JSON."""
        return {split: asdict(count) for split, count in self.counts.items()}


def outcome_of(
    frames: Sequence[Frame], found: Mapping[str, Found], broken: Mapping[str, str], min_score: float, choice: str
) -> Outcome:
    """Apply the least confidence and the choice of faces.

    Args:
        frames: all pictures.
        found, broken: what ``search`` returned.
        min_score: faces below it do not count as found.
        choice: a key of ``CHOICES``.
    """
    outcome = Outcome()
    for frame in frames:
        count = outcome.counts.setdefault(frame.split, SplitCount())
        people = outcome.people.setdefault(frame.split, [])
        count.pictures += 1
        if frame.path in broken:
            count.unreadable += 1
            outcome.left_out[frame.path] = broken[frame.path]
            continue
        faces = [whole for face in confident(found[frame.path].faces, min_score) if (whole := _rounded(face)).area]
        chosen = CHOICES[choice](faces)
        people += [(frame, face) for face in chosen]
        count.written += len(chosen)
        kind = "none" if not faces else "one" if len(faces) == 1 else "several"
        count.no_face += kind == "none"
        count.one_face += kind == "one"
        count.several_faces += kind == "several"
        outcome.shown.setdefault(kind, []).append((frame, faces, chosen))
        if not chosen:
            outcome.left_out[frame.path] = "no face" if kind == "none" else f"{len(faces)} faces"
    return outcome


def _rounded(face: Face) -> Face:
    """Sides in whole pixels, as public box files have them."""
    x0, y0, x1, y1 = map(round, face.box)
    return Face((x0, y0, x1, y1), face.score)
