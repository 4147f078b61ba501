"""One examination of a run: the weights, then their average, printed, written to files, ready to be logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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
from dsct_detrex.evaluation.files import keep_older
from dsct_detrex.evaluation.formatting import measured_on
from dsct_detrex.structures import Headline

EMA_PREFIX = "ema/"
TRAINING_STEM = "evaluation"


@dataclass(frozen=True)
class Examination:
    """``scalars`` has the numbers of the weights under their names, those of the average under ``ema/``.

    ``reports`` maps the prefix (``""`` or ``"ema/"``) to the evaluator's report, where it makes one.
    """

    scalars: Scalars
    reports: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    predictions: list[Prediction] = field(default_factory=list)

    def words(self) -> dict[str, str]:
        """For loggers: what the numbers stand on, ``"all"`` or ``"2 of 4 images"``, and the line of the console."""
        report = self.reports.get("")
        if report is None or "dataset" not in report:
            return {}
        return {"data/coverage": report["dataset"]["coverage"] or "all", "data/measured_on": measured_on(report)}

    def coverage(self) -> str | None:
        """``"2 of 4 images"`` where the numbers stand on a part."""
        dataset = self.reports.get("", {}).get("dataset", {})
        coverage: str | None = dataset.get("coverage")
        return coverage

    def report_of(self, metric: str) -> dict[str, Any] | None:
        """The report of the weights that a metric was measured on."""
        return self.reports.get(EMA_PREFIX if metric.startswith(EMA_PREFIX) else "")


@dataclass(frozen=True)
class Examiner:
    """What is needed to examine a model at any time.

    Args:
        max_batches: a short examination for ``train.fast_dev_run``; None is a real one.
        num_pictures: images whose predictions are kept for the loggers.
        stem: name of the file of the result; ``evaluation`` is that of a training.
        headline: of the loader's split, where that is known.
    """

    loader: TestLoader
    evaluator: Evaluator
    console: Console
    output_dir: Path
    max_batches: int | None = None
    num_pictures: int = 0
    stem: str = TRAINING_STEM
    headline: Headline | None = None

    @property
    def split(self) -> str | None:
        """Which split is evaluated, where its data set says."""
        return None if self.headline is None else self.headline.split

    def with_warning(self, sentence: str) -> Examiner:
        """The same, with ``sentence`` in the headline and so beside every score."""
        if self.headline is None:
            return self
        headline = replace(self.headline, warnings=(*self.headline.warnings, sentence))
        if hasattr(self.evaluator, "describe_dataset"):
            self.evaluator.describe_dataset(headline)
        return replace(self, headline=headline)

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
        if result.unreadable and not ours:
            self.console.say(f"note: {result.unreadable} images could not be read and are not in these numbers.")
        return result

    def _keep(self, result: Evaluation, prefix: str, reports: dict[str, dict[str, Any]]) -> None:
        """Write ``evaluation.json`` (``evaluation_ema.json`` for the average): the report, or else the numbers.

        What another evaluation than the training's own left under that name is kept under a number.
        """
        if result.report is not None:
            reports[prefix] = result.report
        if ddp.is_main():
            path = self.output_dir / f"{self.stem}{'_ema' if prefix else ''}.json"
            if self.stem != TRAINING_STEM and (kept := keep_older(path)) is not None:
                self.console.say(f"note: the evaluation that was in {path} is now in {kept}.")
            write_json(path, result.report or {"metrics": result.scalars})
            if self.stem != TRAINING_STEM:
                self.console.say(f"result: {path}")


def _plain_table(scalars: Scalars) -> str:
    width = max((len(name) for name in scalars), default=0)
    return "\n".join(f"  {name:<{width}}  {value:.4f}" for name, value in scalars.items())
