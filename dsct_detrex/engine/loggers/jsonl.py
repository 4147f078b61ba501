"""``metrics.jsonl``: one JSON object per record, with detectron2's key ``iteration``."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

from dsct_detrex.engine.loggers.damage import damaged, text_of
from dsct_detrex.engine.loggers.record import Record
from dsct_detrex.files import write_whole


class JsonlLogger:
    """Appends to a file.

    Args:
        resumed_at: iteration a resumed run continues from; records of later iterations, which the interrupted run wrote
            after its last checkpoint, are removed because they are about to be written again. 0 starts an empty file.

    Raises:
        UserError: the file is none that a run wrote.
    """

    def __init__(self, path: Path, resumed_at: int = 0) -> None:
        kept = [line for line, at in _lines(path) if at <= resumed_at] if resumed_at else []
        write_whole(path, "".join(f"{line}\n" for line in kept))
        self._file = path.open("a", encoding="utf-8")

    def log(self, record: Record) -> None:
        row = {"iteration": record.iteration, **{k: _json_number(v) for k, v in record.scalars.items()}}
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()

    def close(self, failed: bool) -> None:
        self._file.close()


def _lines(path: Path) -> Iterator[tuple[str, int]]:
    """Complete lines and their iterations; a line cut off by a kill has no newline and is dropped."""
    if not path.exists():
        return
    for number, line in enumerate(text_of(path).splitlines(), start=1):
        try:
            yield line, int(json.loads(line)["iteration"])
        except (ValueError, TypeError, KeyError) as error:
            raise damaged(path, number, "a JSON object with an iteration") from error


def _json_number(value: float) -> float | None:
    """JSON has no NaN or infinity; a class without annotations has no AP: both are null."""
    return value if math.isfinite(value) else None
