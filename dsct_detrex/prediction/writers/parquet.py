"""Parquet, a row a person, in groups of a few thousand; it can be read once it is closed. Columns: ``_columns.py``."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsct_detrex.errors import UserError
from dsct_detrex.prediction.writers._columns import NUMBERS, WHOLE, columns, records
from dsct_detrex.structures import Emotions

SUFFIX = ".parquet"
_GROUP = 4096


def check() -> None:
    """pyarrow is needed."""
    _pyarrow()


class Writer:
    """The file, under a hidden name until it is closed: without its end nothing can read it."""

    def __init__(self, path: Path, emotions: Emotions) -> None:
        self._arrow = _pyarrow()
        self._path, self._unfinished = path, path.with_name(f".{path.name}.unfinished")
        self._schema = self._arrow.schema([(name, self._type(name)) for name in columns(emotions)])
        parquet = importlib.import_module("pyarrow.parquet")
        self._file = parquet.ParquetWriter(self._unfinished, self._schema)
        self._group: list[dict[str, Any]] = []

    def add(self, row: Mapping[str, Any]) -> None:
        self._group += records(row)
        if len(self._group) >= _GROUP:
            self._write()

    def close(self) -> None:
        self._write()
        self._file.close()
        os.replace(self._unfinished, self._path)

    def _write(self) -> None:
        if self._group:
            self._file.write_table(self._arrow.Table.from_pylist(self._group, schema=self._schema))
            self._group = []

    def _type(self, name: str) -> Any:
        if name == "emotions":
            return self._arrow.list_(self._arrow.string())
        if name in WHOLE:
            return self._arrow.int64()
        number = name in NUMBERS or name.startswith("probability_")
        return self._arrow.float64() if number else self._arrow.string()


def _pyarrow() -> Any:
    try:
        return importlib.import_module("pyarrow")
    except ImportError as error:
        raise UserError(
            f"predict: --format parquet needs pyarrow, which cannot be imported ({error}). Install it with: "
            "pip install pyarrow"
        ) from error
