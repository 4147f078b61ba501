"""The two exceptions whose message is written for the person at the keyboard, and what asks it to stop."""

from __future__ import annotations

import signal

_LONGEST_REASON = 240


class UserError(Exception):
    """A user's input (config, file, flag) cannot be used as it is.

    The message is one sentence or two: who complains, about what, what was expected, what came, what to do. Entry
    points print it without a traceback and exit with status 2.

    Attributes:
        key: the dotted config key that the message names, once one is known to be at fault; else empty.
    """

    key: str = ""


def reason_of(error: BaseException) -> str:
    """What somebody else's error says, short enough for the end of a sentence: its first line, without its full stop.

    Returns:
        Never empty: an error without words is called by its class.
    """
    lines = str(error).strip().splitlines() or [type(error).__name__]
    line = lines[0].rstrip(".!")
    return line if len(line) <= _LONGEST_REASON else f"{line[: _LONGEST_REASON - 2]} …"


class Stopped(KeyboardInterrupt):
    """SIGTERM, or a terminal that is closed, asks to end: whatever heeds Ctrl-C heeds this, too.

    Attributes:
        number: of the signal.
    """

    def __init__(self, number: int = signal.SIGINT, message: str = "") -> None:
        super().__init__(message)
        self.number = number


class Interrupted(Stopped):
    """Training stopped on request, after saving unless it was asked twice.

    Attributes:
        iteration: iterations done.
        checkpoint: the file that ``--resume`` continues from; None where there is none.
        lost: of these iterations, so many are behind the checkpoint.
    """

    def __init__(self, iteration: int, checkpoint: str | None, lost: int = 0, number: int = signal.SIGINT) -> None:
        super().__init__(number, f"interrupted after iteration {iteration}; saved {checkpoint or 'nothing'}")
        self.iteration = iteration
        self.checkpoint = checkpoint
        self.lost = lost
