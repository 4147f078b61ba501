"""What a format of tables is: a module of ``writers`` whose name is the value of ``--format``.

A further one is a file here; help texts, checks, resuming and merging take it from the folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from dsct_detrex.structures import Emotions


class Writer(Protocol):
    """A file that grows."""

    def add(self, row: Mapping[str, Any]) -> None:
        """A row of ``predictions.json``, see ``rows.py``; memory must not grow with their number."""
        ...

    def close(self) -> None:
        """Make the file whole."""
        ...


class Format(Protocol):
    """A module.

    Attributes:
        SUFFIX: of the file, with its dot.
        Writer: begins a file that is not there yet, given its path and the label set.
    """

    SUFFIX: str
    Writer: Callable[[Path, Emotions], Writer]

    def check(self) -> None:
        """Raise ``UserError`` where a package is missing."""
        ...
