"""A run as a report shows it: what it reached, how it learned, how large it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dsct_detrex.evaluation.formatting import on_part


@dataclass(frozen=True)
class RunResult:
    """One trained and evaluated model.

    Attributes:
        name: short, e.g. ``"DSCT"``.
        report: ``EmotionEvaluator.report``.
        history: rows of ``metrics.jsonl``; none of an evaluation alone.
        parameters: number of trained parameters, where it is known.
        seconds: of training, where there was one.
        prefix: of the metrics in ``history``, ``"ema/"`` for those of the weight average.
    """

    name: str
    report: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]] = field(default_factory=list)
    parameters: int | None = None
    seconds: float | None = None
    prefix: str = ""

    @property
    def metric(self) -> str:
        """The metric that the paper ranks by: ``"acc"`` or ``"mAP"``."""
        return str(self.report["primary_metric"])

    @property
    def multi_label(self) -> bool:
        return bool(self.report["emotions"]["multi_label"])

    @property
    def marked_name(self) -> str:
        """The name, with the part of the split that its numbers stand on."""
        return f"{self.name}{on_part(self.report)}"

    def value(self, metric: str) -> float:
        """A metric as a fraction; NaN where it has no meaning."""
        found = self.report["metrics"].get(metric)
        return math.nan if found is None else float(found)

    def emotion_values(self) -> list[float | None]:
        """AP of each emotion where people show several, else the share of its people who are read right."""
        if self.multi_label:
            return [row["AP"] for row in self.report["per_class"]]
        rows = zip(self.report["confusion"]["matrix"], self.report["confusion"]["missed"])
        totals = [(row[k], sum(row) + missed) for k, (row, missed) in enumerate(rows)]
        return [right / total if total else None for right, total in totals]

    def labels(self) -> list[tuple[str, int]]:
        """Each emotion and the number of people who show it."""
        return [(row["label"], row["people"]) for row in self.report["per_class"]]
