"""How long a training still takes, from the steps and evaluations that this process has done."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from dsct_detrex.counting import counted
from dsct_detrex.engine.plan import Plan
from dsct_detrex.evaluation.formatting import duration

_MEASURED = 5  # steps behind an estimate; the first is not among them, for it also prepares
_RECENT = 50
_ENOUGH_SECONDS = 20.0  # after which fewer steps will do
_WORTH_TELLING = 20.0


@dataclass
class TimeLeft:
    """Watches a training.

    Args:
        evaluates: False where nothing is ever evaluated.
    """

    plan: Plan
    evaluates: bool
    _steps: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))
    _evaluation: float | None = None
    _prepared: bool = False
    _told_steps: bool = False
    _told_evaluations: bool = False

    def stepped(self, seconds: float) -> None:
        """A step took so long."""
        if self._prepared:
            self._steps.append(seconds)
        self._prepared = True

    def evaluated(self, seconds: float) -> None:
        """An evaluation took so long."""
        self._evaluation = seconds

    def seconds(self, iteration: int) -> float | None:
        """After ``iteration`` steps: those of the steps left and, once one was measured, of the evaluations after it;
        None while it cannot be told."""
        if not self._steps:
            return 0.0 if iteration >= self.plan.max_iter else None
        return self._step() * (self.plan.max_iter - iteration) + self._evaluations(iteration) * (self._evaluation or 0)

    def news(self, iteration: int) -> str | None:
        """What there is to tell after ``iteration`` steps, once about steps and once about evaluations."""
        left = self.seconds(iteration)
        if left is None or left < _WORTH_TELLING:
            return None
        evaluations = self._evaluations(iteration)
        parts = f"{counted(self.plan.max_iter - iteration, 'step')} of {self._step():.2g} s"
        on_top = counted(evaluations, "evaluation")
        if self._evaluation is not None:
            if self._told_evaluations or not evaluations:
                return None
            self._told_evaluations = self._told_steps = True
            return f"time left: about {duration(left)}, {parts} and {on_top} of {self._evaluation:.2g} s"
        if self._told_steps or (len(self._steps) < _MEASURED and sum(self._steps) < _ENOUGH_SECONDS):
            return None
        self._told_steps = True
        more = f"; {on_top} on top" if evaluations else ""
        return f"time left: about {duration(left)}, {parts}{more}"

    def _step(self) -> float:
        return sum(self._steps) / len(self._steps)

    def _evaluations(self, iteration: int) -> int:
        """Evaluations after ``iteration``."""
        period, last = self.plan.eval_period, self.plan.max_iter
        if not self.evaluates or iteration >= last:
            return 0
        return 1 if period <= 0 else (last - 1) // period - iteration // period + 1
