"""Which files ``predict.py`` wrote: a hidden list in the folder of the results, so that they are known again.

Known again means two things: they may be replaced by the next run, and they are no pictures to predict on. A file
counts as ours while its content is what was written; whatever a user puts in its place is the user's. Of tables, which
grow, only the name is known.

The list ``.dsct_predictions`` has one JSON object a line, ``{"file": path below the folder, "size": bytes, "blake2":
hex}``, -1 bytes for a table; later lines win.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

HIDDEN = ".dsct_"
"""Begins the names of what a run keeps for itself; nothing is said of such files."""
LIST_NAME = f"{HIDDEN}predictions"
_A_TABLE = (-1, "")


class OwnFiles:
    """The files below one folder that were written by this program.

    Args:
        folder: where the list is, or will be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known = _read(folder / LIST_NAME)

    def holds(self, path: Path) -> bool:
        """Whether ``path`` is a file of ours, with the content that was written."""
        try:
            known = self._known.get(Path(os.path.abspath(path)).relative_to(os.path.abspath(self.folder)).as_posix())
            return known is not None and known == _fingerprint(path)
        except (ValueError, OSError):
            return False

    def move_in(self, written: Path, path: Path) -> None:
        """Make the finished file ``written`` the file ``path``; listed first, so that no kill leaves it unknown."""
        self._list(path, *_fingerprint(written))
        os.replace(written, path)

    def claim(self, path: Path) -> None:
        """Say that a table is ours, whatever it will hold."""
        self._list(path, *_A_TABLE)

    def claims(self, path: Path) -> bool:
        """Whether a table was said to be ours."""
        return self._known.get(path.relative_to(self.folder).as_posix()) == _A_TABLE

    def _list(self, path: Path, size: int, digest: str) -> None:
        """Only in the file: a run does not ask for what it wrote itself, and may write very much."""
        line = json.dumps({"file": path.relative_to(self.folder).as_posix(), "size": size, "blake2": digest})
        with (self.folder / LIST_NAME).open("a", encoding="ascii") as file:
            file.write(line + "\n")


def owners_of(folder: Path) -> list[OwnFiles]:
    """The lists that may name files of ``folder``: its own, and those of the folders it lies in."""
    absolute = Path(os.path.abspath(folder))
    return [OwnFiles(place) for place in (absolute, *absolute.parents) if (place / LIST_NAME).is_file()]


def _fingerprint(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = hashlib.blake2b(digest_size=16)
        while part := file.read(1 << 20):
            digest.update(part)
        return file.tell(), digest.hexdigest()


def _read(path: Path) -> dict[str, tuple[int, str]]:
    """The list; a line cut short by a full disk or a kill names nothing."""
    known: dict[str, tuple[int, str]] = {}
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return known
    for line in lines:
        try:
            entry = json.loads(line)
            known[entry["file"]] = (entry["size"], entry["blake2"])
        except (ValueError, KeyError, TypeError):
            continue
    return known
