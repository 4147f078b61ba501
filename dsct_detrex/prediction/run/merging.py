"""The rows of all shards as one ``predictions.json``, and the tables made of it: ``predict --merge DIR``.

The last shard that finishes does it by itself; the command does it for what is there, whenever. Rows come back into the
order of the units, each picture once. Only when the whole is written are the files of the shards removed.
"""

from __future__ import annotations

import argparse
import heapq
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dsct_detrex.counting import counted
from dsct_detrex.errors import UserError
from dsct_detrex.prediction.growing_list import GrowingList
from dsct_detrex.prediction.rows import ROWS_NAME, check_free, read_rows
from dsct_detrex.prediction.run.facts import read_facts
from dsct_detrex.prediction.run.shards import rows_files
from dsct_detrex.prediction.run.tables import Tables

_UNFINISHED = ".dsct_merged.json"
_UNIT = "unit"


def merge(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    """The work of ``dsct predict --merge``; returns the exit status."""
    folder = Path(arguments.merge)
    print(merge_shards(folder, arguments.format, arguments.overwrite))
    return 0


def merge_shards(folder: Path, formats: Sequence[str], overwrite: bool = False) -> str:
    """Write ``predictions.json`` and tables of all rows there are; returns what was done, in words.

    Raises:
        UserError: there are no rows, a table is in the way, or the disk refuses.
    """
    shards, whole = rows_files(folder), folder / ROWS_NAME
    if not shards and not whole.exists():
        raise UserError(f"predict: --merge expects a folder with rows of predict.py. {folder} has none.")
    check_free(folder)
    facts = read_facts(folder)
    if facts is None:
        raise UserError(f"predict: nothing in {folder} says how its rows were made, so they cannot be merged.")
    tables = Tables(folder, formats, resume=True, overwrite=overwrite)
    counts: Counter[str] = Counter()
    unfinished = folder / _UNFINISHED
    unfinished.unlink(missing_ok=True)
    with tables, GrowingList(unfinished) as merged:
        tables.open(facts.labels)
        for row in _in_order([*([whole] if whole.exists() else []), *shards]):
            counts.update(rows=1, errors="error" in row, people=len(row.get("people", ())))
            merged.add(row)
            tables.add(row)
    os.replace(unfinished, whole)
    for path in shards:
        path.unlink()
    said = f"; {counts['errors']} could not be read" if counts["errors"] else ""
    rows, people = counted(counts["rows"], "row"), counted(counts["people"], "person")
    return f"merged {counted(len(shards), 'shard')}: {rows}, {people}{said}: {', '.join([str(whole), *tables.names])}"


def _in_order(files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """All rows by the number of their unit, those without one first; of a picture or frame the first row."""
    seen: set[tuple[str, int | None]] = set()
    for row in heapq.merge(*(read_rows(path) for path in files), key=lambda row: row.get(_UNIT, -1)):
        name = (row["file"], row.get("frame"))
        if name not in seen:
            seen.add(name)
            yield {key: value for key, value in row.items() if key != _UNIT}
