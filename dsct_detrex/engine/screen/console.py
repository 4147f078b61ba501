"""What the person at the terminal sees: sentences, bars with the losses, tables; plain lines when the output is piped.

All of it goes into ``log.txt`` too, and there also what would fill the screen.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import TextIO

from rich.console import Console as RichConsole
from rich.console import RenderableType
from rich.progress import TaskID
from rich.text import Text

from dsct_detrex.engine.loggers.record import Record
from dsct_detrex.engine.screen.bars import Bars
from dsct_detrex.engine.screen.block import Row, block_lines, sentence_lines
from dsct_detrex.engine.screen.log_file import LogFile
from dsct_detrex.engine.screen.numbers import clock, describe, short_parts
from dsct_detrex.engine.screen.terminal import PLAIN_WIDTH, is_live, open_terminal
from dsct_detrex.errors import UserError

_STOPPING = ("stopping after this step", "Ctrl-C again stops at once, without saving")
_SILENCE = 15.0  # seconds after which a long evaluation shows that it lives, when piped


class Console:
    """The console of one process; when ``quiet``, and on ranks other than 0, it shows nothing.

    Args:
        rich: what it draws on; None is stdout.
        log: takes everything, quiet or not; None keeps nothing.
    """

    def __init__(self, quiet: bool = False, rich: RichConsole | None = None, log: LogFile | None = None) -> None:
        self.quiet = quiet
        self.log_file = log
        self._rich = rich or open_terminal()
        self._bars: Bars | None = None
        self._training: TaskID | None = None
        self._evaluation: TaskID | None = None
        self._evaluation_began = 0.0
        self._max_iter = 0
        self._last_line = time.monotonic()

    def say(self, text: str) -> None:
        """Tell a line or several, above the bars if there are any; a terminal breaks long ones between words."""
        self.detail(text)
        if self.quiet:
            return
        lines = text.split("\n")
        if self._rich.is_terminal:
            lines = [line for one in lines for line in sentence_lines(one, self._rich.width)]
        style = "yellow" if text.startswith(("note:", "WARNING:")) else ""
        self._print(Text("\n".join(lines), style=style), soft_wrap=True)

    def detail(self, text: str) -> None:
        """Tell ``log.txt`` alone."""
        if self.log_file is not None:
            self.log_file.write(text)

    def block(self, rows: Sequence[Row]) -> None:
        """Tell rows of a label and a value."""
        self.detail("\n".join(f"{label}{line}" for label, line in block_lines(rows, PLAIN_WIDTH)))
        if not self.quiet:
            for label, line in block_lines(rows, min(self._rich.width, PLAIN_WIDTH)):
                self._print(Text.assemble((label, "bold"), line), soft_wrap=True)

    def keep(self, tables: RenderableType) -> None:
        """Tell ``log.txt`` alone tables."""
        if self.log_file is not None:
            text = StringIO()
            RichConsole(file=text, width=PLAIN_WIDTH, color_system=None, force_terminal=False).print(tables)
            self.log_file.write(text.getvalue().strip("\n"))

    def show(self, tables: RenderableType) -> None:
        """Show tables, as wide as the screen has room for, which ``log.txt`` has already."""
        if not self.quiet:
            self._print(tables)

    def start(self, done: int, total: int) -> None:
        """Begin to show a training of ``total`` steps, of which ``done`` are behind us."""
        self._max_iter = total
        if bars := self._drawn():
            self._training = bars.add("training", total, done, "steps")

    def advance(self, done: int, seconds_left: float | None = None) -> None:
        """Move the training's bar."""
        if self._bars is not None and self._training is not None:
            left = None if seconds_left is None else f"{clock(seconds_left)} left"
            self._bars.move(self._training, done, self._max_iter, left)

    def log(self, record: Record) -> None:
        """Show the losses, rate and time left of a training record."""
        line = f"iter {record.iteration}/{self._max_iter}  {describe(record.scalars)}"
        if self._bars is not None:
            self._bars.parts = short_parts(record.scalars)
            self.detail(line)
        else:
            self.say(line)

    def evaluating(self, done: int, total: int, unit: str = "pictures") -> None:
        """Tell how far an evaluation is: with a bar of its own, or in a line now and then."""
        if bars := self._drawn():
            if self._evaluation is None:
                self._evaluation, self._evaluation_began = bars.add("evaluating", total, done, unit), time.monotonic()
            seconds = time.monotonic() - self._evaluation_began
            left = clock(seconds / max(done, 1) * (total - done))
            bars.move(self._evaluation, done, total, f"{left} left")
        elif not self.quiet and time.monotonic() - self._last_line > _SILENCE:
            self._print(f"evaluating {done}/{total} {unit}")

    def evaluated(self) -> None:
        """Take the evaluation's bar away."""
        if self._bars is not None and self._evaluation is not None:
            self._bars.remove_task(self._evaluation)
            self._evaluation = None
            if self._training is None:
                self.close()

    def stopping(self) -> None:
        """Tell that the run saves and ends as soon as it can; safe inside a signal handler, so it locks nothing."""
        if self._bars is not None:
            self._bars.notice = _STOPPING
        elif not self.quiet:
            with contextlib.suppress(OSError):
                os.write(sys.stderr.fileno(), f"{'; '.join(_STOPPING)}\n".encode())

    def close(self) -> None:
        """Take the bars away."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = self._training = self._evaluation = None

    @contextlib.contextmanager
    def chronicle(self) -> Iterator[None]:
        """Inside, warnings are told once each, and reach ``log.txt`` like what ends the run; bars are gone after it."""
        shown, known = warnings.showwarning, set[tuple[str, str, int]]()

        def show(
            message: Warning | str, category: type[Warning], filename: str, lineno: int, file: TextIO | None = None,
            line: str | None = None,
        ) -> None:  # fmt: skip
            if (place := (str(message), filename, lineno)) in known:
                return
            known.add(place)
            shown(message, category, filename, lineno, file, line)
            self.detail(f"{category.__name__}: {message} ({filename}:{lineno})")

        warnings.showwarning = show
        try:
            yield
        except BaseException as error:
            self.close()
            if self.log_file is not None:
                with contextlib.suppress(OSError):
                    self.log_file.fail(_why(error))
            raise
        finally:
            warnings.showwarning = shown
            self.close()
            if self.log_file is not None:
                self.log_file.close()

    def _drawn(self) -> Bars | None:
        """The bars, begun when they are first needed; None where there is nothing to draw on."""
        if self._bars is None and not self.quiet and is_live(self._rich):
            self._bars = Bars(self._rich)
            self._bars.start()
        return self._bars

    def _print(self, what: RenderableType, soft_wrap: bool = False) -> None:
        self._rich.print(what, markup=False, highlight=False, soft_wrap=soft_wrap)
        self._last_line = time.monotonic()


def _why(error: BaseException) -> str:
    """What ends a run: the sentence of what a user can understand, else the whole traceback."""
    if isinstance(error, UserError):
        return f"error: {error}"
    if isinstance(error, KeyboardInterrupt):
        return str(error) or "interrupted"
    return "".join(traceback.format_exception(error)).rstrip()
