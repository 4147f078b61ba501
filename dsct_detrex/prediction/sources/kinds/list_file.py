"""A text file of paths: ``list.txt``, or ``@`` and a name of any kind (``sources/path_lines.py``)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from dsct_detrex.errors import UserError
from dsct_detrex.paths import shown, user_path
from dsct_detrex.prediction.sources.contract import Search, Unit
from dsct_detrex.prediction.sources.path_lines import listed_units, spoken_list

ORDER = 30
LIVE = False
_SUFFIX = ".txt"


def recognises(word: str) -> bool:
    if word.startswith("@"):
        return not os.path.lexists(word)  # a picture may be called so
    path = user_path(word)
    return path.suffix.lower() == _SUFFIX and path.is_file()


def units(word: str, search: Search) -> Iterator[Unit]:
    path = user_path(word.removeprefix("@"))
    try:
        with path.open("rb") as file:
            first = True
            for unit in listed_units(file, spoken_list(word.removeprefix("@")), search):
                if first:
                    _check_beside(unit.path, path)
                first = False
                yield unit
    except OSError as error:
        raise UserError(
            f"predict: the list {shown(path)} cannot be read ({error.strerror}); check the path."
        ) from error


def _check_beside(entry: Path, path: Path) -> None:
    """Say at once where a whole list was written for another folder."""
    if not entry.is_absolute() and not os.path.lexists(entry) and os.path.lexists(path.parent / entry):
        raise UserError(
            f"predict: the list {shown(path)} names {shown(entry)}, which lies beside the list and not in the working "
            f"directory; run the command in {shown(path.parent.resolve())}."
        )
