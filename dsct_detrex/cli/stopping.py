"""Ctrl-C, a cluster's SIGTERM, a closed terminal: one request to stop, which a command hears as ``KeyboardInterrupt``.

It then leaves nothing half-written, says what is kept, and ends with the status that a shell knows the signal by: 130,
143, 129. What is ignored stays ignored: that is how ``nohup`` asks to be left alone.
"""

from __future__ import annotations

import os
import signal
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FrameType

from dsct_detrex.errors import Stopped

HANG_UP = getattr(signal, "SIGHUP", None)  # Windows has none
SIGNALS = (signal.SIGINT, signal.SIGTERM, *((HANG_UP,) if HANG_UP is not None else ()))

ONE_REQUEST = 0.5
"""Seconds in which signals are one request: ``timeout``, launchers and clusters send to a process and to its group."""

_open: list[list[float]] = []
"""The blocks that are open: when somebody asked to stop. What the inner one heard is no news to the outer."""


@contextmanager
def heeded(
    first: Callable[[int], None], again: Callable[[int], None], even_ignored: Collection[int] = ()
) -> Iterator[None]:
    """Inside, the signals call these functions, of the main thread; in other threads nothing changes.

    Args:
        first: of the first signal.
        again: of a later one, from somebody in a hurry. A launcher passes on that the terminal is closed, which is
            never a hurry.
        even_ignored: signals to heed although this process was started to ignore them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = _open[-1] if _open else []
    _open.append(asked)

    def receive(number: int, frame: FrameType | None) -> None:
        now, before = time.monotonic(), bool(asked)
        hurry = before and now - asked[0] > ONE_REQUEST and number != HANG_UP
        asked.append(now)
        if number == HANG_UP:
            _leave_the_terminal()
        if hurry:
            again(number)
        elif not before:
            first(number)

    numbers = [number for number in SIGNALS if number in even_ignored or _counts(number)]
    previous = {number: signal.signal(number, receive) for number in numbers}
    try:
        yield
    finally:
        _open.pop()
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def interrupting() -> Iterator[None]:
    """Inside, a request to stop raises ``Stopped``, also while the first one is being heeded and somebody hurries."""
    with heeded(raise_stopped, raise_stopped):
        yield


def raise_stopped(number: int) -> None:
    """``KeyboardInterrupt`` that knows the signal."""
    raise Stopped(number)


def exit_status(stop: KeyboardInterrupt) -> int:
    """Of a process that a signal has ended, as a shell reports it."""
    return 128 + (stop.number if isinstance(stop, Stopped) else signal.SIGINT)


def _counts(number: signal.Signals) -> bool:
    """``nohup`` and scripts start what runs in the background to ignore a closed terminal and Ctrl-C."""
    return signal.getsignal(number) is not signal.SIG_IGN


def _leave_the_terminal() -> None:
    """Write to nowhere from now on where a terminal was: writing to one that is gone fails, and saving comes later."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        if stat.S_ISCHR(os.fstat(stream).st_mode):
            os.dup2(nowhere, stream)
    os.close(nowhere)
