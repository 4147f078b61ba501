"""Standard input: ``-``, paths as they come (``sources/path_lines.py``), so that a pipe feeds a running program."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from dsct_detrex.prediction.sources.contract import Search, Unit
from dsct_detrex.prediction.sources.path_lines import listed_units

ORDER = 10
LIVE = True


def recognises(word: str) -> bool:
    return word == "-"


def units(word: str, search: Search) -> Iterator[Unit]:
    return listed_units(sys.stdin.buffer, "standard input", search)
