"""``metrics.csv``: one row per record; a number seen for the first time adds its column to the whole file."""

from __future__ import annotations

import csv
from pathlib import Path

from dsct_detrex.engine.loggers.damage import damaged, text_of
from dsct_detrex.engine.loggers.record import Record
from dsct_detrex.files import replacing


class CsvLogger:
    """Appends rows to a file, rewriting it when a column is new.

    Args:
        resumed_at: as for ``JsonlLogger``.

    Raises:
        UserError: the file is none that a run wrote; also when a column is added.
    """

    def __init__(self, path: Path, resumed_at: int = 0) -> None:
        self.path = path
        self.columns = ["iteration"]
        rows: list[dict[str, str]] = []
        if resumed_at and path.exists():
            self.columns, rows = _read(path)
            rows = [row for row in rows if int(row["iteration"]) <= resumed_at]
        self._rewrite(rows)

    def log(self, record: Record) -> None:
        row = {"iteration": str(record.iteration), **{k: repr(float(v)) for k, v in record.scalars.items()}}
        new = [name for name in row if name not in self.columns]
        if new:
            rows = _read(self.path)[1]
            self.columns += new
            self._rewrite([*rows, row])
            return
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self.columns, restval="").writerow(row)

    def close(self, failed: bool) -> None:
        """Every row is already on disk."""

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        with replacing(self.path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.columns, restval="")
            writer.writeheader()
            writer.writerows(rows)


def _read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Columns and rows of a file."""
    lines = text_of(path).splitlines()
    reader = csv.DictReader(lines)
    columns = list(reader.fieldnames or []) if lines else ["iteration"]
    if "iteration" not in columns:
        raise damaged(path, 1, "names of columns with iteration among them, between commas")
    rows: list[dict[str, str]] = []
    try:
        for row in reader:
            if None in row or None in row.values() or not row["iteration"].isdecimal():
                raise csv.Error
            rows.append(row)
    except csv.Error as error:  # its own, too: before Python 3.11 a NUL is one
        expected = f"an iteration and {len(columns) - 1} numbers between commas"
        raise damaged(path, len(rows) + 2, expected) from error
    return columns, rows
