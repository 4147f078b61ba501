"""The folder of the figures: PNG files and ``figures.json``, which says what each shows, of which weights and pictures.

A run that was stopped leaves a list without ``finished``, with the names of its pictures so far: the next run may write
over these. ``figures.json`` is one object::

    {"weights": str, "beside": str | null, "pictures": str, "command": str, "schema": 1,
     "finished": true,
     "figures": [{"figure": "contexts", "file": "contexts_1_person_1.png", "shows": str, "pictures": [str]}],
     "absent": [{"figure": "sampling", "reason": str}]}
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsct_detrex.errors import UserError
from dsct_detrex.files import write_whole

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
        self._ours = _of_a_stopped_run(path / LIST_NAME)
        self._check_free(path / LIST_NAME)
        self.names: list[str] = []

    def write_picture(self, name: str, content: bytes) -> str:
        """Write ``name.png``; returns its name.

        Raises:
            UserError: it is there already, the folder cannot be made, or the disk refuses.
        """
        file = f"{name}.png"
        self._check_free(self.path / file)
        names = sorted({*self._ours, *self.names, file} - {LIST_NAME})  # a run may be stopped again and again
        self._write(LIST_NAME, json.dumps({"names": names}).encode())
        self._ours |= {LIST_NAME}
        self._write(file, content)
        self.names.append(file)
        return file

    def write_list(self, content: Mapping[str, Any]) -> Path:
        """Write ``figures.json``; returns its path."""
        self._write(LIST_NAME, (json.dumps({**content, "finished": True}, indent=1) + "\n").encode())
        return self.path / LIST_NAME

    def _check_free(self, place: Path) -> None:
        if os.path.lexists(place) and not self._overwrite and place.name not in self._ours:
            raise UserError(f"visualize: {place} exists; choose another --out, or replace figures with --overwrite.")

    def _write(self, name: str, content: bytes) -> None:
        place = self.path / name
        self._check_free(place)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"visualize: --out {self.path} cannot be made: {error.strerror}.") from error
        try:
            write_whole(place, content)
        except OSError as error:
            raise UserError(f"visualize: writing {place} failed ({error.strerror}).") from error


def _of_a_stopped_run(path: Path) -> frozenset[str]:
    """The files that a list without end names, itself included; none where there is no such list."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return frozenset() if "finished" in content else frozenset([LIST_NAME, *content["names"]])
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()
