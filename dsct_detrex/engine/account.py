"""What is told while a training goes on: each evaluation in a line, and how long is left."""

from __future__ import annotations

from dataclasses import dataclass, field

from dsct_detrex.engine.best import BestTracker
from dsct_detrex.engine.contracts import Scalars
from dsct_detrex.engine.examine import EMA_PREFIX, WEIGHTS, Examination
from dsct_detrex.engine.screen import Console
from dsct_detrex.engine.screen.evaluation_line import Standing, evaluation_line
from dsct_detrex.engine.time_left import TimeLeft


@dataclass
class Account:
    """Tells a console.

    Args:
        best: whose metric is told.
        keep_best: whether evaluations are compared with the best.
        latest: numbers of the evaluation before, which a resumed run has from its checkpoint.
    """

    console: Console
    best: BestTracker
    keep_best: bool
    time_left: TimeLeft
    latest: Scalars = field(default_factory=dict)
    examination: Examination | None = None
    """The latest."""

    def stepped(self, iteration: int, seconds: float) -> None:
        """A step took so long."""
        self.time_left.stepped(seconds)
        self.console.advance(iteration, self.time_left.seconds(iteration))
        self._tell_time(iteration)

    def examined(self, examination: Examination, iteration: int, is_best: bool) -> None:
        """One line for the weights, one for their average where there is one; the tables for ``log.txt``.

        Args:
            is_best: it was the best so far, and ``best`` knows it.
        """
        for prefix in examination.evaluations:
            self.console.say(self._line(examination, prefix, iteration, is_best))
        self.console.keep(examination.tables())
        self.examination, self.latest = examination, examination.scalars
        self.time_left.evaluated(examination.seconds)
        self._tell_time(iteration)

    def _line(self, examination: Examination, prefix: str, iteration: int, is_best: bool) -> str:
        evaluation, best = examination.evaluations[prefix], self.best
        metric = best.metric.removeprefix(EMA_PREFIX)
        decides = self.keep_best and (prefix == EMA_PREFIX) == best.metric.startswith(EMA_PREFIX)
        known = (best.value, best.iteration) if decides and best.value is not None else None
        previous = self.latest.get(f"{prefix}{metric}")
        what = f" ({WEIGHTS[prefix]})" if len(examination.evaluations) > 1 else ""
        return evaluation_line(
            f"step {iteration}{what}",
            evaluation.scalars,
            evaluation.report,
            metric,
            evaluation.seconds,
            Standing(previous, is_best and decides, known),
        )

    def _tell_time(self, iteration: int) -> None:
        if news := self.time_left.news(iteration):
            self.console.say(news)
