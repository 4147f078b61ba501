"""The tables of a run: one writer a format, found in ``writers/``, fed with every row as it comes.

``predictions.json`` (``rows.py``) is always there and is what the tables are made of: where a run goes on, or shards
are merged, they are written anew from its rows, so they never say anything else.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from dsct_detrex.errors import UserError
from dsct_detrex.names import table_formats
from dsct_detrex.prediction.growing_list import writing_failed
from dsct_detrex.prediction.own_files import OwnFiles
from dsct_detrex.prediction.writers._contract import Format, Writer
from dsct_detrex.structures import Emotions

_WRITERS = "dsct_detrex.prediction.writers"


class Tables:
    """Those that were asked for; nothing is touched before ``open``.

    Args:
        folder: of the results.
        formats: of ``--format``; those that are no table are passed over.
        resume: tables of the run that goes on are written anew, those that nobody asked for this time, too.
        overwrite: whatever is in the way is replaced.

    Attributes:
        names: of the files that were asked for.
        renewed: of the others.

    Raises:
        UserError: a file is in the way, or a package is missing.
    """

    def __init__(self, folder: Path, formats: Sequence[str], resume: bool = False, overwrite: bool = False) -> None:
        self.folder = folder
        self._own = OwnFiles(folder)
        known = [(name, _format(name)) for name in table_formats()]
        made = [form for _, form in known if resume and self._is_ours(form)]
        self._formats = [form for name, form in known if name in formats or form in made]
        self.names = [_file(form) for name, form in known if name in formats]
        self.renewed = [_file(form) for form in self._formats if _file(form) not in self.names]
        self._writers: list[tuple[Writer, Path]] = []
        for form in self._formats:
            form.check()
            place = folder / _file(form)
            if os.path.lexists(place) and not overwrite and form not in made:
                raise UserError(f"predict: {place} exists and is not replaced; give another --out, or add --overwrite.")

    def spoken(self, first: Path) -> str:
        """The files in words: those that were asked for behind ``first``, then those that were made anew."""
        anew = f"; made anew: {', '.join(self.renewed)}" if self.renewed else ""
        return ", ".join([str(first), *self.names]) + anew

    def _is_ours(self, form: Format) -> bool:
        path = self.folder / _file(form)
        return self._own.claims(path) and path.exists()

    def open(self, emotions: Emotions, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        """Begin them, with rows that there are already."""
        for form in self._formats:
            path = self.folder / _file(form)
            try:
                self._own.claim(path)
                path.unlink(missing_ok=True)
                self._writers.append((form.Writer(path, emotions), path))
            except OSError as error:
                raise writing_failed(path, error) from error
        if self._writers:
            for row in rows:
                self.add(row)

    def add(self, row: Mapping[str, Any]) -> None:
        """A row to each.

        Raises:
            UserError: the disk is full or refuses.
        """
        for writer, path in self._writers:
            try:
                writer.add(row)
            except OSError as error:
                raise writing_failed(path, error) from error

    def __enter__(self) -> Tables:
        return self

    def __exit__(self, *_: object) -> None:
        """Finish them, after an interruption too: with the rows that came."""
        while self._writers:
            writer, path = self._writers.pop()
            try:
                writer.close()
            except OSError as error:
                raise writing_failed(path, error) from error


def _file(form: Format) -> str:
    return f"predictions{form.SUFFIX}"


def _format(name: str) -> Format:
    return cast(Format, importlib.import_module(f"{_WRITERS}.{name}"))
