"""An evaluation in one line: ``step 320  accuracy 23.4 % (+2.1)  best so far  people found 71.2 %  12 s``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dsct_detrex.engine.contracts import Scalars
from dsct_detrex.evaluation.formatting import MISSING, duration, metric_word, on_part, percent

_FRACTIONS = ("emotion/", "strict/", "bbox/")
_FOUND = "bbox/recall50"
_COLUMNS = 79


@dataclass(frozen=True)
class Standing:
    """How an evaluation's number compares.

    Attributes:
        previous: that of the evaluation before, or None.
        is_best: it is the best so far.
        best: the best so far and its step; None where nothing is kept, or nothing was best yet.
    """

    previous: float | None = None
    is_best: bool = False
    best: tuple[float, int] | None = None


def evaluation_line(
    title: str,
    scalars: Scalars,
    report: Mapping[str, Any] | None,
    metric: str,
    seconds: float,
    standing: Standing = Standing(),
) -> str:
    """The line.

    Args:
        title: what was evaluated, e.g. ``"step 320"``.
        scalars: what an evaluator gave, without prefixes of the weights.
        report: of our evaluators, None of others; says on how many images the numbers stand.
        metric: a name in ``scalars``; others give no number.
    """
    ours = report is not None and "protocol" in report
    parts = [title, _measured(scalars, metric, standing.previous, report if ours else None)]
    if standing.is_best:
        parts.append("best so far")
    elif standing.best is not None:
        value, step = standing.best
        parts.append(f"best {_number(value, metric, ours)} at {step}")
    found = f"found {_number(scalars.get(_FOUND, float('nan')), _FOUND, True)}" if _FOUND in scalars else ""
    whole = "  ".join(filter(None, [*parts, found and f"people {found}", _time(seconds)]))
    return whole if len(whole) <= _COLUMNS else "  ".join(filter(None, [*parts, found, _time(seconds)]))


def _measured(scalars: Scalars, metric: str, previous: float | None, report: Mapping[str, Any] | None) -> str:
    """The number, what it stands on where that is a part, and its change."""
    word = metric_word(metric.removeprefix("emotion/"))
    if metric not in scalars:
        return f"{word} {MISSING}"
    value, ours = scalars[metric], report is not None
    part = "" if report is None else on_part(report)
    difference = float("nan") if previous is None else value - previous
    change = f" ({_change(difference, metric, ours)})" if math.isfinite(difference) else ""
    return f"{word} {_number(value, metric, ours)}{part}{change}"


def _is_fraction(metric: str, ours: bool) -> bool:
    return ours and metric.startswith(_FRACTIONS)


def _number(value: float, metric: str, ours: bool) -> str:
    return percent(value) if _is_fraction(metric, ours) else f"{value:.4g}"


def _change(difference: float, metric: str, ours: bool) -> str:
    return f"{100 * difference:+.1f}" if _is_fraction(metric, ours) else f"{difference:+.3g}"


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)
