"""A request to stop a training: finish the step, save, then stop; a second one stops at once."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType

from dsct_detrex.cli.stopping import heeded, raise_stopped

_ALWAYS = (signal.SIGINT, signal.SIGTERM)
"""A script starts what it puts into the background deaf to Ctrl-C; ``kill -INT`` still asks a training to save."""


class StopRequest:
    """Inside the block the first signal only sets ``requested``; the second raises ``KeyboardInterrupt``.

    In a thread other than the main one Python allows no handlers, and signals keep their usual effect.

    Args:
        heard: called at the first signal, inside its handler, so that whoever waits for the end of a step sees why.

    Attributes:
        requested: whether it was asked to stop.
        number: of the signal; 0 without one.
    """

    def __init__(self, heard: Callable[[], None] = lambda: None) -> None:
        self.requested = False
        self.number = 0
        self._heard = heard
        self._handlers = ExitStack()

    def __enter__(self) -> StopRequest:
        self._handlers.enter_context(heeded(self._receive, raise_stopped, _ALWAYS))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._handlers.close()

    def _receive(self, number: int) -> None:
        self.requested, self.number = True, number
        self._heard()
