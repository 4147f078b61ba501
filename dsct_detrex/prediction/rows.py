"""``predictions.json`` as it grows: a JSON list that is complete after every row, whenever the program is stopped.

It has one entry per picture, in the order of the pictures::

    {"file": str, "width": int, "height": int,     # of the upright picture
     "people": [{"box": [x0, y0, x1, y1],          # pixels of the upright picture in its original size
                 "score": float,                   # confidence that this is a person
                 "emotions": [str, ...],           # those over their threshold, most probable first
                 "probabilities": {emotion: float}}],
     "drawn": str}                                 # path of the drawn copy below the folder of the results

and for a picture that could not be read::

    {"file": str, "error": str}

A clip (a video, a camera) has the row of a picture for each of its frames that was taken, with two keys more, and
people who are followed over frames have a number; after them comes one row for the clip::

    {"file": str, "frame": int, "seconds": float,  # number from 0 and time since the first frame
     ..., "people": [{..., "track": int}]}         # from 1; absent while nobody knows who it is
    {"file": str, "frames": int, "seconds": float, # how many were taken, and the time of the last
     "tracks": int, "drawn": str, "error": str}    # error only where it could not be read to its end

Rows of one run that is split have a key ``unit`` besides, see ``run/shards.py``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dsct_detrex.errors import UserError
from dsct_detrex.prediction.growing_list import GrowingList, writing_failed
from dsct_detrex.prediction.own_files import HIDDEN

ROWS_NAME = "predictions.json"
PREVIOUS_NAME = "predictions.previous.json"
_WHOLE = 1 << 22
"""Bytes of a file that may be read at once; larger ones are read line by line."""


@dataclass
class Done:
    """What has its row: pictures, and clips that were finished.

    Attributes:
        problems: name -> why it could not be read, or not to its end; empty where it could.
        frames: of the clips.
    """

    problems: dict[str, str] = field(default_factory=dict)
    frames: int = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Count a row; those of single frames do not finish anything."""
        if "frame" not in row:
            self.problems[row["file"]] = row.get("error", "")
            self.frames += row.get("frames", 0)

    @property
    def broken(self) -> dict[str, str]:
        """Those that could not be read, with the reason."""
        return {name: problem for name, problem in self.problems.items() if problem}


class Rows(GrowingList):
    """The growing file; the one of an earlier run is kept as ``predictions.previous.json``, or goes on.

    Args:
        folder: where it is; exists.
        name: of the file.
        resume: go on behind the rows that are there. Frames of a clip that was not finished are taken away, since
            people can only be followed from its start.

    Attributes:
        path: the file.
        replaced: whether there was one of an earlier run.
        done: the pictures and clips that have their rows already.

    Raises:
        UserError: a file of that name is there that is no result of this program, or writing fails.
    """

    def __init__(self, folder: Path, name: str = ROWS_NAME, resume: bool = False) -> None:
        path = folder / name
        self.done = Done()
        check_free(folder)
        goes_on = resume and path.exists()
        self.replaced = not goes_on and path.exists()
        if self.replaced:
            try:
                os.replace(path, folder / PREVIOUS_NAME)
            except OSError as error:
                raise writing_failed(path, error) from error
        super().__init__(path, self._behind_what_is_done(path) if goes_on else 0)

    def _behind_what_is_done(self, path: Path) -> int:
        """Where the next row goes."""
        behind = 1
        for row, end in _lines(path):
            self.done.add(row)
            if "frame" not in row:
                behind = end
        return behind


def check_free(folder: Path) -> None:
    """Refuse before any work where a file of the user's, or a link to anywhere, has the name of one of ours.

    Raises:
        UserError: see ``Rows``.
    """
    own = (folder / ROWS_NAME, folder / PREVIOUS_NAME)
    for path in (*own, *folder.glob(f"{HIDDEN}*")):
        if path.is_symlink():
            raise UserError(
                f"predict: {path} is a link, through which another file would be written; remove it, or give another "
                "--out."
            )
    for path in own:
        if os.path.lexists(path) and not is_rows(path):
            raise UserError(f"predict: {path} is no result of predict.py and is not replaced; give another --out.")


def is_rows(path: Path) -> bool:
    """Whether a file is a ``predictions.json`` of this program."""
    if not path.is_file():  # a pipe would be waited for
        return False
    try:
        if path.stat().st_size > _WHOLE:
            return all(_is_row(json.loads(line)) for line in _texts(path))
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, list) and all(map(_is_row, content))


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file of this program, one in memory at a time.

    Raises:
        UserError: another program wrote it anew, or it was cut short.
    """
    return (row for row, _ in _lines(path))


def _lines(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """Rows, and where each ends, in bytes."""
    end = 0
    with path.open("rb") as file:
        for line in file:
            text = line.rstrip(b",\r\n ")
            if text not in (b"[", b"]", b""):
                try:
                    row = json.loads(text)
                except ValueError:
                    row = None
                if not _is_row(row):
                    raise UserError(f"predict: {path} is not as this program wrote it; give another --out.")
                yield row, end + len(text)
            end += len(line)


def _texts(path: Path) -> Iterator[str]:
    """What should be rows: all lines but the brackets around them."""
    with path.open(encoding="utf-8") as file:
        if file.readline() != "[\n":
            raise ValueError("no list")
        for line in file:
            if line.strip() != "]":
                yield line.rstrip(",\n ")


def _is_row(row: object) -> bool:
    return isinstance(row, dict) and "file" in row and any(key in row for key in ("people", "error", "frames"))
