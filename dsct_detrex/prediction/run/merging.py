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
from dsct_detrex.prediction.rows import ROWS_NAME, Done, check_free, read_rows
from dsct_detrex.prediction.run.facts import read_facts
from dsct_detrex.prediction.run.shards import rows_files
from dsct_detrex.prediction.run.tables import Tables
from dsct_detrex.prediction.run.tally import Tally

_UNFINISHED = ".dsct_merged.json"
_UNIT = "unit"


def merge(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    """The work of ``dsct predict --merge``; returns the exit status, that of an undivided run."""
    words, done = merge_shards(Path(arguments.merge), arguments.format, arguments.overwrite)
    print(words, flush=True)
    return Tally(before=done).status(arguments.on_error, whole=True)


def merge_shards(folder: Path, formats: Sequence[str], overwrite: bool = False) -> tuple[str, Done]:
    """Write ``predictions.json`` and tables of all rows there are; returns what was done, in words, and what has rows.

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
    counts, done = Counter[str](), Done()
    unfinished = folder / _UNFINISHED
    unfinished.unlink(missing_ok=True)
    with tables, GrowingList(unfinished) as merged:
        tables.open(facts.labels)
        for row in _in_order([*([whole] if whole.exists() else []), *shards]):
            counts.update(rows=1, people=len(row.get("people", ())))
            done.add(row)
            merged.add(row)
            tables.add(row)
    os.replace(unfinished, whole)
    for path in shards:
        path.unlink()
    said = f"; {len(done.broken)} could not be read" if done.broken else ""
    rows, people = counted(counts["rows"], "row"), counted(counts["people"], "person")
    what = f"merged {counted(len(shards), 'shard')}" if shards else "no shards are there, all rows are together"
    return f"{what}: {rows}, {people}{said}: {tables.spoken(whole)}", done


def _in_order(files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """All rows by the number of their unit, those without one first; of a picture or frame the first row."""
    seen: set[tuple[str, int | None]] = set()
    for row in heapq.merge(*(read_rows(path) for path in files), key=lambda row: row.get(_UNIT, -1)):
        name = (row["file"], row.get("frame"))
        if name not in seen:
            seen.add(name)
            yield {key: value for key, value in row.items() if key != _UNIT}
