"""What a dashboard is made of, as plain data that knows nothing of W&B: sections of lines, bars, tables and text.

Metrics are named as the loggers get them: ``total_loss``, ``emotion/acc``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Range = tuple[float | None, float | None]
"""Lowest and highest value of an axis; None leaves it to the data."""


@dataclass(frozen=True)
class Lines:
    """Curves over the course of the runs, one for each group of runs: their mean, and their standard deviation.

    Attributes:
        over: the metric along the x axis.
        unit: along the y axis.
        smoothing: 0 draws what was logged, towards 1 ever smoother, with the original behind it.
        log: the y axis is logarithmic.
    """

    title: str
    metric: str
    over: str
    unit: str = ""
    range: Range = (None, None)
    smoothing: float = 0.0
    log: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        return (self.over, self.metric)


@dataclass(frozen=True)
class Bars:
    """The last values of the runs, one bar for each group of runs and metric: their mean and standard deviation."""

    title: str
    metrics: tuple[str, ...]
    unit: str = ""
    range: Range = (None, None)

    @property
    def keys(self) -> tuple[str, ...]:
        return self.metrics


@dataclass(frozen=True)
class Table:
    """The latest table that each run logged under a key, one below the other."""

    key: str

    @property
    def keys(self) -> tuple[str, ...]:
        return (self.key,)


@dataclass(frozen=True)
class Text:
    """Some lines of Markdown."""

    markdown: str

    @property
    def keys(self) -> tuple[str, ...]:
        return ()


Panel = Lines | Bars | Table | Text


@dataclass(frozen=True)
class Section:
    """Panels under a heading.

    Attributes:
        open: shown at once; a closed section asks for no data.
        columns: panels beside each other.
    """

    title: str
    panels: tuple[Panel, ...]
    open: bool = False
    columns: int = 3

    @property
    def rows(self) -> int:
        """As many as it takes to show every panel without turning pages."""
        return math.ceil(len(self.panels) / self.columns)


@dataclass(frozen=True)
class Dashboard:
    """Sections, the runs they are about, and the table of these runs.

    Attributes:
        emotions: kind of emotions of the runs, by name.
        group: W&B group of the runs, the name of a sweep; None takes those of every group.
        group_by: key of the config, or ``CELL``; runs that agree in it are one line and one bar.
        columns: metrics beside a run's name in the table, the first sorts it, best on top.
    """

    title: str
    sections: tuple[Section, ...]
    emotions: str
    group: str | None
    group_by: str
    columns: tuple[str, ...]

    @property
    def keys(self) -> set[str]:
        """Everything that runs have to log for no panel and no column to stay empty."""
        return {key for section in self.sections for panel in section.panels for key in panel.keys} | {*self.columns}
