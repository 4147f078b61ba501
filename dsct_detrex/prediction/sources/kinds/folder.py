"""A folder: the pictures in it, and with ``--recursive`` in all folders below (``pictures.py``)."""

from __future__ import annotations

from collections.abc import Iterator

from dsct_detrex.paths import user_path
from dsct_detrex.prediction.pictures import pictures_of
from dsct_detrex.prediction.sources.contract import Search, Unit

ORDER = 60
LIVE = False


def recognises(word: str) -> bool:
    return user_path(word).is_dir()


def units(word: str, search: Search) -> Iterator[Unit]:
    yield from pictures_of(word, search.left_out, search.recursive)
