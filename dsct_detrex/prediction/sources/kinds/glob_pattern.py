"""A pattern that the shell left alone, because it was quoted: ``'photos/**/*.jpg'``; ``**`` is any folders.

Of what it matches pictures and videos are taken; the rest, folders too, is counted with what is left out.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path

from dsct_detrex.errors import UserError
from dsct_detrex.paths import shown, user_path
from dsct_detrex.prediction.own_files import owners_of
from dsct_detrex.prediction.pictures import Found, is_picture
from dsct_detrex.prediction.sources.contract import Search, Unit
from dsct_detrex.prediction.sources.video import VideoFile, is_video

ORDER = 50
LIVE = False


def recognises(word: str) -> bool:
    return glob.has_magic(word) and not os.path.lexists(user_path(word))


def units(word: str, search: Search) -> Iterator[Unit]:
    matches = sorted(map(Path, glob.iglob(str(user_path(word)), recursive=True)), key=lambda path: path.parts)
    if not matches:
        raise UserError(f"predict: nothing is called like {shown(word)}; check the pattern, and the working directory.")
    owners = {folder: owners_of(folder) for folder in {path.parent for path in matches}}
    for path in matches:
        if path.is_dir():
            if "**" not in word:
                search.left_out.add("folder that a pattern names", shown(path.name))
        elif is_video(path) and path.is_file():
            if any(owner.holds(path) for owner in owners[path.parent]):
                search.left_out.add("result of an earlier run")
            else:
                yield VideoFile(path, _root(path, word))
        elif is_picture(path, owners[path.parent], search.left_out):
            yield Found(path, _root(path, word))


def _root(path: Path, word: str) -> Path:
    """The folders before the first that the pattern leaves open: what lies below keeps its tree."""
    fixed = []
    for part in user_path(word).parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return Path(*fixed)
