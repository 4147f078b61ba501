"""CSV, a line a person, complete after every line; several emotions are joined by ``, ``. Columns: ``_columns.py``."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsct_detrex.prediction.writers._columns import columns, records
from dsct_detrex.structures import Emotions

SUFFIX = ".csv"


def check() -> None:
    """Nothing but Python is needed."""


class Writer:
    """The file; UTF-8."""

    def __init__(self, path: Path, emotions: Emotions) -> None:
        self._file = path.open("x", encoding="utf-8", errors="backslashreplace", newline="", buffering=1)
        self._lines = csv.DictWriter(self._file, columns(emotions))
        self._lines.writeheader()

    def add(self, row: Mapping[str, Any]) -> None:
        for record in records(row):
            self._lines.writerow({**record, "emotions": ", ".join(record.get("emotions", ()))})

    def close(self) -> None:
        self._file.close()
