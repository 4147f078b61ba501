"""The folder of the results: rows and drawn copies, and nothing of the user's replaced.

Drawn copies lie in the folder as ``drawn_names`` calls them. Where one of these names is taken by a file that this
program did not write (the folder of the photos itself is given as ``--out``), all go to ``predictions/`` inside it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePath

from PIL import Image

from dsct_detrex.errors import UserError
from dsct_detrex.prediction.drawn_names import drawn_names
from dsct_detrex.prediction.own_files import OwnFiles
from dsct_detrex.prediction.pictures import Found
from dsct_detrex.prediction.rows import check_free, writing_failed
from dsct_detrex.prediction.saving import WRITABLE, encode_picture

SUBFOLDER = "predictions"
_UNFINISHED = ".dsct_unfinished"


class Results:
    """Where the results of some pictures go; nothing is written before ``open``.

    Args:
        folder: of the results.
        pictures: all of the run.
        draw: whether there are drawn copies.

    Attributes:
        drawn: picture -> path of its copy below ``folder``; empty without drawn copies.

    Raises:
        UserError: the folder is a file, or something of the user's has the name of a result.
    """

    def __init__(self, folder: Path, pictures: Sequence[Found], draw: bool = True) -> None:
        self.folder = folder
        if os.path.lexists(folder) and not folder.is_dir():
            raise UserError(f"predict: --out expects a folder. Got {folder}, which is a file.")
        check_free(folder)
        self._own = OwnFiles(folder)
        self.drawn = dict(zip(pictures, self._free_names(pictures), strict=True)) if draw else {}

    def open(self) -> None:
        """Make the folder.

        Raises:
            UserError: it cannot be made or written to.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise writing_failed(self.folder, error) from error

    def save(self, found: Found, picture: Image.Image) -> str:
        """Write the drawn copy of a picture, whole or not at all.

        Returns:
            Its path below the folder, as it stands in the rows.

        Raises:
            UserError: the disk is full or refuses.
        """
        path = self.folder / self.drawn[found]
        form = WRITABLE[path.suffix.lower()]
        unfinished = path.parent / _UNFINISHED
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            encode_picture(picture, unfinished, form)
            self._own.move_in(unfinished, path)
        except (OSError, ValueError) as error:
            with suppress(OSError):
                unfinished.unlink()
            raise writing_failed(path, error) from error
        return self.drawn[found].as_posix()

    def _free_names(self, pictures: Sequence[Found]) -> list[PurePath]:
        names = drawn_names(pictures)
        inputs = {_identity(found.path) for found in pictures}
        if self._taken(names, inputs) is None:
            return names
        names = [SUBFOLDER / name for name in names]
        taken = self._taken(names, inputs)
        if taken is None:
            return names
        raise UserError(f"predict: {taken} was not written by predict.py and is not replaced; give another --out.")

    def _taken(self, names: Sequence[PurePath], inputs: set[tuple[int, int]]) -> Path | None:
        """The first place that something of the user's has, an input above all; None where all are free."""
        checked: set[PurePath] = set()
        for name in names:
            for folder in list(name.parents)[-2::-1]:  # from the outermost to the innermost; the last one is "."
                if folder not in checked and os.path.lexists(path := self.folder / folder) and not path.is_dir():
                    return path
                checked.add(folder)
            path = self.folder / name
            if os.path.lexists(path) and (not self._own.holds(path) or _identity(path) in inputs):
                return path
        return None


def _identity(path: Path) -> tuple[int, int]:
    """Equal for two paths to one file: links of every kind, other cases, ``..``."""
    status = path.stat()
    return status.st_dev, status.st_ino
