"""How far jobs are, for whoever waits: a bar for each in a terminal; elsewhere a line at each tenth of its steps."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rich.console import Console as RichConsole
from rich.progress import TaskID

from dsct_detrex.engine.screen import open_terminal
from dsct_detrex.engine.screen.bars import Bars
from dsct_detrex.engine.screen.numbers import clock
from dsct_detrex.engine.screen.terminal import is_live

_TENTHS = 10


@dataclass
class _Watched:
    """One running job; ``first`` is how far it was when it was first heard of, after a resume more than 0."""

    total: int
    began: float
    task: TaskID | None
    first: int | None = None
    tenths: int = 0


class Watch:
    """Shows jobs by their names; use it as a context.

    Args:
        several: how many jobs there are, where that is more than run at a time; else 0.
        console: None is stdout.
    """

    def __init__(self, several: int = 0, console: RichConsole | None = None) -> None:
        self._console = console or open_terminal()
        self._bars = Bars(self._console) if is_live(self._console) else None
        self._several, self._over = several, 0
        self._all: TaskID | None = None
        self._jobs: dict[str, _Watched] = {}

    def __enter__(self) -> Watch:
        if self._bars is not None:
            self._bars.start()
            if self._several:
                self._all = self._bars.add("all", self._several, unit="runs")
        return self

    def __exit__(self, *error: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def started(self, name: str, total: int) -> None:
        """A job began; ``total`` counts its steps, 0 where they are not counted."""
        task = None if self._bars is None else self._bars.add(name, total or None)
        self._jobs[name] = _Watched(total, time.monotonic(), task)
        if task is None:
            self.say(f"{name}: started")

    def moved(self, name: str, done: int, words: str) -> None:
        """A job has done so many steps."""
        job = self._jobs[name]
        job.first = done if job.first is None else job.first
        seconds, steps = time.monotonic() - job.began, done - job.first
        left = f"{clock(seconds / steps * (job.total - done))} left" if steps > 0 else ""
        told = "  ".join(filter(None, (left, words)))
        if self._bars is not None and job.task is not None:
            self._bars.move(job.task, done, job.total, told)
        elif done * _TENTHS // job.total > job.tenths:
            job.tenths = done * _TENTHS // job.total
            self.say(f"{name}: {done}/{job.total}  {told}".rstrip())

    def ended(self, name: str) -> None:
        """A job is over."""
        job, self._over = self._jobs.pop(name), self._over + 1
        if self._bars is None:
            return
        if job.task is not None:
            self._bars.remove_task(job.task)
        if self._all is not None:
            self._bars.move(self._all, self._over, self._several)

    def say(self, sentence: str) -> None:
        """A line above the bars."""
        self._console.print(sentence, markup=False, highlight=False, soft_wrap=True)
