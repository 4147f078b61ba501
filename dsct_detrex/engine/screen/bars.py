"""Bars that never wrap: a line for each task, as wide as the terminal, and a line of text under them.

What does not fit is left out, from the end of the text on; the bar takes what room the other columns leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console as RichConsole
from rich.console import RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from dsct_detrex.engine.screen.numbers import fitting

_REFRESHES = 4  # a second
_INDENT = 2
_NAME = 10  # characters, so that a line that comes and goes does not move the others


class Bars(Progress):
    """Tasks with a count and a few words behind it; what others print meanwhile appears above.

    Args:
        console: a terminal.
    """

    def __init__(self, console: RichConsole) -> None:
        self.parts: Sequence[str] = ()
        self.notice: Sequence[str] = ()
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[count]}", markup=False, justify="right"),
            TextColumn("{task.fields[words]}", markup=False),
        )
        super().__init__(
            *columns, console=console, expand=True, transient=True, refresh_per_second=_REFRESHES, auto_refresh=True
        )

    def add(self, name: str, total: int | None, done: int = 0, unit: str = "") -> TaskID:
        """A new line; without a total its bar only says that something goes on."""
        count = _count(done, total, unit)
        return self.add_task(f"{name:<{_NAME}}", total=total, completed=done, count=count, unit=unit, words="")

    def move(self, task: TaskID, done: int, total: int | None, words: str | None = None) -> None:
        """Say how far a task is; None leaves the words behind it as they are."""
        count = _count(done, total, self._tasks[task].fields["unit"])
        self.update(task, completed=done, total=total, count=count)
        if words is not None:
            self.update(task, words=words)

    def get_renderables(self) -> Iterable[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        if parts := self.notice or self.parts:
            line = fitting(list(parts), self.console.width - _INDENT)
            style = "yellow" if self.notice else "dim"
            yield Text(f"{'':<{_INDENT}}{line}", style=style, no_wrap=True, overflow="crop")


def _count(done: int, total: int | None, unit: str) -> str:
    return "" if total is None else f"{done}/{total} {unit}".rstrip()
