"""JSON lines: the rows of ``predictions.json``, one a line and nothing around them, for ``tail -f`` and ``jq``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsct_detrex.structures import Emotions

SUFFIX = ".jsonl"


def check() -> None:
    """Nothing but Python is needed."""


class Writer:
    """The file; ASCII, so that names of any bytes are JSON."""

    def __init__(self, path: Path, emotions: Emotions) -> None:
        self._file = path.open("x", encoding="ascii")

    def add(self, row: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()
