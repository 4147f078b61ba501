"""Writes synthetic scenes to disk exactly as EMOTIC and CAER-S lie on their users' disks.

So every reader, converter and check can be tried on files that nobody has to ask for::

    EMOTIC                                          CAER-S
      Annotations/Annotations.mat   (body boxes)      {train,test}/{Anger,...}/NNNN.png
      emotic_{train,val,test}_bi.json  (head boxes)   {train,val,test}.txt       (path,label,x1,y1,x2,y2)
      emotic/{mscoco,...}/images/*.jpg                caer_{train,val,test}.json (COCO style)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from dsct_detrex.data import catalogue
from dsct_detrex.errors import UserError
from dsct_detrex.files import tidy, write_whole
from dsct_detrex.paths import user_path

_UNFINISHED: Final = ".dsct_generating.json"


class FolderInUseError(UserError):
    """The folder to write into has content.

    Args:
        problem: which folder, and what is in it.
        remedy: how to write into it all the same, at the place that was asked.
    """

    def __init__(self, problem: str, remedy: str = "pass overwrite=True") -> None:
        super().__init__(
            f"{problem} Choose a new folder, or {remedy}: that replaces the files of the same names and leaves all "
            "others as they are."
        )
        self.problem = problem


def formats() -> tuple[str, ...]:
    """The data sets that have a stand-in."""
    return tuple(name for name, card in catalogue.cards().items() if card.stand_in is not None)


def write_dataset(
    format: str,
    root: str | Path,
    sizes: dict[str, int],
    seed: int = 0,
    annotations: str | None = None,
    size: tuple[int, int] = (712, 400),
    overwrite: bool = False,
) -> None:
    """Draw scenes and write them with their annotations.

    Args:
        format: name of a data set that has a stand-in.
        root: a folder, made if it is not there; it is to be empty.
        sizes: number of images per split, e.g. ``{"train": 100, "val": 20, "test": 40}``; splits not named are not
            written.
        seed: of the scenes.
        annotations: only this kind, one of those that the data set's card names. None writes all of them.
        size: (width, height) of the pictures, pixels; CAER-S frames are 712 x 400.
        overwrite: write into a folder with content: files of the same name are replaced, all others stay.

    A folder that the same call left unfinished needs no ``overwrite``: until its last file is written, its hidden file
    ``.dsct_generating.json`` says what was asked for.

    Raises:
        UserError: an unknown format, kind of annotation or split, no image at all, or a folder with content.
    """
    stand_in = catalogue.cards()[format].stand_in if format in catalogue.cards() else None
    if stand_in is None:
        raise UserError(f"write_dataset(format=) expects one of {', '.join(formats())}. Got {format!r}.")
    known = stand_in.annotations
    if annotations is not None and annotations not in known:
        raise UserError(
            f"write_dataset(annotations=) expects one of {', '.join(known)} for {format}. Got {annotations!r}."
        )
    if not sizes:
        raise UserError("write_dataset(sizes=) expects at least one split, e.g. {'train': 100}. Got none.")
    kinds = known if annotations is None else (annotations,)
    folder = user_path(root)
    asked = json.dumps({"format": format, "sizes": sizes, "seed": seed, "annotations": kinds, "size": size})
    mark = folder / _UNFINISHED
    _check_empty(folder, overwrite or (mark.is_file() and mark.read_text(encoding="utf-8") == asked))
    write_whole(mark, asked)
    stand_in.write(folder, sizes, seed, kinds, size)
    mark.unlink()


def _check_empty(folder: Path, overwrite: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file, no folder to write a data set into. Choose another name.")
    tidy(folder.absolute())
    if not overwrite and folder.is_dir() and (first := next(folder.iterdir(), None)) is not None:
        raise FolderInUseError(f"{folder} is not empty: {first.name} is there.")
