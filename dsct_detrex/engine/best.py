"""The best evaluation so far, by one named number, and whether it is time to stop hoping for a better one."""

from __future__ import annotations

import math
from typing import Any

from dsct_detrex.engine.contracts import Scalars
from dsct_detrex.engine.settings import BestRule, EarlyStop
from dsct_detrex.errors import UserError


class BestTracker:
    """Remembers the best value of a metric and when it came.

    Args:
        rule: one that names its metric, see ``choice.settled_rule``.

    Attributes:
        metric: of the rule.
        value: the best so far, or None before the first evaluation with a finite value.
        iteration: when it came.
        since: evaluations after it.
    """

    def __init__(self, rule: BestRule, early_stop: EarlyStop) -> None:
        self.rule = rule
        self.metric = str(rule.metric)
        self.early_stop = early_stop
        self.value: float | None = None
        self.iteration = 0
        self.since = 0

    def offer(self, scalars: Scalars, iteration: int) -> bool:
        """Take an evaluation's numbers in; True if it is the best so far. NaN never is.

        Raises:
            UserError: the evaluation has no such number; the message lists those it has.
        """
        if self.metric not in scalars:
            known = ", ".join(sorted(name for name in scalars if "/AP-" not in name)) or "none"
            raise UserError(f"train.best.metric expects a number of the evaluation ({known}). Got {self.metric!r}.")
        value = scalars[self.metric]
        if math.isfinite(value) and (self.value is None or self._better(value, self.value)):
            self.value, self.iteration, self.since = value, iteration, 0
            return True
        self.since += 1
        return False

    def exhausted(self) -> bool:
        """Whether ``patience`` evaluations in a row brought nothing better."""
        return self.early_stop.patience is not None and self.since >= self.early_stop.patience

    def state_dict(self) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "mode": self.rule.mode,
            "value": self.value,
            "iteration": self.iteration,
            "since": self.since,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a checkpoint; values of another metric or mode are of no use and are left behind."""
        if (state["metric"], state.get("mode", self.rule.mode)) == (self.metric, self.rule.mode):
            self.value, self.iteration, self.since = state["value"], state["iteration"], state["since"]

    def _better(self, new: float, old: float) -> bool:
        return new > old if self.rule.mode == "max" else new < old
