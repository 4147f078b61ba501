"""A video file, by its suffix (``sources/video.py``)."""

from __future__ import annotations

from collections.abc import Iterator

from dsct_detrex.paths import user_path
from dsct_detrex.prediction.sources.contract import Search, Unit
from dsct_detrex.prediction.sources.video import VideoFile, is_video

ORDER = 40
LIVE = False


def recognises(word: str) -> bool:
    path = user_path(word)
    return is_video(path) and path.is_file()


def units(word: str, search: Search) -> Iterator[Unit]:
    path = user_path(word)
    yield VideoFile(path, path.parent)
