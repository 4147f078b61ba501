"""The folder of the results: rows and drawn copies, and nothing of the user's replaced.

Drawn copies lie in the folder as ``drawn_names`` calls them. Where one of these names is taken by a file that this
program did not write (the folder of the photos itself is given as ``--out``), or a folder on the way is a link, all go
to ``predictions/`` inside it. Nothing is written outside of the folder, which may itself be a link.
Units that come while the program runs are named as they come; each that meets a file goes to ``predictions/`` alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path, PurePath

from PIL import Image

from dsct_detrex.errors import UserError
from dsct_detrex.prediction.drawn_names import SUBFOLDER, NamesInTurn, drawn_names
from dsct_detrex.prediction.growing_list import writing_failed
from dsct_detrex.prediction.own_files import OwnFiles
from dsct_detrex.prediction.pictures import Found
from dsct_detrex.prediction.rows import check_free
from dsct_detrex.prediction.saving import WRITABLE, encode_picture

_UNFINISHED = ".dsct_unfinished"


class Results:
    """Where the results of some pictures go; nothing is written before ``open``.

    Args:
        folder: of the results.
        pictures: all of the run that are known before it.
        draw: whether there are drawn copies: of none, of all, or of those for which a function says so.

    Attributes:
        mark: ends the names of unfinished files, so that processes that share a folder do not meet.
        drawn: picture -> path of its copy below ``folder``; empty without drawn copies.

    Raises:
        UserError: the folder is a file, or something of the user's has the name of a result.
    """

    def __init__(self, folder: Path, pictures: Sequence[Found], draw: bool | Callable[[Found], bool] = True) -> None:
        self.folder = folder
        if os.path.lexists(folder) and not folder.is_dir():
            raise UserError(f"predict: --out expects a folder. Got {folder}, which is a file.")
        check_free(folder)
        self.mark = ""
        self._own = OwnFiles(folder)
        self._is_drawn: Callable[[Found], bool] = draw if callable(draw) else lambda _: bool(draw)
        some = [found for found in pictures if self._is_drawn(found)]
        self.drawn = dict(zip(some, self._free_names(some, pictures), strict=True)) if some else {}
        self._later: NamesInTurn | None = None
        self._coming: dict[Found, PurePath] = {}

    def open(self) -> None:
        """Make the folder.

        Raises:
            UserError: it cannot be made or written to.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise writing_failed(self.folder, error) from error

    def draws(self, found: Found) -> bool:
        """Whether there is a drawn copy of a picture or clip."""
        return found in self.drawn or self._is_drawn(found)

    def save(self, found: Found, picture: Image.Image) -> str:
        """Write the drawn copy of a picture, whole or not at all.

        Returns:
            Its path below the folder, as it stands in the rows.

        Raises:
            UserError: the disk is full or refuses.
        """
        name = self._name(found)
        form = WRITABLE[name.suffix.lower()]
        unfinished = self.begin(found)
        try:
            encode_picture(picture, unfinished, form)
            return self.finish(found)
        except (OSError, ValueError) as error:
            raise writing_failed(self.folder / name, error) from error
        finally:
            self.give_up(found)  # Ctrl-C, too, leaves none

    def begin(self, found: Found) -> Path:
        """The hidden file into which the drawn copy of a picture or clip is to be written."""
        path = self.folder / self._name(found)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise writing_failed(path, error) from error
        unfinished = path.parent / f"{_UNFINISHED}{self.mark}"
        if unfinished.is_symlink():  # not ours, and would be written through
            unfinished.unlink()
        return unfinished

    def finish(self, found: Found) -> str:
        """Give the hidden file its name, which is returned as it stands in the rows.

        Raises:
            UserError: the disk refuses.
        """
        path = self.folder / self._name(found)
        try:
            self._own.move_in(self.begin(found), path)
        except OSError as error:
            self.give_up(found)
            raise writing_failed(path, error) from error
        return self._name(found).as_posix()

    def give_up(self, found: Found) -> None:
        """Remove the hidden file."""
        with suppress(OSError):
            self.begin(found).unlink()

    def _name(self, found: Found) -> PurePath:
        """The path of a drawn copy below the folder; found now for what came while the program runs."""
        name = self.drawn.get(found) or self._coming.get(found)
        if name is None:
            self._later = self._later or NamesInTurn(self.drawn.values())
            inputs = {_identity(found.path)} if found.path.exists() else set()
            name = self._later.name(found, lambda option: self._taken([option], inputs) is None)
            self._coming = {found: name}  # one at a time
        return name

    def _free_names(self, pictures: Sequence[Found], read: Sequence[Found]) -> list[PurePath]:
        names = drawn_names(pictures)
        inputs = {_identity(found.path) for found in read if found.path.exists()}
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
                path = self.folder / folder
                if folder not in checked and (path.is_symlink() or (os.path.lexists(path) and not path.is_dir())):
                    return path  # through a link to a folder would be written elsewhere
                checked.add(folder)
            path = self.folder / name
            if os.path.lexists(path) and (not self._own.holds(path) or _identity(path) in inputs):
                return path
        return None


def _identity(path: Path) -> tuple[int, int]:
    """Equal for two paths to one file: links of every kind, other cases, ``..``."""
    status = path.stat()
    return status.st_dev, status.st_ino
