"""A video file, decoded by PyAV as its frames are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dsct_detrex.data.images import ImageError, remedy_for
from dsct_detrex.paths import shown
from dsct_detrex.prediction.kinds import VIDEOS
from dsct_detrex.prediction.sources.av import pyav, reason
from dsct_detrex.prediction.sources.contract import Clip, Footage
from dsct_detrex.prediction.sources.footage import OpenClip


def is_video(path: Path) -> bool:
    """Whether a file is called like a video."""
    return path.suffix.lower() in VIDEOS


class VideoFile(Clip):
    """A file."""

    @contextmanager
    def open(self) -> Iterator[Footage]:
        """See ``Clip.open``."""
        av = pyav(f"predict: the video {shown(self.path)}")
        called = f"The video {self.path}"
        try:
            file = self.path.open("rb")
        except OSError as error:
            problem = "is not there" if isinstance(error, FileNotFoundError) else f"cannot be read ({reason(error)})"
            raise ImageError(f"{called} {problem}. {remedy_for(error)}") from error
        with file:  # opened here: ffmpeg takes a name for an address, or for a pattern, if it looks like one
            try:
                container = av.open(file, "r", metadata_errors="ignore")
            except (av.error.FFmpegError, OSError) as error:
                raise ImageError(f"{called} cannot be read ({reason(error)}). Copy the file again.") from error
            with container:
                yield OpenClip(av, container, called)
