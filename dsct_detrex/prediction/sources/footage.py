"""An open clip as upright frames with their number and time, whatever of it can be decoded.

Seconds count from the first frame, as players show them, by the time stamps of the file; where a frame has none, by the
rate. Packets that cannot be decoded are passed over. What was lost is told after the last frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from dsct_detrex.counting import counted
from dsct_detrex.data.images import ImageError, Photo
from dsct_detrex.prediction.sources.av import reason
from dsct_detrex.prediction.sources.contract import Frame

_USUAL_RATE = Fraction(30)
_END = 0.97
"""Least share of the frames or seconds, of those that the file speaks of, that count as all: containers round."""


class OpenClip:
    """The ``Footage`` of a PyAV container.

    Args:
        av: the module.
        container: open for reading.
        called: the clip, in messages.

    Raises:
        ImageError: it holds no pictures that move.
    """

    def __init__(self, av: Any, container: Any, called: str) -> None:
        if not container.streams.video:
            raise ImageError(f"{called} cannot be read (it has no pictures).")
        self._av, self._container, self._called = av, container, called
        self._stream = container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self._lost, self._stop = 0, ""

    @property
    def rate(self) -> Fraction:
        rate = self._stream.average_rate or self._stream.guessed_rate
        return Fraction(rate) if rate else _USUAL_RATE

    @property
    def total(self) -> int | None:
        """Counted by the container, or by its length."""
        seconds = self._seconds
        return self._stream.frames or (round(seconds * self.rate) if seconds else None)

    @property
    def _seconds(self) -> float | None:
        if self._stream.duration:
            return float(self._stream.duration * self._stream.time_base)
        return self._container.duration / 1e6 if self._container.duration else None

    def frames(self, stride: int) -> Iterator[Frame]:
        """See ``Footage.frames``."""
        number, start, seconds = -1, None, 0.0
        for frame in self._decoded():
            number += 1
            start = frame.time if start is None else start
            seconds = float(number / self.rate) if frame.time is None or start is None else frame.time - start
            if number % stride == 0:
                yield Frame(number, round(seconds, 4), _photo(frame))
        self._check_end(number + 1, seconds)

    def _decoded(self) -> Iterator[Any]:
        """All frames of PyAV up to the first place where the file itself, and not only a packet, is broken."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except self._av.error.FFmpegError as error:
                self._stop = reason(error)
                return
            if packet is None:
                return
            try:
                frames = packet.decode()
            except self._av.error.FFmpegError:
                self._lost += 1
                continue
            yield from frames

    def _check_end(self, number: int, seconds: float) -> None:
        """Raise where frames are missing.

        Args:
            number: of frames that came.
            seconds: of the last.
        """
        counted_frames, length = self._stream.frames, self._seconds
        if counted_frames:
            ends_early, of = number < _END * counted_frames - 1, f" of {counted_frames} frames"
        elif length:
            ends_early = seconds < _END * length - 2 / float(self.rate)
            of = f" frames, at {seconds:.1f} of {length:.1f} seconds"
        else:
            ends_early, of = False, " frames"
        if self._stop or number == 0 or ends_early:
            why = f" ({self._stop})" if self._stop else ""
            raise ImageError(f"{self._called} ends after {number}{of}{why}. Copy the file again.")
        if self._lost:
            lost = counted(self._lost, "packet")
            raise ImageError(f"{self._called} is damaged: {lost} could not be decoded. Copy the file again.")


def _photo(frame: Any) -> Photo:
    pixels = frame.to_image()
    if turn := frame.rotation:
        pixels = pixels.rotate(turn, expand=True)
    return Photo(pixels, pixels.width, pixels.height)
