"""What finished runs have written, read back: one result for each run, one row for each cell."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dsct_detrex.engine.summary import SUMMARY
from dsct_detrex.sweep.description import Cell
from dsct_detrex.sweep.processes import logged_rows
from dsct_detrex.sweep.runs import EVALUATION, Run, Standing


@dataclass(frozen=True)
class Measured:
    """The numbers of one finished run.

    Attributes:
        report: ``EmotionEvaluator.report``.
        iterations: optimizer steps.
        seconds_per_iteration: median over the logged ones; NaN if none was logged.
        training_seconds: of all optimizer steps together, evaluations and start-up left out.
        environment: see ``engine.environment``.
    """

    report: dict[str, Any]
    parameters_total: int
    parameters_trainable: int
    iterations: int
    seconds_per_iteration: float
    training_seconds: float
    environment: dict[str, Any] = field(default_factory=dict)

    def value(self, metric: str) -> float | None:
        """A metric of the report as a fraction: ``acc``, ``mAP``, ``recall50``, ``AP``, by number of people ``acc_n1``
        to ``acc_n5plus``, or ``strict``, the primary one under that protocol; None where it has no meaning."""
        groups = {f"{kind}_n{row['group']}": row[kind] for row in self.report["by_count"] for kind in ("acc", "mAP")}
        strict = self.report.get("strict", {}).get(self.report["primary_metric"])  # earlier versions wrote none
        value = (self.report["metrics"] | groups | {"strict": strict}).get(metric)
        return None if value is None else float(value)

    @property
    def coverage(self) -> str | None:
        """``"2 of 4 images"`` where the numbers stand on a part of the split."""
        coverage: str | None = self.report["dataset"].get("coverage")
        return coverage

    def groups(self) -> list[str]:
        """Numbers of people per image that occur in the data, as ``metrics.COUNT_GROUPS`` names them."""
        return [row["group"] for row in self.report["by_count"] if row["people"]]


@dataclass(frozen=True)
class Result:
    """One run and, where it is finished, its numbers."""

    run: Run
    standing: Standing
    reason: str = ""
    measured: Measured | None = None


def read_result(run: Run) -> Result:
    standing = run.standing()
    measured = read_measured(run.folder) if standing is Standing.FINISHED else None
    return Result(run, standing, run.reason() if standing is Standing.FAILED else "", measured)


def read_measured(folder: Path) -> Measured:
    """The result files of a finished training."""
    summary = _read(folder / SUMMARY)
    timed = [(int(row["iteration"]), float(row["time"])) for row in logged_rows(folder) if row.get("time") is not None]
    starts = [0, *(iteration for iteration, _ in timed)]
    environment = folder / "environment.json"
    return Measured(
        report=_read(folder / EVALUATION),
        parameters_total=int(summary["parameters"]["total"]),
        parameters_trainable=int(summary["parameters"]["trainable"]),
        iterations=int(summary["iterations"]),
        seconds_per_iteration=statistics.median(seconds for _, seconds in timed) if timed else math.nan,
        training_seconds=sum((end - start) * seconds for start, (end, seconds) in zip(starts, timed)),
        environment=_read(environment) if environment.is_file() else {},
    )


@dataclass(frozen=True)
class Row:
    """One cell over its seeds."""

    cell: Cell
    results: tuple[Result, ...]

    @property
    def measured(self) -> list[Measured]:
        return [result.measured for result in self.results if result.measured is not None]

    @property
    def failures(self) -> list[Result]:
        return [result for result in self.results if result.standing is Standing.FAILED]

    def by_seed(self, metric: str) -> dict[int, float]:
        """Seed -> the metric as a fraction, of every finished seed."""
        values = {result.run.seed: result.measured.value(metric) for result in self.results if result.measured}
        return {seed: value for seed, value in values.items() if value is not None}

    def values(self, metric: str) -> list[float]:
        """The metric of every finished seed."""
        return list(self.by_seed(metric).values())

    def mean(self, metric: str) -> float:
        """NaN without a finished seed."""
        return mean(self.values(metric))

    def spread(self, metric: str) -> float:
        """Standard deviation over seeds, with n - 1; NaN for fewer than two."""
        values = self.values(metric)
        return statistics.stdev(values) if len(values) > 1 else math.nan

    def coverage(self) -> str:
        """What part of the split the finished seeds were measured on, ``"2 of 4 images"``; empty where all of it."""
        return ", ".join(dict.fromkeys(one.coverage for one in self.measured if one.coverage))

    def on_part(self) -> str:
        """`` (2 of 4 images)`` for wherever a number of the row appears, else nothing."""
        return f" ({self.coverage()})" if self.coverage() else ""

    def state(self) -> str:
        """In a word or two."""
        done, planned = len(self.measured), len(self.results)
        if done == planned:
            return "finished"
        known = "failed" if self.failures else "" if done else "unfinished" if self._begun else "not run"
        return ", ".join(filter(None, (known, f"{done} of {planned} finished" if done else "")))

    def reasons(self) -> list[str]:
        """Why seeds failed; equal reasons once."""
        return list(dict.fromkeys(result.reason for result in self.failures))

    @property
    def _begun(self) -> bool:
        return any(result.standing is not Standing.NEW for result in self.results)


def mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else math.nan


def make_rows(cells: Sequence[Cell], runs: Sequence[Run]) -> list[Row]:
    """One row for each cell, in the order of the table."""
    results = [read_result(run) for run in runs]
    return [Row(cell, tuple(one for one in results if one.run.cell is cell)) for cell in cells]


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
