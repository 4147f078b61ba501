"""``metrics.csv``: one row per record; a number seen for the first time adds its column to the whole file."""

from __future__ import annotations

import csv
from pathlib import Path

from dsct_detrex.engine.loggers.record import Record
from dsct_detrex.files import replacing


class CsvLogger:
    """Appends rows to a file, rewriting it when a column is new.

    Args:
        resumed_at: as for ``JsonlLogger``.
    """

    def __init__(self, path: Path, resumed_at: int = 0) -> None:
        self.path = path
        self.columns = ["iteration"]
        rows: list[dict[str, str]] = []
        if resumed_at and path.exists():
            text = path.read_text(encoding="utf-8")
            reader = csv.DictReader(text[: text.rfind("\n") + 1].splitlines())  # a row that was cut short has no end
            rows = [row for row in reader if int(row["iteration"]) <= resumed_at]
            self.columns = list(reader.fieldnames or self.columns)
        self._rewrite(rows)

    def log(self, record: Record) -> None:
        row = {"iteration": str(record.iteration), **{k: repr(float(v)) for k, v in record.scalars.items()}}
        new = [name for name in row if name not in self.columns]
        if new:
            with self.path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
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
