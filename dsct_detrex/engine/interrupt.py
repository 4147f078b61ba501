"""Ctrl-C and a cluster's SIGTERM: finish the step, save, then stop; a second signal stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Inside the block the first signal only sets ``requested``; the second raises ``KeyboardInterrupt``.

    In a thread other than the main one Python allows no handlers, and signals keep their usual effect.

    Args:
        heard: called at the first signal, inside its handler, so that whoever waits for the end of a step sees why.
    """

    def __init__(self, heard: Callable[[], None] = lambda: None) -> None:
        self.requested = False
        self._heard = heard
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._receive) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        self._heard()
