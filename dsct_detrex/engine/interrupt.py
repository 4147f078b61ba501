"""Ctrl-C, a cluster's SIGTERM, a closed terminal: finish the step, save, then stop; a second signal stops at once."""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

HANG_UP = getattr(signal, "SIGHUP", None)  # Windows has none
SIGNALS = (signal.SIGINT, signal.SIGTERM, *((HANG_UP,) if HANG_UP is not None else ()))


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
            self._previous = {number: signal.signal(number, self._receive) for number in SIGNALS if _counts(number)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if number == HANG_UP:
            _leave_the_terminal()
        if self.requested and number == HANG_UP:
            return  # a launcher passes on what the terminal has sent already; nobody is there to be in a hurry
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        self._heard()


def _counts(number: signal.Signals) -> bool:
    """``nohup`` asks that a closed terminal changes nothing."""
    return number != HANG_UP or signal.getsignal(number) is not signal.SIG_IGN


def _leave_the_terminal() -> None:
    """Write to nowhere from now on where a terminal was: writing to one that is gone fails, and saving comes later."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        if stat.S_ISCHR(os.fstat(stream).st_mode):
            os.dup2(nowhere, stream)
    os.close(nowhere)
