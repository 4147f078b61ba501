"""A camera: ``webcam``, or ``webcam:1`` for the second one; Ctrl-C, or ``--max-frames``, ends it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from dsct_detrex.prediction.sources.camera import Camera
from dsct_detrex.prediction.sources.contract import Search, Unit

ORDER = 20
LIVE = True
_WORD = re.compile(r"webcam(?::(\d+))?")


def recognises(word: str) -> bool:
    return bool(_WORD.fullmatch(word)) and not os.path.lexists(word)


def units(word: str, search: Search) -> Iterator[Unit]:
    match = _WORD.fullmatch(word)
    assert match is not None
    yield Camera(Path(f"webcam:{match[1] or 0}"), Path())
