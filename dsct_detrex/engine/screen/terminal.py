"""Whether there is a terminal to draw on."""

from __future__ import annotations

import sys
from typing import TextIO

from rich.console import Console as RichConsole

PLAIN_WIDTH = 100
"""Characters of a line where no terminal says how many it has, and the most that a block of rows takes."""


def open_terminal(file: TextIO | None = None) -> RichConsole:
    """A console on a file, by default stdout; on anything but a terminal it writes no control character.

    Variables that ask for colours (``FORCE_COLOR``) do not make a terminal of a pipe: the output file of a cluster's
    job is to stay readable, and nobody sees a bar move in it.
    """
    stream = sys.stdout if file is None else file
    if stream.isatty():
        return RichConsole(file=stream, highlight=False)
    return RichConsole(file=stream, force_terminal=False, force_jupyter=False, width=PLAIN_WIDTH, highlight=False)


def is_live(console: RichConsole) -> bool:
    """Whether bars can be drawn: a terminal that moves its cursor, which ``TERM=dumb`` does not."""
    return console.is_terminal and not console.is_dumb_terminal
