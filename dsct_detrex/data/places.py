"""Finding a data set on the user's disk, and saying what to do when it is not there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dsct_detrex.data.catalogue import how_to_get
from dsct_detrex.data.dataset import SPLITS
from dsct_detrex.errors import UserError
from dsct_detrex.paths import user_path


class AbsentSplitError(UserError):
    """A data set has nothing for a split: no fault where nobody asked for it."""


def existing_root(root: str | Path, format: str) -> Path:
    """``root`` as a path, ``~`` expanded.

    Raises:
        UserError: it is not a folder.
    """
    path = user_path(root)
    if not path.is_dir():
        raise UserError(f"{format}: root={root} is not a folder. {how_to_get(format)}")
    return path


def check_split(split: str, owner: str) -> str:
    """``split`` if it is train, val or test.

    Raises:
        UserError: it is not; the message names ``owner``, whose argument it is.
    """
    if split not in SPLITS:
        raise UserError(f"{owner}(split=) expects one of {', '.join(SPLITS)}. Got {split!r}.")
    return split


def first_file(folders: Iterable[Path], names: Iterable[str]) -> Path | None:
    """The first existing file, trying every folder for the first name, then for the next."""
    folders = list(folders)
    candidates = (folder / name for name in names for folder in folders)
    return next((path for path in candidates if path.is_file()), None)


def named_file(annotations: str | Path, split: str, root: Path, format: str) -> Path:
    """The annotation file a user named; ``{split}`` in it is filled in; relative to here or to ``root``.

    Raises:
        UserError: it is not there, or is a folder.
    """
    name = str(annotations).replace("{split}", split)
    path = first_file([Path(), root], [str(user_path(name))])
    if path is None:
        if any((base / user_path(name)).is_dir() for base in (Path(), root)):
            raise UserError(f"{format}: annotations={name} is a folder. Name the annotation file in it.")
        raise UserError(f"{format}: annotations={name} is not there, neither as given nor under {root}.")
    return path
