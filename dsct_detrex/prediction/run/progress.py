"""How far a prediction is: a bar with pictures a second and the time left on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from dsct_detrex.counting import counted


class Speed:
    """Counts what is done; ``bar`` shows it meanwhile.

    Attributes:
        done: pictures and frames, read or not.
    """

    def __init__(self) -> None:
        self.done = 0
        self._began = time.monotonic()
        self._progress: Progress | None = None

    @contextmanager
    def bar(self, name: str, total: int | None) -> Iterator[None]:
        """A bar for so many; None where nobody knows how many."""
        if not sys.stderr.isatty():
            yield
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as self._progress:
            self._progress.add_task(name, total=total)
            yield
        self._progress = None

    def step(self) -> None:
        """One more is done."""
        self.done += 1
        if self._progress is not None:
            self._progress.advance(self._progress.task_ids[0])

    def words(self) -> str:
        """For example ``12.3 pictures a second``; of one picture, whose first call is slow, the time."""
        seconds = time.monotonic() - self._began
        return f"{self.done / max(seconds, 1e-6):.1f} pictures a second" if self.done > 1 else f"{seconds:.1f} s"


class _Rate(ProgressColumn):
    """Pictures a second, as of late."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "", style="progress.data.speed")


def pictures_and_frames(pictures: int, frames: int) -> str:
    """``2 pictures, 40 frames``; the part that there is none of is left out, unless there is nothing at all."""
    parts = [counted(number, noun) for number, noun in ((pictures, "picture"), (frames, "frame")) if number]
    return ", ".join(parts) or counted(0, "picture")
