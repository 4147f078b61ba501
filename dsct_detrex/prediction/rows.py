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
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsct_detrex.errors import UserError

ROWS_NAME = "predictions.json"
PREVIOUS_NAME = "predictions.previous.json"
_END = b"\n]\n"


class Rows:
    """The growing file; the one of an earlier run is kept as ``predictions.previous.json``.

    Args:
        folder: where it is; exists.

    Attributes:
        path: the file.
        replaced: whether there was one of an earlier run.

    Raises:
        UserError: a file of that name is there that is no result of this program, or writing fails.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / ROWS_NAME
        self.replaced = self.path.exists()
        check_free(folder)
        try:
            if self.replaced:
                os.replace(self.path, folder / PREVIOUS_NAME)
            self._file = self.path.open("xb", buffering=0)
            self._file.write(b"[" + _END)
        except OSError as error:
            raise writing_failed(self.path, error) from error
        self._end = 1

    def __enter__(self) -> Rows:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, entry: Mapping[str, Any]) -> None:
        """Append a row: one write over the closing bracket.

        Raises:
            UserError: the disk is full or refuses; the rows before are intact.
        """
        text = b",\n " if self._end > 1 else b"\n "
        text += json.dumps(entry).encode("ascii")  # ASCII, so that names of any bytes are JSON
        try:
            self._write(text)
        except OSError as error:
            raise writing_failed(self.path, error) from error
        self._end += len(text)

    def _write(self, text: bytes) -> None:
        self._file.seek(self._end)
        if self._file.write(text + _END) < len(text) + len(_END):
            self._file.seek(self._end)
            self._file.write(_END)
            self._file.truncate()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def check_free(folder: Path) -> None:
    """Refuse before any work where a file of the user's has the name of one of ours.

    Raises:
        UserError: see ``Rows``.
    """
    for path in (folder / ROWS_NAME, folder / PREVIOUS_NAME):
        if os.path.lexists(path) and not is_rows(path):
            raise UserError(f"predict: {path} is no result of predict.py and is not replaced; give another --out.")


def is_rows(path: Path) -> bool:
    """Whether a file is a ``predictions.json`` of this program."""
    if not path.is_file():  # a pipe would be waited for
        return False
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, list) and all(
        isinstance(row, dict) and "file" in row and ("people" in row or "error" in row) for row in content
    )


def writing_failed(path: Path, error: Exception) -> UserError:
    """The sentence for a disk that is full, or a folder that may not be written to."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return UserError(f"predict: writing {path} failed ({reason}); free some space or give another --out.")
