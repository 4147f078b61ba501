"""``faces.jsonl``: every picture that was looked at, with all its faces, written while the work goes on.

An interrupted search goes on from it, and another choice among the faces needs no second search. The first line says
what looked: ``{"detector": ..., "min_size": ...}``. Each other line is one picture::

    {"picture": "train/Anger/0001.png", "bytes": 271828, "size": [712, 400], "faces": [[x0, y0, x1, y1, score], ...]}

with boxes ``xyxy`` in pixels, inside the picture. A picture whose file has another length now is looked at again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from dsct_detrex.errors import UserError
from dsct_detrex.faces.detector import Face, FaceDetector
from dsct_detrex.faces.frames import Frame

FILE = "faces.jsonl"


@dataclass(frozen=True)
class Found:
    """What was found in one picture.

    Attributes:
        width, height: of the picture, pixels.
        faces: boxes inside it.
    """

    width: int
    height: int
    faces: tuple[Face, ...]


class Journal:
    """The file, open for more while in a ``with`` block.

    Args:
        path: of the file.
        detector: what looks now.
        overwrite: begin anew where something else looked before.

    Attributes:
        path: as given.

    Raises:
        UserError: the file is another's, or was made by another search.
    """

    def __init__(self, path: Path, detector: FaceDetector, overwrite: bool = False) -> None:
        self.path = path
        self._asked = {"detector": detector.name, "min_size": detector.min_size}
        self._lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        self._check(overwrite)
        self._known = dict(filter(None, map(_entry, self._lines[1:])))

    def __enter__(self) -> Journal:
        fresh = not self._lines
        self._file = self.path.open("w" if fresh else "a", encoding="utf-8")
        self._write(self._asked if fresh else None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._file.close()

    def get(self, frame: Frame) -> Found | None:
        """What is known of a picture, as long as it is the same file."""
        known = self._known.get(frame.path)
        return known[1] if known is not None and known[0] == frame.file.stat().st_size else None

    def add(self, frame: Frame, found: Found) -> None:
        """Keep what was found in a picture, at once."""
        size = frame.file.stat().st_size
        self._known[frame.path] = (size, found)
        rows = [[*(round(side, 1) for side in face.box), round(face.score, 4)] for face in found.faces]
        self._write({"picture": frame.path, "bytes": size, "size": [found.width, found.height], "faces": rows})

    def _write(self, entry: dict[str, Any] | None) -> None:
        """A line; none only ends a last one that a kill has cut short, which is not read."""
        self._file.write("\n" if entry is None else json.dumps(entry, ensure_ascii=False) + "\n")
        self._file.flush()

    def _check(self, overwrite: bool) -> None:
        if not self._lines:
            return
        first = _parsed(self._lines[0])
        if "detector" not in first:
            raise UserError(f"{self.path} does not hold faces that were found. Choose another folder with --out.")
        if first != self._asked:
            if not overwrite:
                raise UserError(
                    f"{self.path} has the faces that {_in_words(first)} found; asked for is {_in_words(self._asked)}. "
                    "Choose another folder with --out, or give --overwrite to look again."
                )
            self._lines = []


def _in_words(search: dict[str, Any]) -> str:
    return f"{search.get('detector')} with --min-size {search.get('min_size')}"


def _parsed(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _entry(line: str) -> tuple[str, tuple[int, Found]] | None:
    """Picture -> its file's length and faces; None for a line that is cut short."""
    entry = _parsed(line)
    try:
        faces = tuple(Face((x0, y0, x1, y1), score) for x0, y0, x1, y1, score in entry["faces"])
        width, height = entry["size"]
        return entry["picture"], (entry["bytes"], Found(width, height, faces))
    except (KeyError, TypeError, ValueError):
        return None
