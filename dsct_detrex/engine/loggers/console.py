"""What the person at the terminal sees: a progress bar with the losses, or plain lines when the output is piped."""

from __future__ import annotations

import re
import sys
import time

from rich.console import Console as RichConsole
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from dsct_detrex.engine.contracts import Scalars
from dsct_detrex.engine.loggers.record import Record

_AUXILIARY = re.compile(r"loss.*_(\d+|enc|dn)")
_SILENCE = 15.0  # seconds after which a long evaluation shows that it lives, when piped
_SHOWN = ("lr", "grad_norm", "time", "data_time")


class Console:
    """The console of one process; on ranks other than 0, and when ``quiet``, it says nothing."""

    def __init__(self, quiet: bool = False, rich: RichConsole | None = None) -> None:
        self.quiet = quiet
        self._rich = rich or RichConsole(file=sys.stdout)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._max_iter = 0
        self._last_line = time.monotonic()

    def say(self, text: str) -> None:
        """Print a line or several, above the bar if there is one."""
        if not self.quiet:
            self._rich.print(text, markup=False, highlight=False, soft_wrap=True)
            self._last_line = time.monotonic()

    def start(self, what: str, done: int, total: int) -> None:
        """Begin to show progress of ``total`` units, of which ``done`` are behind us."""
        self._max_iter = total
        if self.quiet or not self._rich.is_terminal:
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f}/{task.total:.0f}"))
        self._bar = Progress(*columns, TextColumn("{task.fields[text]}"), console=self._rich)
        self._bar.start()
        self._task = self._bar.add_task(what, total=total, completed=done, text="")

    def advance(self, done: int, text: str | None = None) -> None:
        """Move the bar, and its text when there is a new one."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done)
            if text is not None:
                self._bar.update(self._task, text=text)

    def evaluating(self, done: int, total: int) -> None:
        """Tell how far an evaluation is: in the bar's text, or in a line now and then."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, text=f"evaluating {done}/{total}")
        elif time.monotonic() - self._last_line > _SILENCE:
            self.say(f"evaluating {done}/{total}")

    def log(self, record: Record) -> None:
        """Show the losses, rate and time left of a training record."""
        text = describe(record.scalars)
        if self._bar is not None:
            self.advance(record.iteration, text)
        else:
            self.say(f"iter {record.iteration}/{self._max_iter}  {text}")

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None


def describe(scalars: Scalars) -> str:
    """``epoch 0.8  eta 0:01:20  total_loss 3.2  loss_class 1.1 ...``, without the losses of auxiliary layers."""
    parts = []
    if "epoch" in scalars:
        parts.append(f"epoch {scalars['epoch']:.2f}")
    if "eta_seconds" in scalars:
        parts.append(f"eta {clock(scalars['eta_seconds'])}")
    losses = [name for name in scalars if "loss" in name and not _AUXILIARY.fullmatch(name) and "/" not in name]
    losses.sort(key=lambda name: name != "total_loss")
    parts += [f"{name} {scalars[name]:.4g}" for name in (*losses, *_SHOWN) if name in scalars]
    parts += [f"{name} {scalars[name]:.0f}" for name in ("gpu_mem_mb", "mem_mb") if name in scalars]
    return "  ".join(parts)


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
