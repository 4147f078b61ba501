"""A JSON list in a file that is complete after every entry, whenever the program is stopped; one entry a line."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from dsct_detrex.errors import UserError

_END = b"\n]\n"
_Own = TypeVar("_Own", bound="GrowingList")


class GrowingList:
    """The file, open.

    Args:
        path: where it is.
        behind: where the next entry goes, in bytes, in a file that is there; what stands behind is cut off. 0: a new
            file, and nothing of that name may be there.

    Attributes:
        path: the file.

    Raises:
        UserError: it cannot be written to.
    """

    def __init__(self, path: Path, behind: int = 0) -> None:
        self.path = path
        self._end = behind or 1
        try:
            self._file = path.open("r+b" if behind else "xb", buffering=0)
            self._file.seek(behind)
            self._file.write(_END if behind else b"[" + _END)
            self._file.truncate()
        except OSError as error:
            raise writing_failed(path, error) from error

    def __enter__(self: _Own) -> _Own:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """The file is complete already."""
        self._file.close()

    def add(self, entry: Mapping[str, Any]) -> None:
        """Append an entry: one write over the closing bracket.

        Raises:
            UserError: the disk is full or refuses; the entries before are intact.
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


def writing_failed(path: Path, error: Exception) -> UserError:
    """The sentence for a disk that is full, or a folder that may not be written to."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return UserError(f"predict: writing {path} failed ({reason}); free some space or give another --out.")
