"""A camera, read through the system's own interface by PyAV: v4l2, AVFoundation or DirectShow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dsct_detrex.errors import UserError
from dsct_detrex.prediction.sources.av import pyav, reason
from dsct_detrex.prediction.sources.contract import Clip, Footage
from dsct_detrex.prediction.sources.footage import OpenClip

_FORMATS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}


class Camera(Clip):
    """``webcam:<number>``, counted from 0."""

    endless = True

    @contextmanager
    def open(self) -> Iterator[Footage]:
        """See ``Clip.open``; what is wrong with a camera is nothing to go on without, hence a ``UserError``."""
        av = pyav(f"predict: {self.path}")
        number = int(self.path.name.partition(":")[2])
        try:
            container = av.open(_device(av, number), "r", format=_FORMATS.get(sys.platform, "v4l2"))
        except (av.error.FFmpegError, ValueError, OSError) as error:
            raise UserError(
                f"predict: {self.path} cannot be opened ({reason(error)}); connect a camera, name another one, "
                f"webcam:{number + 1} for example, or give a video file."
            ) from error
        with container:
            yield OpenClip(av, container, f"The camera {self.path}")


def _device(av: Any, number: int) -> str:
    """How the system calls a camera."""
    if sys.platform != "win32":
        return str(number) if sys.platform == "darwin" else f"/dev/video{number}"
    cameras = [one for one in av.device.enumerate_input_devices("dshow") if "video" in one.media_types]
    if number >= len(cameras):
        raise ValueError(f"Windows knows {len(cameras)} cameras")
    return f"video={cameras[number].description}"
