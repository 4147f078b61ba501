"""One examination of a run: the weights, then their average, printed, written to files, ready to be logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from dsct_detrex.engine import ddp
from dsct_detrex.engine.contracts import Evaluator, Scalars, TestLoader
from dsct_detrex.engine.ema import WeightAverage
from dsct_detrex.engine.evaluate import Evaluation, evaluate_model
from dsct_detrex.engine.files import write_json
from dsct_detrex.engine.loggers import Console, Prediction
from dsct_detrex.evaluation import format_report

EMA_PREFIX = "ema/"


@dataclass(frozen=True)
class Examination:
    """``scalars`` has the numbers of the weights under their names, those of the average under ``ema/``.

    ``reports`` maps the prefix (``""`` or ``"ema/"``) to the evaluator's report, where it makes one.
    """

    scalars: Scalars
    reports: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    predictions: list[Prediction] = field(default_factory=list)

    def report_of(self, metric: str) -> dict[str, Any] | None:
        """The report of the weights that a metric was measured on."""
        return self.reports.get(EMA_PREFIX if metric.startswith(EMA_PREFIX) else "")


@dataclass(frozen=True)
class Examiner:
    """What is needed to examine a model at any time.

    Args:
        max_batches: a short examination for ``train.fast_dev_run``; None is a real one.
        num_pictures: images whose predictions are kept for the loggers.
    """

    loader: TestLoader
    evaluator: Evaluator
    console: Console
    output_dir: Path
    max_batches: int | None = None
    num_pictures: int = 0

    def examine(
        self, model: nn.Module, average: WeightAverage | None = None, cancel: Callable[[], bool] | None = None
    ) -> Examination:
        """Evaluate a model and, if there is one, the average of its weights.

        Args:
            model: the bare model; it comes back with its own weights and in its own mode.
            cancel: see ``evaluate_model``.
        """
        scalars: Scalars = {}
        reports: dict[str, dict[str, Any]] = {}
        if average is not None:
            with average.applied_to(model):
                averaged = self._evaluate(model, "weight average", 0, cancel)
            scalars |= {f"{EMA_PREFIX}{name}": value for name, value in averaged.scalars.items()}
            self._keep(averaged, EMA_PREFIX, reports)
        result = self._evaluate(model, "weights", self.num_pictures, cancel)
        self._keep(result, "", reports)
        return Examination(scalars | result.scalars, reports, result.predictions)

    def _evaluate(
        self, model: nn.Module, what: str, num_predictions: int, cancel: Callable[[], bool] | None
    ) -> Evaluation:
        result = evaluate_model(
            model,
            self.loader,
            self.evaluator,
            max_batches=self.max_batches,
            num_predictions=num_predictions,
            on_batch=self.console.evaluating,
            cancel=cancel,
        )
        rate = result.images / result.seconds
        self.console.say(
            f"evaluated the {what}: {result.images} images in {result.seconds:.1f} s ({rate:.1f} a second)"
        )
        ours = result.report is not None and "protocol" in result.report
        self.console.say(format_report(result.report) if ours and result.report else _plain_table(result.scalars))
        return result

    def _keep(self, result: Evaluation, prefix: str, reports: dict[str, dict[str, Any]]) -> None:
        """Write ``evaluation.json`` (``evaluation_ema.json`` for the average): the report, or else the numbers."""
        if result.report is not None:
            reports[prefix] = result.report
        if ddp.is_main():
            name = "evaluation_ema.json" if prefix else "evaluation.json"
            write_json(self.output_dir / name, result.report or {"metrics": result.scalars})


def _plain_table(scalars: Scalars) -> str:
    width = max((len(name) for name in scalars), default=0)
    return "\n".join(f"  {name:<{width}}  {value:.4f}" for name, value in scalars.items())
