"""An annotated clip as MP4 without sound: H.264 where this ffmpeg can write it, else MPEG-4.

Each frame is shown when the frame of the original was, so a stride, or a clip of uneven rate, keeps its time.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from PIL import Image

from dsct_detrex.prediction.sources.av import pyav

_CODECS = {"libx264": {"crf": "20", "preset": "fast"}, "mpeg4": {"qmin": "2", "qmax": "5"}}
"""Name -> options that keep the text readable; the first that is there is taken."""
_TICK = Fraction(1, 1000)
"""Seconds; MPEG-4 counts no finer than a 65535th."""


class DrawnVideo:
    """The file as it grows; it can be played once it is closed.

    Args:
        place: of the file, whatever its suffix.
        rate: frames a second, on average.
    """

    def __init__(self, place: Path, rate: Fraction) -> None:
        self._av = pyav("predict: --format video")
        self.codec = next(name for name in _CODECS if name in self._av.codecs_available)
        self._container = self._av.open(str(place.absolute()), "w", format="mp4")
        self._rate = rate.limit_denominator(1000)
        self._stream: Any = None
        self._last = -1

    def add(self, picture: Image.Image, seconds: float) -> None:
        """The next frame; pictures of another size than the first are brought to its size.

        Args:
            seconds: when it is shown.
        """
        if self._stream is None:
            self._begin(picture.size)
        size = self._stream.width, self._stream.height
        if (picture.width + picture.width % 2, picture.height + picture.height % 2) == size:
            picture = picture.crop((0, 0, *size))  # a last odd row or column becomes two: H.264 halves the colours
        else:
            picture = picture.resize(size)
        frame = self._av.VideoFrame.from_image(picture)
        self._last = max(round(seconds / _TICK), self._last + 1)
        frame.pts, frame.time_base = self._last, _TICK
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write the end."""
        if self._stream is not None:
            self._container.mux(self._stream.encode())
        self._container.close()

    def _begin(self, size: tuple[int, int]) -> None:
        self._stream = self._container.add_stream(self.codec, rate=self._rate, options=_CODECS[self.codec])
        self._stream.width, self._stream.height = (side + side % 2 for side in size)
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = _TICK
