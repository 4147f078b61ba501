"""The pictures that a command line names: files as they are, folders searched through.

In a folder a picture is a file with the suffix of a still picture that Pillow can decode. Everything else is left out
and counted by kind (``prediction/kinds.py``), as are results of earlier runs and further ways to a picture already
found. A file that is named itself is tried whatever it is called.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dsct_detrex.errors import UserError
from dsct_detrex.paths import shown, user_path
from dsct_detrex.prediction.kinds import LeftOut, is_hidden, what_else
from dsct_detrex.prediction.own_files import HIDDEN, LIST_NAME, OwnFiles, owners_of
from dsct_detrex.prediction.rows import PREVIOUS_NAME, ROWS_NAME, is_rows


@dataclass(frozen=True)
class Found:
    """One picture file.

    Attributes:
        path: as the user would write it.
        root: the folder that was named, or the folder of the file that was named.
    """

    path: Path
    root: Path


def find_pictures(inputs: Sequence[str]) -> tuple[list[Found], LeftOut]:
    """The picture files named, and those inside the folders named and all folders below, in order, each once.

    Returns:
        The pictures, and what the folders hold besides.

    Raises:
        UserError: an input is not there, or no picture was found.
    """
    left_out = LeftOut()
    once = Once(left_out)
    pictures = [found for given in inputs for found in pictures_of(given, left_out) if once.is_new(found)]
    if not pictures:
        besides = f" Left out: {left_out.sentence()}." if left_out else ""
        raise UserError(f"predict: no picture in {', '.join(shown(given) for given in inputs)}.{besides}")
    return pictures, left_out


class Once:
    """Lets every file through once, whatever way leads to it; further ways to a picture are counted."""

    def __init__(self, left_out: LeftOut) -> None:
        self._left_out = left_out
        self._known: dict[str, str] = {}

    def is_new(self, found: Found) -> bool:
        path = os.path.abspath(found.path)
        first = self._known.setdefault(os.path.realpath(path), path)
        if first is path:
            return True
        if first != path:
            self._left_out.add("second way to the same picture", shown(found.path.name))
        return False


def pictures_of(given: str, left_out: LeftOut, recursive: bool = True) -> list[Found]:
    """The picture of a file, or those of a folder, in the order of their names.

    Args:
        given: as the user wrote it.
        left_out: counts what a folder holds besides, pictures in folders below it too where these are not searched.
        recursive: whether folders below are searched.

    Raises:
        UserError: there is nothing of that name.
    """
    path = user_path(given)
    if path.is_dir():
        # real files before links to them: a picture goes by its own name
        inside = sorted(_search(path, left_out, recursive), key=lambda file: (file.is_symlink(), file.parts))
        once = Once(left_out)
        pictures = [found for found in (Found(file, path) for file in inside) if once.is_new(found)]
        return sorted(pictures, key=lambda found: found.path.parts)
    if path.is_file():
        if path.name in (ROWS_NAME, PREVIOUS_NAME) and is_rows(path):
            left_out.add("result of an earlier run", path.name)
            return []
        return [Found(path, path.parent)]
    if "://" in given:
        raise UserError(f"predict: {shown(given)} is an address, and nothing is downloaded here; fetch the picture.")
    problem = "a link to something that is not there" if path.is_symlink() else "neither a file nor a folder"
    raise UserError(f"predict: {shown(given)} is {problem}; check the path.")


def _search(root: Path, left_out: LeftOut, recursive: bool) -> Iterator[Path]:
    """Picture files in a folder and, if asked, below; what else is there goes to ``left_out``."""
    owners = owners_of(root)
    real_root = os.path.realpath(root)
    entered = {real_root}

    def complain(error: OSError) -> None:
        left_out.add("folder that cannot be opened", shown(Path(str(error.filename)).name))

    for place, folders, names in os.walk(root, onerror=complain, followlinks=True):
        folder = Path(place)
        folders[:] = [name for name in sorted(folders) if _is_entered(folder / name, real_root, entered, left_out)]
        if folder != root and (folder / LIST_NAME).is_file():
            owners.append(OwnFiles(folder))
        for name in sorted(names):
            if not name.startswith(HIDDEN) and is_picture(folder / name, owners, left_out):
                yield folder / name
        if not recursive:
            for _ in (file for name in folders for file in _search(folder / name, LeftOut(), True)):
                left_out.add("picture in folders below", "--recursive takes them too")
            folders.clear()


def _is_entered(folder: Path, root: str, entered: set[str], left_out: LeftOut) -> bool:
    """Whether to search a folder: no hidden one, none twice, and no link to what is met on the straight way."""
    if is_hidden(folder.name):
        left_out.add("hidden folder", folder.name if folder.name.isprintable() else "")
        return False
    real = os.path.realpath(folder)
    inside = os.path.join(real, "").startswith(os.path.join(root, ""))
    if real in entered or (inside and folder.is_symlink()):
        left_out.add("link to a folder searched anyway", shown(folder.name))
        return False
    entered.add(real)
    return True


def is_picture(file: Path, owners: Sequence[OwnFiles], left_out: LeftOut) -> bool:
    """Whether a file that was met in a search is a picture; what else it is goes to ``left_out``.

    Args:
        owners: of the results of earlier runs, which are none.
    """
    if any(owner.holds(file) for owner in owners) or (file.name in (ROWS_NAME, PREVIOUS_NAME) and is_rows(file)):
        left_out.add("result of an earlier run")
        return False
    other = what_else(file)
    if other is not None:
        left_out.add(*other)
    return other is None
