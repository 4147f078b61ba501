"""The folder of the figures: PNG files and ``figures.json``, which says what each shows, of which weights and pictures.

``figures.json`` is one object::

    {"weights": str, "beside": str | null, "pictures": str, "command": str, "schema": 1,
     "figures": [{"figure": "contexts", "file": "contexts_1_person_1.png", "shows": str, "pictures": [str]}],
     "absent": [{"figure": "sampling", "reason": str}]}
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dsct_detrex.errors import UserError

LIST_NAME = "figures.json"


class Folder:
    """Where figures go, made with the first; nothing of what is there is replaced unless that is asked for.

    Args:
        path: need not be there.
        overwrite: replace files of the names that are written.

    Raises:
        UserError: it is a file, or holds figures already.
    """

    def __init__(self, path: Path, overwrite: bool) -> None:
        self.path, self._overwrite = path, overwrite
        if path.exists() and not path.is_dir():
            raise UserError(f"visualize: --out expects a folder. Got the file {path}.")
        self._check_free(path / LIST_NAME)

    def write_picture(self, name: str, content: bytes) -> str:
        """Write ``name.png``; returns its name.

        Raises:
            UserError: it is there already, the folder cannot be made, or the disk refuses.
        """
        self._write(self.path / f"{name}.png", content)
        return f"{name}.png"

    def write_list(self, content: Mapping[str, Any]) -> Path:
        """Write ``figures.json``; returns its path."""
        self._write(self.path / LIST_NAME, (json.dumps(content, indent=1) + "\n").encode())
        return self.path / LIST_NAME

    def _check_free(self, place: Path) -> None:
        if os.path.lexists(place) and not self._overwrite:
            raise UserError(f"visualize: {place} exists; choose another --out, or replace figures with --overwrite.")

    def _write(self, place: Path, content: bytes) -> None:
        self._check_free(place)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"visualize: --out {self.path} cannot be made: {error.strerror}.") from error
        unfinished = place.with_name(f".{place.name}.{os.getpid()}.tmp")
        try:
            unfinished.write_bytes(content)
            os.replace(unfinished, place)
        except OSError as error:
            raise UserError(f"visualize: writing {place} failed ({error.strerror}).") from error
        finally:
            with suppress(OSError):
                unfinished.unlink()
